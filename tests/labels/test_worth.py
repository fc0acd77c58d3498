from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from curate.labels import worth as module
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit
from curate.labels.worth import confusion_table, instrument_table, unique_bits, worth_bits


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


def test_the_table_is_worth_bits_and_expected_accuracy_instrument_by_instrument(
    world, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pl.concat([world.given.head(200), world.items])
    evidence = evidence_from_frame(frame, ["low", "middle", "high"], ordinal=True, options=world.options)
    posterior = fit(evidence)
    table = instrument_table(evidence, posterior)
    for index, row in enumerate(table.iter_rows(named=True)):
        columns = slice(*evidence.offsets[index : index + 2])
        mass = (evidence.matrix().toarray()[:, columns].T @ posterior.probabilities).sum(axis=0)
        prior, confusion = mass / mass.sum(), posterior.confusions[columns]
        assert row["worth_bits"] == pytest.approx(worth_bits(prior, confusion))
        if row["accuracy"] is not None:
            assert row["accuracy"] == pytest.approx((prior * np.diagonal(confusion)).sum())
    monkeypatch.setattr(module, "BLOCK", 5)
    assert instrument_table(evidence, posterior).equals(table)


def test_only_so_many_confusions_are_listed(world, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.concat([world.given.head(200), world.items])
    evidence = evidence_from_frame(frame, ["low", "middle", "high"], ordinal=True, options=world.options)
    posterior = fit(evidence)
    whole = confusion_table(evidence, posterior)
    monkeypatch.setattr(module, "LISTED", 2)
    # The given label has 200 clips, every item 400: the first two items by name stay.
    listed = confusion_table(evidence, posterior)
    assert listed.equals(whole.filter(pl.col("instrument").is_in(["item:0", "item:1"])))


def test_an_instrument_that_never_spoke_is_worth_nothing() -> None:
    frame = pl.DataFrame({"clip_id": ["1", "2"], "instrument": ["ann", "bob"], "outcome": ["a", None]})
    evidence = evidence_from_frame(frame, ["a", "b"])
    silent = instrument_table(evidence, fit(evidence)).row(1, named=True)
    assert (silent["instrument"], silent["n_clips"], silent["worth_bits"]) == ("bob", 0, 0.0)


def test_no_instruments() -> None:
    frame = pl.DataFrame(schema={"clip_id": pl.String, "instrument": pl.String, "outcome": pl.String})
    evidence = evidence_from_frame(frame, ["a", "b"])
    posterior = fit(evidence)
    assert instrument_table(evidence, posterior).is_empty()
    assert confusion_table(evidence, posterior).is_empty()


def test_what_another_says_too_is_not_lost() -> None:
    # Two people agree on every clip, a third sees one clip that nobody else saw.
    rows = [(f"c{i}", person, "ab"[i % 2]) for i in range(40) for person in ("p", "q")]
    rows.append(("alone", "r", "a"))
    frame = pl.DataFrame(rows, schema=["clip_id", "instrument", "outcome"], orient="row")
    evidence = evidence_from_frame(frame, ["a", "b"])
    lost = unique_bits(evidence, fit(evidence))
    by_clip = lost * evidence.n_items / np.array([40, 40, 1])
    assert by_clip[0] == pytest.approx(by_clip[1])
    assert by_clip[2] > 2 * by_clip[0] > 0


def test_divergence_of_one_answer() -> None:
    # p = (.8, .2), of which the answer gave log-evidence (log 4, 0): without it (.5, .5) is left.
    # KL((.8, .2) || (.5, .5)) = .8 log 1.6 + .2 log .4 = .19274 nats.
    evidence = evidence_from_frame(
        pl.DataFrame({"clip_id": ["c"], "instrument": ["p"], "outcome": ["a"]}), ["a", "b"]
    )
    posterior = replace(
        fit(evidence),
        probabilities=np.array([[0.8, 0.2]]),
        says=np.array([[np.log(4), 0.0], [0.0, np.log(4)]]),
    )
    scales = replace(posterior.scales, rows=np.ones(1))
    lost = unique_bits(evidence, replace(posterior, scales=scales))
    assert lost == pytest.approx([0.19274 / np.log(2)], abs=1e-4)
