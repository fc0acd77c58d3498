from dataclasses import replace
from pathlib import Path

import polars as pl

from curate.show.review.decision import Decision, as_utc, decision_problems
from curate.show.review.ledger import add, ledger_digest, read_ledger, standing

CLASSES = ("calm", "bored")
CLIP, OTHER = "a" * 16, "b" * 16
NOW, LATER = "2026-01-01T12:00:00.000Z", "2026-01-02T12:00:00.000Z"
SAID = Decision("line 2", CLIP, "ada", "label", "calm")


def brought(
    folder: Path, *decisions: Decision, now: str = NOW, kept_as: str = "gold"
) -> tuple[int, int, list[str]]:
    """New, known, and the labels that no longer count."""
    found = add(folder, decisions, CLASSES, tool="csv", kept_as=kept_as, now=now)  # type: ignore[arg-type]
    return found.new.height, found.n_known, found.replaced["label"].to_list()


def test_the_same_again_adds_nothing(tmp_path: Path) -> None:
    assert brought(tmp_path, SAID) == (1, 0, [])
    digest = ledger_digest(tmp_path)
    assert brought(tmp_path, SAID, SAID, now=LATER) == (0, 2, [])
    assert ledger_digest(tmp_path) == digest
    assert read_ledger(tmp_path)["decided_at"].to_list() == [NOW]


def test_a_change_of_mind_is_kept_beside_what_was_said_before(tmp_path: Path) -> None:
    brought(tmp_path, SAID)
    changed = replace(SAID, label="bored")
    assert brought(tmp_path, changed, now=LATER) == (1, 0, ["calm"])
    assert read_ledger(tmp_path)["label"].to_list() == ["calm", "bored"]
    assert standing(read_ledger(tmp_path))["label"].to_list() == ["bored"]


def test_the_time_of_deciding_counts_and_not_that_of_bringing(tmp_path: Path) -> None:
    brought(tmp_path, replace(SAID, decided_at=LATER))
    # An older decision comes in later, from another file: it is kept, and the newer one still counts.
    assert brought(tmp_path, replace(SAID, label="bored", decided_at=NOW)) == (1, 0, [])
    assert standing(read_ledger(tmp_path))["label"].to_list() == ["calm"]


def test_people_and_clips_do_not_stand_in_each_others_way(tmp_path: Path) -> None:
    others = [SAID, replace(SAID, reviewer="bob", label="bored"), replace(SAID, clip_id=OTHER, label="bored")]
    assert brought(tmp_path, *others) == (3, 0, [])
    assert standing(read_ledger(tmp_path)).height == 3


def test_the_same_decision_as_something_else_is_new(tmp_path: Path) -> None:
    brought(tmp_path, SAID)
    assert brought(tmp_path, SAID, now=LATER, kept_as="votes")[0] == 1
    assert standing(read_ledger(tmp_path))["kept_as"].to_list() == ["votes"]


def test_unsure_takes_a_label_back(tmp_path: Path) -> None:
    brought(tmp_path, SAID)
    unsure = Decision("line 2", CLIP, "ada", "unsure", comment="<b>too dark</b>")
    assert brought(tmp_path, unsure, now=LATER) == (1, 0, ["calm"])
    assert standing(read_ledger(tmp_path)).select("verdict", "label", "comment").row(0) == (
        "unsure",
        None,
        "<b>too dark</b>",
    )


def test_every_problem_is_told_at_once() -> None:
    decisions = [
        replace(SAID, where="line 2", clip_id="f" * 16),
        replace(SAID, where="line 3", label="clam"),
        replace(SAID, where="line 4", reviewer=""),
        replace(SAID, where="line 5", clip_id=OTHER),
        replace(SAID, where="line 6", clip_id=OTHER, label="bored"),
        replace(SAID, where="line 7", clip_id=OTHER),  # the same as line 5: nothing is wrong with it
    ]
    assert [str(problem) for problem in decision_problems(decisions, [CLIP, OTHER], CLASSES)] == [
        "line 2: no clip of this run has the id 'ffffffffffffffff'. Take the line out, or import into the "
        "run that it was exported from",
        "line 3: 'clam' is none of the classes: calm, bored. Name one of them",
        "line 4: nobody is named who decided. Fill it in, or name them with --reviewer",
        "line 6: ada decides otherwise about the same clip at line 5. Keep one of them, or give each its "
        "time in decided_at",
    ]


def test_many_problems_of_one_sort_are_counted() -> None:
    decisions = [replace(SAID, where=f"line {number}", clip_id="f" * 16) for number in range(30)]
    found = decision_problems(decisions, [CLIP], CLASSES)
    assert len(found) == 21
    assert found[-1].what == "10 more like the last"


def test_times_are_kept_in_utc() -> None:
    assert as_utc("2026-01-31 14:05") == "2026-01-31T14:05:00.000Z"
    assert as_utc("2026-01-31T14:05:06.123456+02:00") == "2026-01-31T12:05:06.123Z"
    assert as_utc("2026-01-31T12:00:00Z") == "2026-01-31T12:00:00.000Z"
    assert as_utc("yesterday") is None


def test_an_empty_run_has_an_empty_ledger(tmp_path: Path) -> None:
    assert read_ledger(tmp_path).is_empty()
    assert ledger_digest(tmp_path) == ""
    assert isinstance(read_ledger(tmp_path), pl.DataFrame)
