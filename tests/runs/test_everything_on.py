"""One run with all that can be switched on, over HTTP, and what becomes of it afterwards."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import polars as pl
import pytest
from chat_server import ChatServer
from eyes import DOUBT, Eyes, Seen, seen
from inputs import ALL_CONTROLS, Clip, questionnaire, videos, write_inputs, write_recipe
from left import asking, new_calls
from polars.testing import assert_frame_equal

from curate import verbs
from curate.run_folder import Run

N_CLIPS, N_BARE, N_ITEMS, N_KEYS, N_OPTIONS = 24, 8, 2, 3, 4
N_DRAWN = 10
"""Clips in every order of the options: the least."""
N_VARIED = 5
"""Clips in other words, and clips asked again: a share of 0.2, rounded up."""
ON = {
    "context": "between",
    "reasons": "all",
    "debias": "position",
    "permutations": 0.1,
    "paraphrases": {"count": 2, "share": 0.2},
    "repeats": {"count": 1, "share": 0.2},
    "controls": ALL_CONTROLS,
    "transcript": True,
}
ACCEPTED_FROM = 0.6
N_CALLS = (
    N_CLIPS * (N_KEYS - 1)  # sentences
    + N_CLIPS * N_ITEMS * 4  # as written, and each control
    + N_DRAWN * N_ITEMS * (N_OPTIONS - 1)
    + N_VARIED * N_ITEMS * (2 + 1)
    + N_CLIPS * 3  # observe, conclude, reflect
    + 1  # what is concluded of nothing
)


@dataclass(frozen=True)
class Done:
    """A finished run, its recipe and its server."""

    run: Run
    recipe: Path
    server: ChatServer


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    folder, server = tmp_path_factory.mktemp("everything"), ChatServer()
    Eyes().open_at(server)
    clips = [
        Clip(one.name, one.colours, one.label, f"Words of {one.name}.")
        for one in videos(N_CLIPS, unlabelled=N_BARE)
    ]
    recipe = write_inputs(
        folder,
        server.url,
        clips,
        answers=ON,
        asked=questionnaire(paraphrased=True),
        labels={"pseudo": {"rule": "threshold", "threshold": ACCEPTED_FROM}},
    )
    yield Done(verbs.run(recipe, folder / "run", environ={}), recipe, server)
    server.close()


def test_every_call_is_made_once_and_stands_behind_a_row(done: Done) -> None:
    assert len(done.server.bodies) == new_calls(done.run.folder) == N_CALLS
    tables = {name: done.run.read(name) for name in ("answers", "context", "reasons", "calls")}
    behind = [
        tables["answers"]["calls"].explode(),
        tables["reasons"]["calls"].explode(),
        tables["reasons"]["call_alone"],
        tables["context"]["call"],
    ]
    assert {key for keys in behind for key in keys} == set(tables["calls"]["key"])
    assert tables["calls"].height == N_CALLS


def test_every_clip_was_asked_in_the_ways_that_it_was_drawn_for(done: Done) -> None:
    answers = done.run.read("answers")
    assert set(answers["outcome"]) == {"answered", "unseen"}
    assert set(answers["source"]) == {"logprobs"}
    assert set(answers["mask"]) == {"before_mask"}
    told = answers.group_by("variant", "control").len().rows()
    assert {(variant, control): n // N_ITEMS for variant, control, n in told} == {
        **{("base", control): N_CLIPS for control in ("none", "canary", "no_media", "shuffled")},
        **{(f"order {n}", "none"): N_DRAWN for n in (1, 2, 3)},
        **{(way, "none"): N_VARIED for way in ("wording 1", "wording 2", "repeat 1")},
    }
    # Without pictures nothing is seen; what is answered with them is about them.
    assert set(answers.filter(control="no_media")["outcome"]) == {"unseen"}
    assert asking(done.run.folder)["verdict"]["verdict"] == "sound"


def test_what_a_place_in_the_list_gains_is_found_and_taken_off(done: Done) -> None:
    for item in asking(done.run.folder)["items"]:
        first, *others = item["position_prior"]["prior"]
        assert first > max(others)
    plain = done.run.read("answers").filter(control="none", variant="base")
    moved = plain.select(pl.col("told").list.first() - pl.col("probs").list.first()).to_series()
    assert (moved > 0).all()


def test_sentences_stand_between_pictures_and_what_is_said_after_them(done: Done) -> None:
    sentences = done.run.read("context")
    assert sentences.height == N_CLIPS * (N_KEYS - 1)
    assert set(sentences["outcome"]) == {"said"}
    for body in done.server.bodies:
        prompt = seen(body)
        if "Answer with one letter." not in prompt.words or not prompt.pictures:
            continue
        kinds = ["picture" if part["type"] == "image_url" else "words" for part in _parts(body)]
        assert kinds == ["picture", "words"] * N_KEYS + ["words"]
        gap, other_gap, said, question = prompt.texts
        assert all(text.startswith("What moves or changes from ") for text in (gap, other_gap))
        assert said.startswith("What is said in the clip follows as a JSON string.")
        assert "Question: " in question


def test_a_reflection_gets_the_observations_and_no_picture(done: Done) -> None:
    reflections = [prompt for prompt in map(seen, done.server.bodies) if '"verdict"' in prompt.words]
    assert len(reflections) == N_CLIPS
    assert not any(prompt.pictures for prompt in reflections)
    assert not any("Words of" in prompt.words or '"scores"' in prompt.words for prompt in reflections)


def test_a_pseudo_label_that_its_reflection_contradicts_is_not_accepted_though_confident(done: Done) -> None:
    reasons = done.run.read("reasons").select("clip_id", "verdict", concluded="label")
    bare = done.run.read("labels").drop_nulls("pseudo_label").join(reasons, on="clip_id")
    assert bare.height == N_BARE
    assert bare["pseudo_confidence"].min() >= ACCEPTED_FROM
    assert (bare["pseudo_label"] == bare["concluded"]).all()
    assert bare["verdict"].value_counts().sort("verdict").rows() == [("abstain", 2), ("confirm", 6)]
    assert (bare["pseudo_accepted"] == (bare["verdict"] == "confirm")).all()


def test_the_release_loads_and_holds_the_rationale(done: Done, tmp_path: Path) -> None:
    bare = datasets.load_dataset(str(done.run.release), "pseudo_labeled", cache_dir=str(tmp_path))["train"]
    assert len(bare) == N_BARE
    classes = bare.features["rationale_label"].names
    for clip in bare:
        assert "[1.75 s] shows it: red " in clip["rationale"]
        assert classes[clip["rationale_label"]] in ("red", "green")
        # A label that was not accepted is not published, but its rationale is, with what became of it.
        assert clip["label"] == (clip["rationale_label"] if clip["rationale_verdict"] == "confirm" else None)
    whole = datasets.load_dataset(str(done.run.release), "default", cache_dir=str(tmp_path))["train"]
    assert len(whole) == N_CLIPS - N_BARE
    observed = done.run.read("reasons")["observations"]
    assert sum(DOUBT in text for text in observed) == whole["rationale_verdict"].count("abstain") + 2


def test_a_second_run_and_one_that_lost_its_tables_ask_nothing(done: Done, tmp_path: Path) -> None:
    before = {name: done.run.read(name) for name in ("answers", "context", "reasons", "labels", "calls")}
    verbs.run(done.recipe, done.run.folder, environ={})
    bare = tmp_path / "run"
    bare.mkdir()
    shutil.copy(done.run.folder / "ledger.sqlite", bare)
    again = verbs.run(done.recipe, bare, environ={})
    assert len(done.server.bodies) == N_CALLS
    assert new_calls(bare) == 0
    for name, table in before.items():
        assert_frame_equal(again.read(name), table)


def test_nothing_is_left_to_plan(done: Done, curate: Any) -> None:
    planned = curate("plan", done.recipe, "--out", done.run.folder, "--json")
    assert planned.code == 0, planned.err
    total = json.loads(planned.out)["total"]
    assert (total["calls"], total["held"]) == (0, N_CALLS)


def test_a_replay_gives_the_same_tables(done: Done, tmp_path: Path) -> None:
    recipe = json.loads(done.recipe.read_text(encoding="utf-8"))
    recipe["vlm"] = {"backend": "replay", "ledger": str(done.run.folder / "ledger.sqlite")}
    path = write_recipe(done.recipe.with_name("replayed.yaml"), recipe)
    replayed = verbs.run(path, tmp_path / "replayed", environ={})
    assert len(done.server.bodies) == N_CALLS
    for name in ("answers", "context", "reasons", "evidence", "labels", "calls"):
        assert_frame_equal(replayed.read(name), done.run.read(name))


def _parts(body: dict[str, Any]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = body["messages"][0]["content"]
    return parts


# Without log-probabilities.


N_FEW = 12
N_ASKED = 2 * N_FEW + 1
"""Pictures that each question is put with: each clip's own, each canary, which is marked, and none at all."""


def told_by(answers: dict[str, Any], server: Any, folder: Path) -> tuple[Run, list[Seen]]:
    """A run over a server that tells no log-probabilities, and what it was asked."""
    Eyes(logprobs=False).open_at(server)
    clips = videos(N_FEW, n_frames=3)
    recipe = write_inputs(
        folder, server.url, clips, answers={"controls": {**ALL_CONTROLS, "shuffled": 0}} | answers
    )
    return verbs.run(recipe, folder / "run", environ={}), [seen(body) for body in server.bodies]


def test_a_sheet_a_clip_with_stated_confidences(server: Any, tmp_path: Path) -> None:
    run, prompts = told_by({"mode": "joint"}, server, tmp_path)
    assert len(prompts) == N_ASKED
    assert all("response_format" in prompt.parameters for prompt in prompts)
    plain = run.read("answers").filter(control="none")
    assert set(plain["source"]) == {"stated"}
    assert plain.height == N_FEW * N_ITEMS
    assert plain["calls"].explode().n_unique() == N_FEW
    assert plain["told"].list.max().is_between(0.3, 1.0, closed="left").all()
    how = " ".join((run.release / "README.md").read_text(encoding="utf-8").split())
    assert "All questions about a clip were put in one call" in how
    assert "Probabilities of 24 answers are what the model said of itself in words" in how


def test_shares_of_several_draws(server: Any, tmp_path: Path) -> None:
    n_draws = 5
    run, prompts = told_by({"samples": n_draws}, server, tmp_path)
    assert len(prompts) == N_ASKED * N_ITEMS * n_draws
    assert Counter((p.parameters["temperature"], p.parameters["seed"]) for p in prompts) == {
        (1, seed): N_ASKED * N_ITEMS for seed in range(n_draws)
    }
    answers = run.read("answers")
    assert set(answers["source"]) == {"samples"}
    # (n_k + 1/4) / (n + 1) of 5 draws and 4 options
    counts = answers["told"].list.eval(pl.element() * (n_draws + 1) - 1 / N_OPTIONS)
    assert ((counts.explode() - counts.explode().round()).abs() < 1e-9).all()
    assert counts.list.max().min() < n_draws, "draws differ"
    assert set(answers["calls"].list.len()) == {n_draws}
