import numpy as np
import polars as pl
import pytest

from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit
from curate.labels.worth import confusion_table, instrument_table, worth_bits


def test_worth_by_hand() -> None:
    even = np.array([0.5, 0.5])
    assert worth_bits(even, np.eye(2)) == pytest.approx(1)  # one answer tells one of two
    assert worth_bits(even, np.full((3, 2), 1 / 3)) == 0  # the same answers whatever the class
    # Right 3 times of 4: 1 bit less the entropy of (3/4, 1/4), 0.8113 bits.
    assert worth_bits(even, np.array([[0.75, 0.25], [0.25, 0.75]])) == pytest.approx(0.1887, abs=1e-4)


def test_instruments_are_ranked_by_what_they_tell(world) -> None:
    frame = pl.concat([world.given.head(200), world.items])
    evidence = evidence_from_frame(frame, ["low", "middle", "high"], ordinal=True, options=world.options)
    table = instrument_table(evidence, fit(evidence))
    worth = dict(table.select("instrument", "worth_bits").iter_rows())
    assert worth["item:4"] < 0.01 < min(worth[f"item:{number}"] for number in range(4))
    given = table.row(0, named=True)
    assert (given["instrument"], given["n_clips"], given["coverage"]) == ("given", 200, 0.5)
    assert given["accuracy"] == pytest.approx(0.7, abs=0.12)  # drawn as 0.7, which nobody told the model
    assert table["accuracy"].null_count() == 5


def test_confusions_sum_to_one_for_each_class(world) -> None:
    frame = pl.concat([world.given, world.items])
    evidence = evidence_from_frame(frame, ["low", "middle", "high"], ordinal=True, options=world.options)
    table = confusion_table(evidence, fit(evidence))
    assert table.height == 3 * 3 + 5 * 4 * 3
    sums = table.group_by("instrument", "class").agg(pl.col("probability").sum())["probability"]
    assert sums.to_numpy() == pytest.approx(np.ones(6 * 3))
