import polars as pl
import pytest

from curate.release.agreement import agreement

# Krippendorff 2011, section C: four observers, twelve units, "." is missing; alpha is .743.
OBSERVERS = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)


def tables(*rows: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    votes = [
        {"clip_id": f"{unit:016x}", "annotator": str(who), "label": said}
        for who, row in enumerate(rows)
        for unit, said in enumerate(row.split())
        if said != "."
    ]
    schema = {"clip_id": pl.String, "label_given": pl.String}
    return pl.DataFrame(votes), pl.DataFrame(schema=schema)


def test_the_published_example() -> None:
    found = agreement(*tables(*OBSERVERS), classes="12345")
    assert found["alpha"] == pytest.approx(0.743, abs=5e-4)
    assert found["n"] == 11  # the twelfth unit has one voice


def test_a_given_label_is_a_voice() -> None:
    votes, _ = tables("1 2 1 2")
    given = votes.select("clip_id", label_given="label")
    assert agreement(votes, given, "12") == {"alpha": 1.0, "n": 4}


def test_nobody_agrees_with_himself() -> None:
    assert agreement(*tables("1 2 1 2"), classes="12") == {"alpha": None, "n": 0}
    assert agreement(*tables("1 1", "1 1"), classes="12")["alpha"] is None  # one class: chance is certain
