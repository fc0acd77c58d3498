import numpy as np
import pytest

from curate.labels.logit import fit_weights, log_probabilities

ZERO = np.zeros(1)


def test_two_classes_and_one_feature() -> None:
    # The feature is 1 for class 0 on each of ten clips, eight of which are class 0. Without a pull the
    # weight is the log-odds, log(8 / 2); a pull too weak to notice leaves it there.
    features = np.zeros((10, 2, 1))
    features[:, 0] = 1
    labels = np.array([0] * 8 + [1] * 2)
    assert fit_weights(features, labels, ZERO, np.array([1e-9])) == pytest.approx([np.log(4)], abs=1e-6)


def test_the_pull_keeps_weights_near_usual() -> None:
    # One clip, class 0, pull 1: the mode solves w = 1 - sigma(w), so w = 0.40106.
    features = np.array([[[1.0], [0.0]]])
    assert fit_weights(features, np.array([0]), ZERO, np.array([1.0])) == pytest.approx([0.40106], abs=1e-4)


def test_an_infinite_pull_and_no_clips_change_nothing() -> None:
    features = np.random.default_rng(0).normal(size=(5, 3, 2))
    usual = np.array([1.0, 0.0])
    labels = np.array([0, 1, 2, 0, 1])
    held = fit_weights(features, labels, usual, np.array([np.inf, 1.0]))
    assert held[0] == 1.0
    assert held[1] != 0.0
    assert (fit_weights(features[:0], labels[:0], usual, np.ones(2)) == usual).all()


def test_probabilities_sum_to_one() -> None:
    features = np.random.default_rng(1).normal(size=(4, 3, 2)) * 50
    assert np.exp(log_probabilities(features, np.array([3.0, -2.0]))).sum(axis=1) == pytest.approx(np.ones(4))


def test_far_apart_features_still_converge() -> None:
    # Perfectly told apart by a feature of size 1000: the pull keeps the weight finite.
    features = np.zeros((4, 2, 1))
    features[[0, 1], 0], features[[2, 3], 1] = 1000, 1000
    weight = fit_weights(features, np.array([0, 0, 1, 1]), ZERO, np.array([1.0]))
    assert 0 < weight[0] < 1
