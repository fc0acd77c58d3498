from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.labels.evaluate import calibration_error, log_loss, majority_accuracy
from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit
from curate.labels.posterior import Posterior

CLASSES = ("a", "b", "c")
OPTIONS = {"item:x": ["never", "often", "cannot be seen"], "net": list(CLASSES)}
VOTERS = ("ann", "bob", "eve")


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """Some votes, some answers to an item, some opinions of a classifier, on up to six clips."""
    clip = st.sampled_from([f"c{i}" for i in range(6)])
    weights = st.lists(st.integers(1, 9), min_size=3, max_size=3)
    votes = st.tuples(clip, st.sampled_from(VOTERS), st.just("human"), st.sampled_from(CLASSES), st.none())
    items = st.tuples(clip, st.just("item:x"), st.just("vlm"), st.none(), weights)
    nets = st.tuples(clip, st.just("net"), st.just("model"), st.none(), weights)
    rows = draw(st.lists(votes, min_size=1, max_size=12))
    rows += draw(st.lists(st.one_of(items, nets), max_size=8))
    shares = [(*row[:4], [w / sum(row[4]) for w in row[4]] if row[4] else None) for row in rows]
    schema = {"clip_id": str, "instrument": str, "kind": str, "outcome": str, "probs": pl.List(pl.Float64)}
    return pl.DataFrame(shares, schema=schema, orient="row")


def beliefs(frame: pl.DataFrame, classes: tuple[str, ...] = CLASSES) -> dict[str, list[float]]:
    evidence = evidence_from_frame(frame, classes, options=OPTIONS)
    order = [classes.index(name) for name in sorted(classes)]
    return dict(zip(evidence.clip_ids, fit(evidence).probabilities[:, order].tolist(), strict=True))


def assert_same(left: dict[str, list[float]], right: dict[str, list[float]]) -> None:
    assert left.keys() == right.keys()
    for clip in left:
        assert left[clip] == pytest.approx(right[clip], abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(frames(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(frame: pl.DataFrame, rnd) -> None:
    shuffled = frame[rnd.sample(range(frame.height), frame.height)]
    assert_same(beliefs(frame), beliefs(shuffled))


@settings(max_examples=40, deadline=None)
@given(frames(), st.permutations(CLASSES))
def test_order_and_names_of_classes_do_not_matter(frame: pl.DataFrame, order: list[str]) -> None:
    assert_same(beliefs(frame), beliefs(frame, tuple(order)))
    new = dict(zip(CLASSES, order, strict=True))
    renamed = frame.with_columns(pl.col("outcome").replace(new))
    evidence = evidence_from_frame(renamed, tuple(order), options=OPTIONS | {"net": order})
    found = fit(evidence).probabilities.tolist()
    assert_same(beliefs(frame), dict(zip(evidence.clip_ids, found, strict=True)))


@settings(max_examples=40, deadline=None)
@given(frames(), st.permutations(VOTERS))
def test_names_of_instruments_do_not_matter(frame: pl.DataFrame, names: list[str]) -> None:
    renamed = frame.with_columns(pl.col("instrument").replace(dict(zip(VOTERS, names, strict=True))))
    assert_same(beliefs(frame), beliefs(renamed))


@settings(max_examples=40, deadline=None)
@given(frames())
def test_clips_with_the_same_answers_get_the_same_posterior(frame: pl.DataFrame) -> None:
    twin = frame.filter(pl.col("clip_id") == frame["clip_id"][0]).with_columns(clip_id=pl.lit("twin"))
    found = beliefs(pl.concat([frame, twin]))
    assert found["twin"] == pytest.approx(found[frame["clip_id"][0]], abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(frames())
def test_probabilities_are_probabilities(frame: pl.DataFrame) -> None:
    for row in beliefs(frame).values():
        assert sum(row) == pytest.approx(1)
        assert all(0 < p < 1 for p in row)


def test_one_vote_is_not_certainty() -> None:
    frame = pl.DataFrame({"clip_id": ["1", "2"], "instrument": ["given"] * 2, "outcome": ["a", "b"]})
    found = fit(evidence_from_frame(frame, ["a", "b"])).probabilities
    assert 0.5 < found[0, 0] < 0.9


def test_a_clip_about_which_nothing_is_said_gets_the_prior() -> None:
    frame = pl.DataFrame({"clip_id": ["1", "2", "3"], "instrument": ["ann"] * 3, "outcome": ["a", "a", "b"]})
    posterior = fit(evidence_from_frame(frame, ["a", "b"], clip_ids=["silent"]))
    assert posterior.probabilities[3] == pytest.approx(posterior.prior)


def test_no_clips() -> None:
    frame = pl.DataFrame(schema={"clip_id": pl.String, "instrument": pl.String, "outcome": pl.String})
    assert fit(evidence_from_frame(frame, ["a", "b"])).probabilities.shape == (0, 2)


def accuracy(posterior: Posterior, truth: np.ndarray) -> float:
    return float((posterior.probabilities.argmax(axis=1) == truth).mean())


def coded(world, *frames: pl.DataFrame) -> Evidence:
    return evidence_from_frame(
        pl.concat(frames), ["low", "middle", "high"], ordinal=True, options=world.options
    )


def test_items_in_other_terms_than_the_classes_correct_given_labels(world) -> None:
    alone = fit(coded(world, world.given))
    together = fit(coded(world, world.given, world.items))
    assert accuracy(alone, world.truth) == pytest.approx(0.7, abs=0.05)
    assert accuracy(together, world.truth) > accuracy(alone, world.truth) + 0.05
    assert log_loss(together.probabilities, world.truth) < log_loss(alone.probabilities, world.truth) - 0.1


def test_items_that_tell_nothing_change_no_label(useless_world) -> None:
    world = useless_world
    alone = fit(coded(world, world.given)).probabilities.argmax(axis=1)
    together = fit(coded(world, world.given, world.items)).probabilities.argmax(axis=1)
    assert (alone == together).mean() > 0.99


def test_clips_without_a_given_label_learn_from_those_that_have_one(world) -> None:
    found = fit(coded(world, world.given.head(200), world.items))
    unlabelled = found.probabilities[200:].argmax(axis=1)
    assert (unlabelled == world.truth[200:]).mean() > 0.7


def test_items_alone_order_the_clips_by_direction(world) -> None:
    directions = {f"item:{number}": 1 for number in range(4)}
    evidence = evidence_from_frame(
        world.items, ["low", "middle", "high"], ordinal=True, options=world.options, directions=directions
    )
    assert accuracy(fit(evidence), world.truth) > 0.6  # of three classes; nothing was ever labelled


def test_no_single_item_is_believed_to_be_the_class(world) -> None:
    found = fit(coded(world, world.given, world.items)).confusions
    assert found.max() < 0.999


@pytest.mark.parametrize(
    ("name", "classes", "at_least"),
    [("bluebirds", "01", 0.85), ("snow_rte", "01", 0.92), ("dog", "0123", 0.83)],
)
def test_votes_of_real_people(test_data: Path, name: str, classes: str, at_least: float) -> None:
    votes = pl.read_csv(test_data / "evidence" / f"{name}.votes.csv", infer_schema=False)
    gold = dict(pl.read_csv(test_data / "evidence" / f"{name}.gold.csv", infer_schema=False).iter_rows())
    evidence = evidence_from_frame(votes.select("clip_id", "instrument", "outcome"), list(classes))
    truth = np.array([classes.index(gold[clip]) for clip in evidence.clip_ids])
    found = fit(evidence).probabilities
    assert majority_accuracy(found, truth) >= at_least
    assert majority_accuracy(found, truth) > majority_accuracy(evidence.class_votes(), truth)
    assert calibration_error(found, truth) < 0.15
