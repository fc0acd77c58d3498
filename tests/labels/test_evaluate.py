import math

import numpy as np
import pytest

from curate.labels.evaluate import (
    accuracy,
    auroc,
    calibration_error,
    log_loss,
    macro_f1,
    majority_accuracy,
    score,
)

NOBODY = np.array([-1, -1])


def test_accuracy_leaves_out_what_is_unknown() -> None:
    assert accuracy(np.array([0, 1, 1, -1]), np.array([0, 0, -1, 1])) == 0.5
    assert math.isnan(accuracy(NOBODY, NOBODY))


def test_ties_count_a_share() -> None:
    # Right alone, one of two, one of three, wrong: (1 + 1/2 + 1/3 + 0) / 4. Clips without votes are left out.
    votes = np.array([[2, 1, 0], [1, 1, 0], [1, 1, 1], [0, 3, 0], [0, 0, 0]], dtype=float)
    assert majority_accuracy(votes, np.zeros(5, dtype=np.int64)) == pytest.approx(11 / 24)
    assert math.isnan(majority_accuracy(np.zeros((2, 2)), np.array([0, 1])))


def test_log_loss_by_hand() -> None:
    probabilities = np.array([[0.5, 0.5], [0.75, 0.25], [0.0, 1.0]])
    found = log_loss(probabilities, np.array([0, 1, 0]))  # the impossible counts as 1e-6
    assert found == pytest.approx(-(math.log(0.5) + math.log(0.25) + math.log(1e-6)) / 3)
    assert math.isnan(log_loss(probabilities[:2], NOBODY))


def test_calibration_error_by_hand() -> None:
    # Two bins: confidence .9 and .7 in the upper (right 1 of 2), .5 in it as well (right); |2.1 - 2| / 3.
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.5, 0.5]])
    assert calibration_error(probabilities, np.array([0, 0, 0]), bins=2) == pytest.approx(0.1 / 3)
    assert math.isnan(calibration_error(probabilities[:2], NOBODY))


def test_auroc_by_hand() -> None:
    # Positives .8 and .4 against negatives .4 and .1: 1 + 1 + 1/2 + 1 of 4 pairs.
    scores = np.array([0.8, 0.4, 0.4, 0.1])
    assert auroc(scores, np.array([True, True, False, False])) == pytest.approx(3.5 / 4)
    assert math.isnan(auroc(scores, np.ones(4, dtype=bool)))


def test_macro_f1_by_hand() -> None:
    # Class 0: 2 * 1 / (1 + 2) = 2/3; class 1: 2 * 1 / (2 + 1) = 2/3; class 2 occurs nowhere.
    assert macro_f1(np.array([0, 1, 1]), np.array([0, 0, 1])) == pytest.approx(2 / 3)
    assert math.isnan(macro_f1(NOBODY, NOBODY))


def test_score_uses_only_clips_whose_truth_is_known() -> None:
    found = score(
        probabilities=np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]),
        refined=np.array([0, 1, 0]),
        given=np.array([0, 0, -1]),
        votes=np.array([[2.0, 1.0], [1.0, 1.0], [5.0, 0.0]]),
        gold=np.array([0, 1, -1]),
    )
    assert (found.n_clips, found.n_gold, found.n_refined) == (2, (1, 1), (1, 1))
    assert (found.accuracy_given, found.accuracy_refined, found.accuracy_majority) == (0.5, 1.0, 0.75)
    assert found.reliability_auroc == 1.0  # .9 for the right given label, .2 for the wrong one


def test_without_truth_nothing_can_be_told() -> None:
    found = score(np.full((2, 2), 0.5), np.zeros(2, dtype=np.int64), NOBODY, np.zeros((2, 2)), NOBODY)
    assert found.n_clips == 0
    assert all(math.isnan(v) for v in (found.accuracy_refined, found.log_loss, found.ece, found.macro_f1))
