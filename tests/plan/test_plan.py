"""The bill of the demo's recipe, and the run that it is the bill of."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from curate.errors import InputError, RecipeError
from curate.interview import look_and_ask
from curate.plan.look import look
from curate.plan.text import plan_json, plan_lines
from curate.plan.whole import Plan, plan
from curate.run_folder import Run, open_run
from curate.vlm.tokens.ranges import exactly

N_ITEMS = 8
N_CLIPS = 24
RARE = "answers: {controls: {canary: 0.5, no_media: 0.1, shuffled: 0.1}, repeats: {count: 1, share: 0.5}}\n"


@pytest.fixture
def recipe(finished: Run, tmp_path: Path) -> Callable[..., Path]:
    """Writes the demo's recipe, with changes, beside the drawn clips; its runs go elsewhere."""

    def written(*changes: tuple[str, str], more: str = "") -> Path:
        source = finished.folder.parent
        text = (source / "recipe.yaml").read_text(encoding="utf-8")
        for old, new in (("path: clips", f"path: {source / 'clips'}"), *changes):
            assert old in text
            text = text.replace(old, new)
        for name in ("labels.csv", "votes.csv", "truth.csv", "keypoints.zip", "questionnaire.yaml"):
            (tmp_path / name).write_bytes((source / name).read_bytes())
        path = tmp_path / "recipe.yaml"
        path.write_text(text + more, encoding="utf-8")
        return path

    return written


def planned(recipe: Path, **options: int) -> Plan:
    return plan(recipe, environ={}, **options)


def ask(recipe: Path, folder: Path) -> dict[str, int]:
    """What the run of a recipe newly takes, by its own count."""
    run = open_run(recipe, folder, environ={})
    return look_and_ask(run, {"clips": look(run).clips})[1][1]


def calls(plan: Plan) -> int:
    return sum(line.calls for line in plan.bill)


def test_a_plan_asks_nothing_and_is_what_the_run_takes(recipe: Callable[..., Path]) -> None:
    path = recipe()
    found = planned(path)
    assert not (Path(found.folder) / "ledger.sqlite").exists()
    assert (found.clips, found.set_aside, found.counted_by) == (N_CLIPS, 0, "the processor of demo")
    taken = ask(path, Path(found.folder))
    assert calls(found) == taken["new_calls"]
    # The model's own processor counts, and of a letter there is one token: nothing is guessed.
    assert sum(line.tokens_in.high for line in found.bill) == taken["new_tokens_in"]
    assert sum(line.tokens_in.low for line in found.bill) == taken["new_tokens_in"]
    assert sum(line.tokens_out.expected for line in found.bill) == taken["new_tokens_out"]


def test_a_pilot_takes_nothing_from_the_run(recipe: Callable[..., Path]) -> None:
    path = recipe(more=RARE)
    whole = planned(path)
    piloted = planned(path, pilot=5)
    assert piloted.pilot is not None
    assert (piloted.pilot.clips, piloted.pilot.failed) == (5, 0)
    assert piloted.pilot.calls == sum(line.held for line in piloted.bill) >= 5 * N_ITEMS
    # Which clips have controls and repeats is drawn over all: the pilot asks part of the plan, nothing else.
    assert piloted.other_replies == 0
    assert calls(piloted) == calls(whole) - piloted.pilot.calls
    taken = ask(path, Path(whole.folder))
    assert taken["new_calls"] == calls(piloted)
    done = planned(path)
    assert calls(done) == 0
    assert sum(line.held for line in done.bill) == calls(whole)


def test_a_pilot_measures(recipe: Callable[..., Path]) -> None:
    found = planned(recipe(), pilot=3)
    line = next(line for line in found.bill if line.kind == "questionnaire")
    assert line.measured == 3 * N_ITEMS
    assert line.call_out == exactly(1)
    assert found.at_once is not None
    assert found.asking_s is not None
    assert 0 < found.asking_s.low < found.asking_s.expected < found.asking_s.high
    assert found.devices == 1


def test_a_second_pilot_asks_only_what_the_first_did_not(recipe: Callable[..., Path]) -> None:
    path = recipe(more="answers: {controls: {canary: 0, no_media: 0, shuffled: 0}}\n")
    first, second = planned(path, pilot=2), planned(path, pilot=3)
    assert first.pilot is not None
    assert second.pilot is not None
    assert (first.pilot.calls, second.pilot.calls) == (2 * N_ITEMS, N_ITEMS)


def test_replies_to_other_questions_are_not_taken_for_these(recipe: Callable[..., Path]) -> None:
    first = planned(recipe(), pilot=2)
    other = planned(recipe(("size_px: 64", "size_px: 32")))
    assert first.pilot is not None
    # What was asked without a picture stays the same question whatever the size of pictures.
    assert sum(line.held for line in other.bill) == N_ITEMS
    assert other.other_replies == first.pilot.calls - N_ITEMS


def test_a_plan_leaves_a_finished_run_as_it_is(recipe: Callable[..., Path], finished: Run) -> None:
    tables = sorted(finished.folder.glob("*.parquet"))
    before = [path.read_bytes() for path in tables]
    changed = plan(recipe(("count: 4", "count: 2")), finished.folder, environ={})
    assert calls(changed) > 0
    assert [path.read_bytes() for path in tables] == before


SERVER = (
    "vlm: {backend: openai, model: gpt-4o, price: {input: 2.5, output: 10}, "
    "base_url: 'https://example.org/v1'}\n"
)


def of_a_server(recipe: Callable[..., Path], more: str = "") -> Path:
    path = recipe(more=more)
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition("vlm:\n")
    path.write_text(f"{before}{SERVER}\nlabels:{rest.partition('labels:')[2]}", encoding="utf-8")
    return path


def test_a_server_elsewhere_is_priced_without_its_key(recipe: Callable[..., Path]) -> None:
    found = planned(of_a_server(recipe))
    assert found.cost is not None
    tokens_in = sum(line.tokens_in.expected for line in found.bill)
    tokens_out = sum(line.tokens_out.expected for line in found.bill)
    assert found.cost.expected == pytest.approx((2.5 * tokens_in + 10 * tokens_out) / 1e6, rel=1e-3)
    assert found.cost.low < found.cost.expected < found.cost.high
    assert found.otherwise is None


def test_a_pilot_needs_the_key(recipe: Callable[..., Path]) -> None:
    with pytest.raises(RecipeError, match="OPENAI_API_KEY is not set"):
        planned(of_a_server(recipe), pilot=1)


def test_what_it_would_be_without_log_probabilities_is_said_beforehand(recipe: Callable[..., Path]) -> None:
    bare = "answers: {samples: 5, controls: {canary: 0, no_media: 0, shuffled: 0}}\n"
    found = planned(of_a_server(recipe, bare))
    assert calls(found) == N_CLIPS * N_ITEMS
    assert found.otherwise is not None
    assert found.otherwise.calls == 5 * N_CLIPS * N_ITEMS
    note = list(plan_lines(found))[-1]
    assert note.startswith(
        "note: the server is taken to tell log-probabilities; if it tells none, there are 960"
    )


def test_all_problems_are_told_at_once_and_no_key_is_missed(recipe: Callable[..., Path]) -> None:
    path = of_a_server(recipe, "answers: {samples: 0}\n")
    (path.parent / "questionnaire.yaml").write_text("name: x\n", encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        planned(path)
    where = [problem.where for problem in caught.value.problems]
    assert where == ["answers.samples"]
    path = of_a_server(recipe, "report: {notise: x}\n")
    (path.parent / "questionnaire.yaml").write_text("name: x\n", encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        planned(path)
    where = [problem.where for problem in caught.value.problems]
    assert "vlm.api_key_env" not in where
    assert any(place.startswith("questionnaire.yaml: ") for place in where)


def test_clips_that_nothing_can_label_are_told_before_the_bill(recipe: Callable[..., Path]) -> None:
    path = recipe(
        ("    file: labels.csv\n", "    file: labels.csv\n    label: null\n"),
        ("  votes:\n    file: votes.csv\n", ""),
        ("ordinal: true", "ordinal: false"),
    )
    with pytest.raises(InputError, match="nothing tells which clip is which"):
        planned(path)


def test_a_plan_in_lines_and_as_json(recipe: Callable[..., Path]) -> None:
    found = planned(recipe(), pilot=2)
    text = "\n".join(plan_lines(found))
    assert "24 clips, 96 different pictures; 0 files or rows set aside" in text
    assert "probabilities from log-probabilities of the options" in text
    assert "price: nothing is paid a token" in text
    assert "device hours" in text
    assert "pilot: 2 clips took" in text
    content = json.loads(plan_json(found))
    assert content["total"]["calls"] == calls(found)
    assert content["total"]["held"] == found.pilot.calls if found.pilot else 0
    assert content["bill"][0]["kind"] == "questionnaire"


def test_the_disk_that_is_foreseen_is_taken(recipe: Callable[..., Path]) -> None:
    path = recipe()
    found = planned(path)
    ask(path, Path(found.folder))
    with closing(sqlite3.connect(Path(found.folder) / "ledger.sqlite")) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = (Path(found.folder) / "ledger.sqlite").stat().st_size
    assert found.disk.ledger.low <= size <= found.disk.ledger.high
    kept = sum(file.stat().st_size for file in (Path(found.folder) / "pictures").rglob("*.jpg"))
    assert found.disk.pictures == exactly(kept)


def test_the_verb_prints_json_and_nothing_else(recipe: Callable[..., Path]) -> None:
    verb = [Path(sys.executable).with_name("curate"), "plan", recipe(), "--limit", "3", "--json"]
    told = subprocess.run(verb, check=True, capture_output=True, text=True).stdout
    content = json.loads(told)
    assert (content["clips"], content["not_sampled"]) == (3, N_CLIPS - 3)
    assert content["folder"].endswith("demo-engagement-3-clips")


def test_embeddings_and_key_points_take_disk_by_the_frame(recipe: Callable[..., Path]) -> None:
    plain = planned(recipe())
    assert not any("embeddings" in line for line in plan_lines(plain))
    # 24 frames at 8 a second last 3 s: two a second are six, of which at most five are looked at.
    found = planned(recipe(more="embeddings: {fps: 2, most: 5}\npose: {}\n"))
    frames = look(open_run(recipe(), environ={})).clips["n_frames"].sum()
    assert found.disk.sequences.expected == 3 * (5 * N_CLIPS * 1540 + frames * 600)
    assert any("embeddings and key points" in line for line in plan_lines(found))
