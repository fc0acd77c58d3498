import numpy as np
import pytest

from curate.labels.quality import dataset_quality, label_accuracy
from curate.labels.share import Design

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]])
GIVEN = np.array([0, 0, 1, -1])
REFINED = np.array([0, 1, 0, 0])
GOLD = np.array([0, 1, 1, 0])
HIGH = np.array([True, False, True, True])


def test_every_share_by_hand() -> None:
    """All four clips have gold: the estimates are the plain shares."""
    found = dataset_quality(PROBABILITIES, GIVEN, REFINED, HIGH, GOLD)
    assert found.given.value == pytest.approx(2 / 3)  # right, wrong, right; the last has none
    assert found.refined.value == pytest.approx(3 / 4)
    assert found.high.value == 1  # both high clips with a given label are right
    assert (found.high.n_gold, found.high.n_clips) == (2, 2)
    assert [share.value for share in found.classes] == [0.5, 0.5]
    assert found.refined.method == "complete"


def test_without_gold_nothing_is_known() -> None:
    found = dataset_quality(PROBABILITIES, GIVEN, REFINED, HIGH, np.full(4, -1))
    for estimate in (found.given, found.refined, found.high, *found.classes):
        assert (estimate.low, estimate.high, estimate.method) == (0.0, 1.0, "no gold")


def test_without_clips_nothing_is_known() -> None:
    none = np.zeros(0, dtype=np.int64)
    found = dataset_quality(np.zeros((0, 2)), none, none, none.astype(bool), none)
    assert found.given.method == "no gold"


def test_the_design_is_cut_to_the_clips_that_are_meant() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([3, 1], 2000)
    truth = (rng.random(2000) < probabilities[:, 1]).astype(np.int64)
    inclusion = np.where(probabilities[:, 0] < 0.6, 0.5, 0.1)
    gold = np.where(rng.random(2000) < inclusion, truth, -1)
    labels, among = probabilities.argmax(axis=1), rng.random(2000) < 0.5
    design = Design(inclusion, groups=np.arange(2000) // 2)
    found = label_accuracy(probabilities, labels, gold, among, design)
    cut = Design(inclusion[among], np.arange(2000)[among] // 2)
    rest = label_accuracy(probabilities[among], labels[among], gold[among], np.ones(among.sum(), bool), cut)
    assert found == rest
    assert found.low <= (labels == truth)[among].mean() <= found.high
