"""Going on from an earlier fit, after more was said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from curate.errors import InputError
from curate.labels.carry import Earlier, carried_confusions
from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.layout import layout
from curate.labels.model import fit

CLASSES = ("a", "b", "c")
SCALE = {"item": ["never", "often"]}
NEAR = 5e-3
"""How far a probability may be from that of a refit."""


def crowd(n_clips: int = 400, n_people: int = 12, seed: int = 0) -> pl.DataFrame:
    """Five votes a clip of people who are right for 55 to 90 %, and an item that knows one class."""
    rng = np.random.default_rng(seed)
    truth, skill = rng.integers(0, 3, n_clips), np.linspace(0.55, 0.9, n_people)
    rows = []
    for clip in range(n_clips):
        for person in rng.choice(n_people, 5, replace=False):
            wrong = (truth[clip] + rng.integers(1, 3)) % 3
            says = truth[clip] if rng.random() < skill[person] else wrong
            rows.append((f"c{clip:03}", f"p{person:02}", "human", CLASSES[says]))
        often = rng.random() < (0.7 if truth[clip] == 2 else 0.2)
        rows.append((f"c{clip:03}", "item", "vlm", "often" if often else "never"))
    return pl.DataFrame(rows, schema=["clip_id", "instrument", "kind", "outcome"], orient="row")


def coded(frame: pl.DataFrame) -> Evidence:
    return evidence_from_frame(frame, CLASSES, options=SCALE if "item" in frame["instrument"] else None)


def earlier(evidence: Evidence) -> Earlier:
    return Earlier(evidence, fit(evidence))


def grown(what: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The answers as they are now, and those that were there before."""
    frame = crowd()
    if what == "votes":
        return frame, frame.filter(pl.int_range(pl.len()) % 100 > 0)
    if what == "clips":
        return frame, frame.filter(pl.col("clip_id") < "c390")
    return frame, frame.filter(pl.col("instrument") != ("item" if what == "item" else "p05"))


@pytest.mark.parametrize("what", ["votes", "clips", "person", "item"])
def test_going_on_leads_to_where_a_refit_leads(what: str) -> None:
    now, before = grown(what)
    evidence = coded(now)
    found = fit(evidence, earlier=earlier(coded(before)))
    refit = fit(evidence)
    assert np.abs(found.probabilities - refit.probabilities).max() < NEAR
    assert found.probabilities.sum(axis=1) == pytest.approx(np.ones(evidence.n_items))


def test_new_answers_are_heard_at_once() -> None:
    frame = crowd()
    asked = pl.DataFrame(
        [("c000", f"q{n}", "human", label) for label in ("a", "b", "c") for n in range(9) if label == "b"],
        schema=frame.schema,
        orient="row",
    )
    before = earlier(coded(frame))
    now = fit(coded(pl.concat([frame, asked])), earlier=before)
    assert now.probabilities[0, 1] > before.posterior.probabilities[0, 1]
    assert now.probabilities[0].argmax() == 1


def test_going_on_with_nothing_new_changes_next_to_nothing() -> None:
    before = earlier(coded(crowd()))
    again = fit(before.evidence, earlier=before)
    assert np.abs(again.probabilities - before.posterior.probabilities).max() < NEAR


def test_known_ones_keep_their_confusions_and_new_ones_get_what_is_usual() -> None:
    frame = crowd()
    people = frame.filter(pl.col("instrument") != "item")
    before = earlier(coded(people.filter(pl.col("instrument") < "p10")))
    now = coded(frame)
    table = carried_confusions(now, layout(now), before)
    known, new_item, new_people = slice(2, 32), slice(0, 2), (slice(32, 35), slice(35, 38))
    assert table[known] == pytest.approx(before.posterior.confusions)  # ten people, three columns each
    assert table[new_item] == pytest.approx(np.full((2, 3), 0.5))  # two options
    mean = before.posterior.confusions.reshape(10, 3, 3).mean(axis=0)
    for new in new_people:
        assert table[new] == pytest.approx(mean)


def test_an_instrument_that_changed_its_options_is_new() -> None:
    frame = crowd(40)
    before = earlier(coded(frame))
    changed = frame.with_columns(pl.col("outcome").replace({"often": "always"}))
    now = evidence_from_frame(changed, CLASSES, options={"item": ["never", "always"]})
    assert carried_confusions(now, layout(now), before)[:2] == pytest.approx(np.full((2, 3), 0.5))


def test_if_all_are_new_nothing_is_carried() -> None:
    frame = crowd(40)
    before = earlier(coded(frame.filter(pl.col("instrument") == "p00")))
    now = coded(frame.filter(pl.col("instrument") == "p01"))
    assert carried_confusions(now, layout(now), before) == pytest.approx(np.full((3, 3), 1 / 3))


def test_real_votes_that_arrive_later(test_data: Path) -> None:
    votes = pl.read_csv(test_data / "evidence" / "dog.votes.csv", infer_schema=False)
    votes = votes.select("clip_id", "instrument", "outcome")
    late = pl.int_range(pl.len()) % 50 == 0
    evidence = evidence_from_frame(votes, list("0123"))
    before = earlier(evidence_from_frame(votes.filter(~late), list("0123")))
    found = fit(evidence, earlier=before).probabilities
    assert np.abs(found - fit(evidence).probabilities).max() < NEAR


def test_the_earlier_fit_is_left_as_it_was() -> None:
    before = earlier(coded(crowd(40)))
    kept = replace(before.posterior, confusions=before.posterior.confusions.copy())
    fit(coded(crowd(60)), earlier=before)
    assert (before.posterior.confusions == kept.confusions).all()


def test_other_classes_are_an_error() -> None:
    frame = pl.DataFrame({"clip_id": ["c"], "instrument": ["p"], "outcome": ["a"]})
    before = evidence_from_frame(frame, ["a", "b"])
    earlier = Earlier(before, fit(before))
    with pytest.raises(InputError, match="classes: it was fitted to a, b"):
        fit(evidence_from_frame(frame, ["b", "a"]), earlier=earlier)
