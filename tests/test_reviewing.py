"""Out to people and back: what was decided comes out changed in the next version."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.candidates import Asked
from curate.errors import InputError
from curate.release.compare.edition import Edition
from curate.reviewing import export_review, import_review
from curate.run_folder import Run
from curate.show.review.exports import read_exports
from curate.show.review.ledger import ledger_file, read_ledger

Rows = list[dict[str, str]]


@pytest.fixture
def run(finished: Run, tmp_path: Path) -> Path:
    """A finished run of 24 drawn clips, in a folder of its own."""
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    return folder


def exported(run: Path, **asked: Any) -> Rows:
    list(export_review(run, "csv", Asked(**asked)))
    files = sorted((run / "reviews").glob("*.csv"))
    with files[-1].open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def brought(run: Path, rows: Rows, **asked: Any) -> list[str]:
    path = run.parent / "filled.csv"
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return list(import_review(run, "csv", path, environ={}, **asked))


def published(run: Path) -> dict[str, str]:
    """The label of each clip in the run's release."""
    release = Edition(run / "release")
    clips = release.clips(["clip_id", "label"])
    return {clip_id: release.classes[label] for clip_id, label in clips.iter_rows() if label is not None}


def other(run: Path, clip_id: str) -> str:
    """A class that nobody would believe of a clip: the least likely one."""
    labels = pl.read_parquet(run / "labels.parquet").filter(clip_id=clip_id)
    posterior = labels["posterior"][0].to_list()
    return Edition(run / "release").classes[posterior.index(min(posterior))]


def test_a_decision_comes_out_in_the_next_version(run: Path) -> None:
    rows = exported(run, size=6)
    changed = other(run, rows[0]["clip_id"])
    rows[0] |= {"label": changed, "reviewer": "Ada"}
    told = brought(run, rows)
    assert told[0] == "1 decisions read, 1 new (1 label)"
    assert published(run)[rows[0]["clip_id"]] == changed
    assert Edition(run / "release").version == "1.0.1"
    assert Edition(run / "earlier" / "1.0.0").version == "1.0.0"
    assert any("1.0.0 -> 1.0.1" in line for line in told)
    assert any("gold is new: a label known to be right" in line for line in told)
    # No model was asked: the ledger of calls is as it was.
    assert "conflict" not in "".join(told)


def test_the_same_file_twice_changes_nothing(run: Path) -> None:
    rows = exported(run, size=4)
    rows[0] |= {"label": other(run, rows[0]["clip_id"]), "reviewer": "Ada"}
    brought(run, rows)
    before = ledger_file(run).read_bytes()
    told = brought(run, rows)
    assert told[:2] == ["1 decisions read, 0 new", "1 were known already"]
    assert ledger_file(run).read_bytes() == before
    assert Edition(run / "release").version == "1.0.1"


def test_a_file_with_mistakes_brings_nothing_in(run: Path) -> None:
    rows = exported(run, size=4)
    rows[0] |= {"label": "engaged", "reviewer": "Ada"}
    rows[1] |= {"label": "engaged", "reviewer": "Ada", "clip_id": "f" * 16}
    twice = [*rows, {**rows[0], "label": "not engaged"}]
    with pytest.raises(InputError) as caught:
        brought(run, twice)
    assert [problem.what for problem in caught.value.problems] == [
        "no clip of this run has the id 'ffffffffffffffff'",
        "Ada decides otherwise about the same clip at filled.csv, line 2",
    ]
    assert read_ledger(run).is_empty()
    assert Edition(run / "release").version == "1.0.0"


def test_reviewers_who_disagree_are_shown_and_none_of_them_is_lost(run: Path) -> None:
    rows = exported(run, size=4)
    first = rows[0] | {"label": "engaged", "reviewer": "Ada"}
    second = rows[0] | {"label": "not engaged", "reviewer": "Bob"}
    told = brought(run, [first, second])
    name = rows[0]["file"]
    conflict = (
        f"conflict: {name}: reviewers disagree ('Ada': engaged; 'Bob': not engaged), so that each counts"
    )
    assert any(line.startswith(conflict) for line in told)
    assert pl.read_parquet(run / "gold.parquet").is_empty()
    votes = pl.read_parquet(run / "votes.parquet").filter(clip_id=rows[0]["clip_id"])
    assert {("Ada", "engaged"), ("Bob", "not engaged")} <= set(votes.select("annotator", "label").iter_rows())
    # It is told wherever what is amiss is told, and who decided is nobody's business outside.
    problems = Edition(run / "release").table("problems")
    assert problems.filter(kind="review")["clip"].to_list() == [name]
    assert "Ada" not in problems.filter(kind="review")["what"][0]
    report = (run / "report.html").read_text(encoding="utf-8")
    assert "1 clip that reviewers see differently" in report
    assert "reviewers disagree (" in report
    assert "Ada" not in report


def test_votes_are_weighed_and_do_not_decide_alone(run: Path) -> None:
    rows = exported(run, size=4)
    rows[0] |= {"label": other(run, rows[0]["clip_id"]), "reviewer": "Ada"}
    brought(run, rows, kept_as="votes")
    assert pl.read_parquet(run / "gold.parquet").is_empty()
    votes = Edition(run / "release").table("votes")
    before = Edition(run / "earlier" / "1.0.0").table("votes")
    assert votes.height == before.height + 1
    assert Edition(run / "release").version == "1.1.0"  # more votes: a minor change


def test_what_was_drawn_at_random_measures_all(run: Path) -> None:
    rows = exported(run, size=24, control=0.5)
    truth = pl.read_parquet(run / "gold-truth.parquet")
    right = dict(truth.select("clip_id", "label").iter_rows())
    for row in rows:
        row |= {"label": right[row["clip_id"]], "reviewer": "Ada"}
    brought(run, rows)
    gold = pl.read_parquet(run / "gold.parquet")
    # Twelve were drawn; chosen ones whose turn had come before the twelfth are part of the sample too.
    n_drawn = int(gold["at_random"].sum())
    assert 12 <= n_drawn < gold.height
    quality = pl.read_parquet(run / "quality.parquet")
    assert quality.filter(measure="refined")["n_gold"].to_list() == [n_drawn]
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["counts"]["gold_drawn"] == n_drawn
    assert "drawn at random to be looked at" in (run / "report.html").read_text()


def test_exports_go_on_where_the_last_one_ended(run: Path) -> None:
    first = {row["clip_id"] for row in exported(run, size=6)}
    again = {row["clip_id"] for row in exported(run, size=6)}
    fresh = {row["clip_id"] for row in exported(run, size=6, leave_out_handed=True)}
    assert again == first  # nobody has decided yet
    assert not fresh & first
    assert [len(one.clip_ids) for one in read_exports(run).exports] == [6, 6, 6]


def test_what_is_believed_is_shown_only_if_asked_for(run: Path) -> None:
    assert "refined" not in exported(run, size=3)[0]
    assert {"given", "refined", "confidence", "reason"} <= exported(run, size=3, show_labels=True)[0].keys()


def test_out_to_label_studio_and_back(run: Path) -> None:
    told = list(export_review(run, "label-studio", Asked(size=3)))
    file = next((run / "reviews").glob("review-*.json"))
    tasks = json.loads(file.read_text())
    assert [line for line in told if "DOCUMENT_ROOT" in line]
    changed = other(run, tasks[0]["data"]["clip_id"])
    choice = {"from_name": "label", "to_name": "clip", "type": "choices", "value": {"choices": [changed]}}
    tasks[0]["annotations"] = [
        {"completed_by": {"email": "ada@lab.org"}, "result": [choice], "lead_time": 3.0}
    ]
    answers = run.parent / "answers.json"
    answers.write_text(json.dumps(tasks))
    list(import_review(run, "label-studio", answers, environ={}))
    assert published(run)[tasks[0]["data"]["clip_id"]] == changed
    assert read_ledger(run)["took_s"].to_list() == [3.0]


def test_media_that_are_gone_come_from_the_release(run: Path, finished: Run) -> None:
    recipe = json.loads((run / "recipe.json").read_text())
    recipe["clips"]["path"] = str(run.parent / "nowhere")
    (run / "recipe.json").write_text(json.dumps(recipe))
    rows = exported(run, size=3)
    for row in rows:
        kept = Path(row["media"])
        assert kept.is_relative_to(run)
        assert kept.read_bytes() == (finished.recipe.clips.path / row["file"]).read_bytes()  # type: ignore[union-attr]


def test_a_kill_in_the_midst_loses_no_decision(run: Path) -> None:
    """Killed when the ledger was just written: the same command goes on, and cuts the version."""
    rows = exported(run, size=4)
    rows[0] |= {"label": other(run, rows[0]["clip_id"]), "reviewer": "Ada"}
    path = run.parent / "filled.csv"
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    killed = (
        "import os, signal, sys; import curate.reviewing as r; from pathlib import Path\n"
        "r.keep_release = lambda folder: os.kill(os.getpid(), signal.SIGKILL)\n"
        "list(r.import_review(Path(sys.argv[1]), 'csv', Path(sys.argv[2])))"
    )
    done = subprocess.run([sys.executable, "-c", killed, run, path], check=False)
    assert done.returncode == -9
    assert read_ledger(run).height == 1
    assert Edition(run / "release").version == "1.0.0"
    told = list(import_review(run, "csv", path, environ={}))
    assert told[0] == "1 decisions read, 0 new"
    assert Edition(run / "release").version == "1.0.1"
    assert published(run)[rows[0]["clip_id"]] == rows[0]["label"]


def test_nothing_to_look_at_and_no_file(run: Path) -> None:
    with pytest.raises(InputError, match="none is named"):
        list(import_review(run, "csv", None, environ={}))
    rows = exported(run, size=100, control=1.0)
    for row in rows:
        row |= {"verdict": "skip", "reviewer": "Ada"}
    brought(run, rows)
    with pytest.raises(InputError, match="every clip has gold or a decision"):
        exported(run, size=3)


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        list(export_review(tmp_path, "csv", Asked()))
