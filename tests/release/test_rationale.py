import polars as pl

from curate import tables
from curate.release.rationale import rationales

PLACE = {"bored": 0, "neutral": 1}


def found(**row: object) -> pl.DataFrame:
    base: dict[str, object] = {
        "clip_id": "0" * 16,
        "label": "neutral",
        "reasoning": "The head hangs at 1.25 s.",
        "verdict": "confirm",
        "outcome": "concluded",
        "receipt": "0" * 64,
        "calls": [],
    }
    return rationales(tables.table("reasons", [base | row]), PLACE)


def test_a_conclusion_is_published_with_its_class_and_verdict() -> None:
    assert found().rows() == [("0" * 16, "The head hangs at 1.25 s.", 1, "confirm")]


def test_what_was_not_confirmed_keeps_its_verdict() -> None:
    assert found(verdict="revise")["rationale_verdict"].item() == "revise"
    assert found(verdict="confirm", outcome="inconsistent")["rationale_verdict"].item() == "inconsistent"
    assert found(verdict=None, outcome="failed")["rationale_verdict"].item() is None


def test_without_a_conclusion_there_is_no_rationale() -> None:
    assert found(label=None, reasoning=None, outcome="refusal").is_empty()
    assert rationales(tables.empty("reasons"), PLACE).is_empty()


def test_what_would_steer_a_terminal_is_shown_instead() -> None:
    assert found(reasoning="a\x1b[2J\nb")["rationale"].item() == "a\\x1b[2J\nb"
