import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from curate.labels.classifier_trust import (
    ENOUGH,
    FLOOR_FAILURES,
    FLOOR_SUCCESSES,
    MOST,
    SURE,
    TYPICAL_BETA,
    ClassifierTrust,
    calibrate_probabilities,
)

N_CLASSES = 4
EVEN = np.full(N_CLASSES, 1 / N_CLASSES)


def world(
    n_clips: int, sharpness: float, accuracy: float, n_votes: int, seed: int, useless: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-probabilities of a classifier whose logits are `sharpness` too large, votes' likelihoods, truth.

    Every vote is right with probability `accuracy`, and wrong evenly; the
    likelihoods know that.
    """
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n_clips, N_CLASSES))
    believed = softmax(logits, axis=1)
    truth = (rng.random((n_clips, 1)) > believed.cumsum(axis=1)).sum(axis=1)
    votes = np.zeros((n_clips, N_CLASSES))
    for _ in range(n_votes):
        wrong = (truth + rng.integers(1, N_CLASSES, n_clips)) % N_CLASSES
        votes[np.arange(n_clips), np.where(rng.random(n_clips) < accuracy, truth, wrong)] += 1
    likelihood = votes * np.log(accuracy * (N_CLASSES - 1) / (1 - accuracy))
    if useless:
        logits = logits[rng.permutation(n_clips)]
    return log_softmax(sharpness * logits, axis=1), likelihood, truth


def test_evidence_of_a_trusted_classifier_is_its_log_odds_against_the_prior() -> None:
    prior = np.array([0.5, 0.25, 0.25])
    trust = ClassifierTrust(beta=1.0, bias=np.zeros(3), floor=0.0, prior=prior, power=1.0)
    q = np.array([[0.8, 0.1, 0.1]])
    assert trust.log_evidence(np.log(q)) == pytest.approx(np.log([[0.8 / 0.5, 0.1 / 0.25, 0.1 / 0.25]]))


def test_the_floor_bounds_what_it_can_say() -> None:
    trust = ClassifierTrust(beta=1.0, bias=np.zeros(2), floor=0.1, prior=np.array([0.5, 0.5]), power=1.0)
    certain = trust.log_evidence(np.log(np.array([[1.0, 1e-30]])))
    # (0.9 * 1 + 0.1 * 0.5) / 0.5 = 1.9 and (0.9 * 0 + 0.1 * 0.5) / 0.5 = 0.1
    assert certain == pytest.approx(np.log([[1.9, 0.1]]))


@pytest.mark.parametrize("sharpness", [1 / 3, 1.0, 3.0])
def test_too_sure_or_not_sure_enough_is_put_right(sharpness: float) -> None:
    log_q, votes, _ = world(4000, sharpness, accuracy=0.7, n_votes=3, seed=0)
    found = calibrate_probabilities(log_q, votes, EVEN)
    reshaped = softmax(found.log_evidence(log_q), axis=1)
    assert reshaped == pytest.approx(softmax(log_q / sharpness, axis=1), abs=0.07)
    assert found.beta * sharpness == pytest.approx(1.0, abs=0.15)
    assert found.floor < 0.03
    assert found.bias == pytest.approx(np.zeros(N_CLASSES), abs=0.1)


def test_the_result_does_not_depend_on_how_sure_it_was() -> None:
    log_q, votes, _ = world(4000, 1.0, accuracy=0.7, n_votes=3, seed=1)
    modest, sure = (calibrate_probabilities(power * log_q, votes, EVEN) for power in (1.0, 3.0))
    assert sure.log_evidence(3 * log_q) == pytest.approx(modest.log_evidence(log_q), abs=0.02)


def test_a_class_that_it_favours_is_held_back() -> None:
    log_q, votes, _ = world(4000, 1.0, accuracy=0.8, n_votes=3, seed=2)
    tilted = log_softmax(log_q + np.array([2.0, 0, 0, 0]), axis=1)
    found = calibrate_probabilities(tilted, votes, EVEN)
    # Mean 0 over the classes, so 2 too much on one is -1.5 there and 0.5 elsewhere.
    assert found.bias == pytest.approx([-1.5, 0.5, 0.5, 0.5], abs=0.2)


def test_a_useless_classifier_says_next_to_nothing() -> None:
    log_q, votes, _ = world(4000, 3.0, accuracy=0.7, n_votes=3, seed=3, useless=True)
    found = calibrate_probabilities(log_q, votes, EVEN)
    assert np.abs(found.log_evidence(log_q)).max() < 0.35


@pytest.mark.parametrize("n_clips", [20, 100, 500])
@pytest.mark.parametrize("sharpness", [1.0, 3.0])
@pytest.mark.parametrize("useless", [False, True])
def test_listening_is_never_much_worse_than_not(n_clips: int, sharpness: float, useless: bool) -> None:
    losses = []
    for seed in range(5):
        log_q, votes, truth = world(n_clips, sharpness, 0.7, 2, seed, useless)
        said = calibrate_probabilities(log_q, votes, EVEN).log_evidence(log_q)
        alone, together = (log_softmax(votes + more, axis=1) for more in (0.0, said))
        losses.append((alone - together)[np.arange(n_clips), truth].mean())
    assert np.mean(losses) < 0.06 * (20 / n_clips) ** 0.5


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(N_CLASSES)), st.integers(0, 1000))
def test_names_of_classes_do_not_matter(order: list[int], seed: int) -> None:
    log_q, votes, _ = world(60, 2.0, accuracy=0.7, n_votes=2, seed=seed)
    prior = np.array([0.4, 0.3, 0.2, 0.1])
    here = calibrate_probabilities(log_q, votes, prior).log_evidence(log_q)
    there = calibrate_probabilities(log_q[:, order], votes[:, order], prior[order])
    assert there.log_evidence(log_q[:, order]) == pytest.approx(here[:, order], abs=2e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_order_and_silent_clips_do_not_matter(seed: int) -> None:
    log_q, votes, _ = world(60, 2.0, accuracy=0.7, n_votes=2, seed=seed)
    shuffled = np.random.default_rng(seed).permutation(60)
    unjudged, unvoted = np.full((5, N_CLASSES), np.nan), np.zeros((5, N_CLASSES))
    more_q = np.vstack([log_q[shuffled], unjudged, log_q[:5]])
    more_votes = np.vstack([votes[shuffled], votes[:5], unvoted])
    here = calibrate_probabilities(log_q, votes, EVEN)
    there = calibrate_probabilities(more_q, more_votes, EVEN)
    assert there.log_evidence(log_q) == pytest.approx(here.log_evidence(log_q), abs=2e-3)


def test_without_clips_it_is_what_is_expected() -> None:
    nothing = np.empty((0, N_CLASSES))
    found = calibrate_probabilities(nothing, nothing, EVEN)
    assert found.beta == pytest.approx(TYPICAL_BETA, rel=1e-3)
    assert found.floor == pytest.approx(FLOOR_SUCCESSES / (FLOOR_SUCCESSES + FLOOR_FAILURES), rel=1e-2)
    assert found.bias == pytest.approx(np.zeros(N_CLASSES), abs=1e-4)
    assert found.log_evidence(nothing).shape == (0, N_CLASSES)


def test_certain_zeros_stay_finite_and_a_clip_it_did_not_judge_gets_nothing() -> None:
    log_q, votes, _ = world(100, 1.0, accuracy=0.7, n_votes=2, seed=4)
    log_q[0] = [0.0, -np.inf, -np.inf, -np.inf]
    log_q[1, 2] = np.nan
    said = calibrate_probabilities(log_q, votes, EVEN).log_evidence(log_q)
    assert np.isfinite(said).all()
    assert said[1].tolist() == [0.0] * N_CLASSES


def lone_votes(agree: int, differ: int) -> tuple[np.ndarray, np.ndarray]:
    """A classifier sure of class 0, and one vote a clip, believed to be right for 0.55 of the clips."""
    log_q = np.log(np.tile([0.97, 0.01, 0.01, 0.01], (agree + differ, 1)))
    said = np.array([0] * agree + [1] * differ)
    return log_q, np.eye(N_CLASSES)[said] * np.log(0.55 / 0.15)


def test_a_lone_vote_is_taken_to_be_right_with_at_least_what_is_sure() -> None:
    log_q, votes = lone_votes(60, 40)
    found = calibrate_probabilities(log_q, votes, EVEN, np.ones(100))
    # odds of .55 against .15 raised to log(.85 / (.15 / 3)) / log(.55 / .15) are those of SURE.
    assert 1 / found.power == pytest.approx(np.log(SURE / ((1 - SURE) / 3)) / np.log(0.55 / 0.15), rel=1e-4)


@pytest.mark.parametrize(("agree", "overrules"), [(60, False), (97, True)])
def test_a_lone_vote_is_overruled_only_by_one_that_mostly_agrees(agree: int, overrules: bool) -> None:
    log_q, votes = lone_votes(agree, 100 - agree)
    found = calibrate_probabilities(log_q, votes, EVEN, np.ones(100))
    belief = (votes + found.log_evidence(log_q))[-1]  # the vote is for class 1
    assert (belief.argmax() == 0) == overrules


def test_clips_with_two_votes_decide_once_they_are_enough() -> None:
    log_q, votes, _ = world(ENOUGH, 1.0, accuracy=0.7, n_votes=2, seed=5)
    lone_q, lone = lone_votes(0, 200)
    n_votes = np.array([2.0] * ENOUGH + [1.0] * 200)
    alone = calibrate_probabilities(log_q, votes, EVEN)
    found = calibrate_probabilities(np.vstack([log_q, lone_q]), np.vstack([votes, lone]), EVEN, n_votes)
    assert found.beta == pytest.approx(alone.beta, rel=1e-6)
    assert found.power == 1


def test_of_very_many_clips_some_are_enough() -> None:
    log_q, votes, _ = world(MOST + 1, 2.0, accuracy=0.8, n_votes=2, seed=6)
    every, some = (calibrate_probabilities(log_q[:n], votes[:n], EVEN) for n in (MOST, MOST + 1))
    assert some.beta == pytest.approx(every.beta, rel=1e-2)
