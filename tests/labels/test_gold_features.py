"""The parts of a posterior as features that gold may weigh anew, by hand."""

import numpy as np
import polars as pl
import pytest

from curate.labels import gold_features as module
from curate.labels.evidence import Evidence
from curate.labels.gold_features import OWN_VOTES, Design, Weights, centred_log, design, reweighed, scores
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit
from curate.labels.posterior import Posterior

CLASSES = ("a", "b")
GOLD = np.array([0, 0, 1, 1])
"""Of the first four clips of `six`."""


@pytest.fixture(scope="module")
def six() -> Evidence:
    """Six clips: ann and bob of one group, a machine of another, an item; ann is always right."""
    votes = {"ann": "aabbab", "bob": "aabbba", "net": "abab.."}
    rows = [
        (f"c{place}", name, "model" if name == "net" else "human", outcome)
        for name, outcomes in votes.items()
        for place, outcome in enumerate(outcomes)
        if outcome != "."
    ]
    rows += [(f"c{place}", "item", "vlm", answer) for place, answer in enumerate(("x", "x", "y", "y", "x"))]
    frame = pl.DataFrame(rows, schema=["clip_id", "instrument", "kind", "outcome"], orient="row")
    return evidence_from_frame(frame, CLASSES, options={"item": ["x", "y"]})


@pytest.fixture(scope="module")
def posterior(six: Evidence) -> Posterior:
    return fit(six)


@pytest.fixture(scope="module")
def made(six: Evidence, posterior: Posterior) -> Design:
    clips = np.arange(4)
    return design(six, posterior, clips, GOLD, clips)


def usual(evidence: Evidence, **changed: object) -> Weights:
    """The weights without gold, but for some."""
    voices = len(evidence.instruments)
    found = {"posterior": 1.0, "share": 0.0, "items": 0.0, "confusions": 0.0, "bias": np.zeros(2)}
    return Weights(**(found | {"group_votes": np.zeros(voices), "votes": np.zeros(voices)} | changed))  # type: ignore[arg-type]


def test_centred_log() -> None:
    # log .8 and log .2 less their mean: half of log 4 each way. 0 counts as 1e-4.
    found = centred_log(np.array([[0.8, 0.2], [1.0, 0.0]]))
    assert found == pytest.approx(np.array([[0.5, -0.5]]).repeat(2, axis=0) * np.log([[4.0], [1e4]]))


def test_the_features_and_their_order(six: Evidence, posterior: Posterior, made: Design) -> None:
    first = ("posterior", "share", "items", "confusions", "bias", "bias")
    assert made.kinds == (*first, "group", "group", "instrument", "instrument", "instrument")
    assert made.groups == ("human", "model")
    assert [six.instruments[index].name for index in made.heard] == ["ann", "bob", "net"]
    assert made.features.shape == (4, 2, 11)
    assert made.features[:, :, 0] == pytest.approx(centred_log(posterior.probabilities[:4]))
    assert made.features[:, :, 1] == pytest.approx(centred_log(posterior.share[:4]))
    assert made.features[:, :, 4:6] == pytest.approx(np.eye(2)[None].repeat(4, axis=0))


def test_votes_of_groups_are_shares_of_all_votes_and_those_of_instruments_are_votes(made: Design) -> None:
    # Second clip: ann and bob say a, net says b: people have 2 of 3 votes on a, the machine 1 of 3 on b.
    assert made.features[1, :, 6:8] == pytest.approx(np.array([[2 / 3, 0], [0, 1 / 3]]))
    assert made.features[1, :, 8:] == pytest.approx(np.array([[1, 1, 0], [0, 0, 1]]))


def test_what_items_said(six: Evidence, posterior: Posterior, made: Design) -> None:
    # The answer x of the first clip, to its power, less the mean over both classes.
    item = [instrument.name for instrument in six.instruments].index("item")
    [row] = np.flatnonzero((six.instrument == item) & (six.item == 0))
    said = posterior.scales.rows[row] * posterior.says[six.column[row]]
    assert made.features[0, :, 2] == pytest.approx(said - said.mean())


def test_what_all_gold_changes_about_confusions(six: Evidence, posterior: Posterior, made: Design) -> None:
    # ann named a on both clips of a. Her rate r of a under a becomes (2 + 6 r) / (2 + 6).
    ann = int(six.offsets[[i.name for i in six.instruments].index("ann")])
    before = posterior.confusions[ann, 0]
    after = (2 + OWN_VOTES * before) / (2 + OWN_VOTES)
    place = made.change.columns.tolist().index(ann)
    assert made.change.logs[place, 0] == pytest.approx(np.log(after / before))


def test_a_clip_is_described_by_the_gold_of_other_blocks(six: Evidence, posterior: Posterior) -> None:
    # In blocks of the two clips of a and the two of b, no gold of class a is left to describe the first:
    # rates under a stay as they were. Under b, all three voters named b (net once of two).
    found = design(six, posterior, np.arange(4), GOLD, np.array([0, 0, 1, 1]))
    names = [instrument.name for instrument in six.instruments]
    expected = np.zeros(2)
    for name, votes_for_a in (("ann", 0), ("bob", 0), ("net", 1), ("item", 0)):
        column = int(six.offsets[names.index(name)])
        [row] = np.flatnonzero((six.column == column) & (six.item == 0))
        before = posterior.confusions[column, 1]
        change = np.log((votes_for_a + OWN_VOTES * before) / (2 + OWN_VOTES) / before)
        expected[1] += posterior.scales.rows[row] * change
    assert found.features[0, :, 3] == pytest.approx(expected - expected.mean())


def test_an_instrument_heard_on_two_gold_clips_gets_no_weight_of_its_own(
    six: Evidence, posterior: Posterior
) -> None:
    clips = np.array([2, 3, 4])  # net spoke about c2 and c3 only
    found = design(six, posterior, clips, np.array([1, 1, 0]), clips)
    assert [six.instruments[index].name for index in found.heard] == ["ann", "bob"]


def test_where_it_would_be_too_much_work_those_heard_most_get_a_weight(
    six: Evidence, posterior: Posterior, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Room for 10 features: sqrt(800 / (4 clips * 2 classes)); 4 + 2 + 2 are taken, 2 are left.
    monkeypatch.setattr(module, "WORK", 800)
    found = design(six, posterior, np.arange(4), GOLD, np.arange(4))
    assert [six.instruments[index].name for index in found.heard] == ["ann", "bob"]


def test_one_group_is_no_feature(six: Evidence) -> None:
    frame = pl.DataFrame({"clip_id": ["1", "2"], "instrument": ["ann"] * 2, "outcome": ["a", "b"]})
    evidence = evidence_from_frame(frame, CLASSES)
    found = design(evidence, fit(evidence), np.arange(2), np.arange(2), np.arange(2))
    assert found.groups == ()
    assert found.kinds == ("posterior", "share", "items", "confusions", "bias", "bias")


def test_weights_by_name(six: Evidence, made: Design) -> None:
    found = made.weights(np.arange(11.0), six)
    assert (found.posterior, found.share, found.items, found.confusions) == (0, 1, 2, 3)
    assert found.bias.tolist() == [4, 5]
    assert [i.name for i in six.instruments] == ["ann", "bob", "item", "net"]
    assert found.votes.tolist() == [8, 9, 0, 10]
    assert found.group_votes.tolist() == [6, 6, 0, 7]  # an item belongs to no group of voters


def test_the_usual_weights_give_the_posterior_back(six: Evidence, posterior: Posterior, made: Design) -> None:
    found = np.exp(scores(six, posterior, made.change, usual(six)))
    assert found == pytest.approx(posterior.probabilities)


def test_a_bias_multiplies_the_odds(six: Evidence, posterior: Posterior, made: Design) -> None:
    weights = usual(six, bias=np.array([np.log(2), 0.0]))
    found = np.exp(scores(six, posterior, made.change, weights))
    before = posterior.probabilities
    assert found[:, 0] / found[:, 1] == pytest.approx(2 * before[:, 0] / before[:, 1])


def test_a_weight_of_votes_is_added_to_the_class_named(
    six: Evidence, posterior: Posterior, made: Design
) -> None:
    weights = usual(six, votes=np.array([1.0, 0, 0, 0]), group_votes=np.array([3.0, 3.0, 0, 0]))
    found = scores(six, posterior, made.change, weights)[1]
    before = np.log(posterior.probabilities[1])
    # Second clip: ann alone adds 1 to a, both people together 3 * 2/3 = 2.
    assert (found[0] - found[1]) - (before[0] - before[1]) == pytest.approx(3.0)


def test_changed_confusions_count_as_much_as_they_are_weighed(
    six: Evidence, posterior: Posterior, made: Design
) -> None:
    half = scores(six, posterior, made.change, usual(six, confusions=0.5))
    full = scores(six, posterior, made.change, usual(six, confusions=1.0))
    odds = np.log(posterior.probabilities) @ np.array([1, -1])
    assert 2 * (half @ np.array([1, -1]) - odds) == pytest.approx(full @ np.array([1, -1]) - odds)


def test_the_parts_are_weighed_as_the_scores_are(six: Evidence, posterior: Posterior, made: Design) -> None:
    weights = usual(
        six,
        posterior=0.5,
        items=0.25,
        confusions=1.0,
        votes=np.array([1.0, 0, 0, 0]),
        bias=np.array([0.1, 0]),
    )
    likely = np.full((6, 2), 0.5)
    known = np.array([0, 0, 1, 1, -1, -1])
    found = reweighed(six, posterior, made.change, weights, likely, known)
    assert found.probabilities is likely
    assert found.scales.prior == pytest.approx(0.5 * posterior.scales.prior)
    changed = np.zeros_like(posterior.says)
    changed[made.change.columns] = made.change.logs
    factor = np.full((len(posterior.says), 1), 0.5)
    factor[4:6] = 0.75  # the item's columns, after ann's and bob's
    assert found.says == pytest.approx(factor * posterior.says + changed)
    assert found.lesson is not None
    assert found.lesson.leans.tolist() == [float(six.instruments[i].name == "ann") for i in six.instrument]
    assert found.lesson.known is known
