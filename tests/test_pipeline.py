"""The whole road on a few drawn clips, with the model that ships."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import datasets
import polars as pl
import pytest

from curate.demo.demonstrate import demonstrate, draw
from curate.errors import InputError
from curate.manifest import Manifest
from curate.outputs import write_out
from curate.pipeline import execute
from curate.run_folder import Caps, Run, open_run, reopen_run
from curate.stages import ANSWERS, CLIPS, FRAMES, STAGES


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


NO_CONTROLS = ("report:", "answers: {controls: {canary: 0, no_media: 0, shuffled: 0}}\n\nreport:")


@pytest.fixture
def again(finished: Run, tmp_path: Path) -> Callable[..., Run]:
    """Opens another run of the same clips, with changes to the recipe's text."""

    def opened(*changes: tuple[str, str], **options: object) -> Run:
        source = finished.folder.parent
        text = (source / "recipe.yaml").read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        recipe = source / f"recipe-{hashlib.sha256(text.encode()).hexdigest()[:8]}.yaml"
        recipe.write_text(text, encoding="utf-8")
        return open_run(recipe, tmp_path / "run", environ={}, **options)  # type: ignore[arg-type]

    return opened


def stages_of(run: Run) -> dict[str, str]:
    return {name: stage.key for name, stage in Manifest.load(run.folder).stages.items()}


def parquet_digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.parquet"))
    }


def test_every_clip_is_in_the_release_once(finished: Run, tmp_path: Path) -> None:
    found = []
    for config in ("default", "pseudo_labeled"):
        for split in datasets.load_dataset(str(finished.release), config, cache_dir=tmp_path).values():
            found += split["clip_id"]
    assert sorted(found) == sorted(finished.read("clips")["clip_id"])
    assert len(set(found)) == len(found)


def test_two_runs_of_a_recipe_give_the_same_bytes(finished: Run, again: Callable[..., Run]) -> None:
    other = again()
    # Each run hides the names of those who voted under a key of its own.
    other.folder.mkdir()
    shutil.copyfile(finished.folder / "annotators.key", other.folder / "annotators.key")
    execute(other)
    assert parquet_digests(other.folder) == parquet_digests(finished.folder)


def test_a_finished_run_has_nothing_left_to_do(finished: Run) -> None:
    def written() -> dict[Path, int]:
        files = [*finished.folder.rglob("*.parquet"), finished.report, finished.release / "README.md"]
        return {path: path.stat().st_mtime_ns for path in files}

    before = written()
    execute(finished)
    assert written() == before
    stages = [CLIPS, FRAMES, ANSWERS, *(stage for stage, _ in STAGES)]
    assert set(stages_of(finished)) == {stage.name for stage in stages} | {"release"}
    finished.report.unlink()
    execute(finished)
    assert finished.report.is_file(), "what was lost is made again"


def test_only_what_a_change_concerns_is_done_again(again: Callable[..., Run]) -> None:
    first = again()
    execute(first)
    before, ledger = stages_of(first), (first.folder / "ledger.sqlite").read_bytes()
    second = again(("threshold: 0.8\n  pseudo", "threshold: 0.6\n  pseudo"))
    execute(second)
    after = stages_of(second)
    assert {name for name in after if after[name] != before.get(name)} == {"labels", "release"}
    assert (first.folder / "ledger.sqlite").read_bytes() == ledger, "no call is made"


def test_a_limit_on_calls_is_kept_and_the_next_run_goes_on(finished: Run, again: Callable[..., Run]) -> None:
    capped = again(caps=Caps(max_calls=50))
    execute(capped)
    assert capped.read("calls").height == 50
    rest = again()
    execute(rest)
    own = pl.col("control") == "none"
    n_answers = finished.read("clips").height * len(rest.questionnaire.items)
    assert rest.read("answers").filter(own).height == n_answers
    # What is computed with other prompts differs in the last digits.
    kept = [name for name, dtype in rest.read("answers").schema.items() if not dtype.is_float()]
    kept = [name for name in kept if name not in ("told", "probs")]
    assert rest.read("answers").select(kept).equals(finished.read("answers").select(kept))


def test_a_limit_on_clips_takes_a_sample(finished: Run, again: Callable[..., Run]) -> None:
    few = again(limit=10)
    execute(few)
    assert set(few.read("clips")["clip_id"]) == set(finished.read("clips")["clip_id"].sort()[:10])


def test_metrics_hold_what_the_report_says(finished: Run) -> None:
    metrics = finished.metrics
    labels = finished.read("labels").filter(pl.col("label_given").is_not_null())
    truth = dict(finished.read("gold-truth").select("clip_id", "label").iter_rows())
    right = [truth[row["clip_id"]] == row["label_refined"] for row in labels.iter_rows(named=True)]
    assert metrics["accuracy_refined"] == pytest.approx(sum(right) / len(right))
    assert 0 <= metrics["accuracy_given"] <= 1
    assert 0 <= metrics["reliability_auroc"] <= 1
    assert json.loads((finished.release / "metrics.json").read_text(encoding="utf-8")) == metrics


def test_the_report_says_first_that_the_model_knows_only_drawings(finished: Run) -> None:
    text = finished.report.read_text(encoding="utf-8")
    assert "trained on drawings only" in text
    assert "trained on drawings only" in (finished.release / "README.md").read_text(encoding="utf-8")


def test_the_truth_never_reaches_the_labels(finished: Run) -> None:
    instruments = set(finished.read("evidence")["instrument"])
    items = {f"item:{item.id}" for item in finished.questionnaire.items}
    assert instruments == items | {"given"} | {f"vote:{name}" for name in finished.read("votes")["annotator"]}


def test_a_run_opens_from_its_folder_alone(finished: Run) -> None:
    reopened = reopen_run(finished.folder)
    assert reopened.recipe == finished.recipe
    assert reopened.questionnaire == finished.questionnaire


def test_an_interrupted_demo_is_gone_on_with(tmp_path: Path) -> None:
    draw(tmp_path, silent, n_clips=2, seed=1)
    (tmp_path / "truth.csv").unlink()
    run = demonstrate(tmp_path, silent, n_clips=8, seed=7)
    assert run.read("clips").height >= 8


def test_other_classes_make_other_labels(finished: Run, again: Callable[..., Run]) -> None:
    first = again()
    execute(first)
    classes = "[not engaged, barely engaged, engaged, highly engaged]"
    turned = again((classes, "[highly engaged, engaged, barely engaged, not engaged]"))
    execute(turned)
    for row in turned.read("labels").iter_rows(named=True):
        best = max(range(4), key=lambda place: row["soft_label"][place])
        assert turned.classes[best] == row["label_refined"]


def test_a_run_that_nothing_can_label_ends_before_a_call_is_made(
    finished: Run, again: Callable[..., Run]
) -> None:
    votes = "  votes:\n    file: votes.csv\n"
    bare = again(
        ("    file: labels.csv\n", "    file: labels.csv\n    label: null\n"),
        (votes, ""),
        ("ordinal: true", "ordinal: false"),
    )
    with pytest.raises(InputError, match="nothing tells which clip is which"):
        execute(bare)
    assert not (bare.folder / "ledger.sqlite").exists()


def test_ordered_classes_need_no_label_where_items_have_a_direction(again: Callable[..., Run]) -> None:
    votes = "  votes:\n    file: votes.csv\n"
    bare = again(("    file: labels.csv\n", "    file: labels.csv\n    label: null\n"), (votes, ""))
    execute(bare)
    accuracy = bare.metrics["truth"]["accuracy_pseudo"]["value"]
    assert accuracy > 0.5, "four classes: chance is 0.25"


def test_a_release_that_lost_a_file_is_made_again(again: Callable[..., Run]) -> None:
    run = again()
    execute(run)
    lost = sorted((run.release / "data").glob("*.parquet"))[0]
    lost.unlink()
    execute(run)
    assert lost.is_file()


def test_a_sample_and_missing_answers_are_said_first(again: Callable[..., Run]) -> None:
    few = again(NO_CONTROLS, limit=10, caps=Caps(max_calls=20))
    execute(few)
    card = (few.release / "README.md").read_text(encoding="utf-8")
    assert "This is a sample: 14 more clips" in card
    assert "60 questions were not answered" in card, "10 clips x 8 items - 20 calls"


def test_a_sample_has_a_folder_of_its_own(finished: Run) -> None:
    recipe = finished.folder.parent / "recipe.yaml"
    whole, sample = (open_run(recipe, environ={}, limit=limit).folder for limit in (None, 5))
    assert whole != sample


def test_the_report_does_without_pictures_that_were_cleared(again: Callable[..., Run]) -> None:
    run = again()
    execute(run)
    shutil.rmtree(run.folder / "pictures")
    write_out(reopen_run(run.folder))
    assert "picture not kept" in run.report.read_text(encoding="utf-8")
