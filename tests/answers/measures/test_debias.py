import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from curate.answers.measures.debias import (
    LEANING,
    average_orders,
    by_option,
    by_position,
    cyclic_orders,
    position_prior,
    prior_error,
    remove_content_free,
    remove_position,
)

SEEDS = st.integers(0, 10_000)
SIZES = st.integers(2, 9)


def biased(seed: int, n_options: int, n_clips: int = 6, bias: float = 2.0) -> tuple[np.ndarray, ...]:
    """What is believed, what a position adds to the log-odds, and what is told in every cyclic order."""
    rng = np.random.default_rng(seed)
    beliefs = rng.normal(0, 2, (n_clips, n_options))
    added = rng.normal(0, bias, n_options)
    told = softmax(beliefs[:, cyclic_orders(n_options)] + added, axis=-1)
    return softmax(beliefs, axis=-1), added, told


def test_orders_of_three() -> None:
    assert cyclic_orders(3) == [(0, 1, 2), (1, 2, 0), (2, 0, 1)]


@given(SIZES)
def test_every_option_is_once_at_every_position(n_options: int) -> None:
    orders = np.array(cyclic_orders(n_options))
    assert (np.sort(orders, axis=0) == np.arange(n_options)[:, None]).all()
    assert (np.sort(orders, axis=1) == np.arange(n_options)).all()


@given(SEEDS, SIZES)
def test_by_option_undoes_by_position(seed: int, n_options: int) -> None:
    orders = cyclic_orders(n_options)
    probs = np.random.default_rng(seed).random((3, n_options, n_options))
    listed = by_position(probs, orders)
    assert listed[1, 1, 0] == probs[1, 1, orders[1][0]]
    assert (by_option(listed, orders) == probs).all()


@given(SEEDS, SIZES)
def test_a_bias_of_positions_is_found_and_removed(seed: int, n_options: int) -> None:
    """Log-odds told = believed + the position's: the prior is softmax of the bias, whatever is believed."""
    beliefs, added, told = biased(seed, n_options)
    prior = position_prior(told)
    assert prior == pytest.approx(softmax(added))
    assert remove_position(told[:, 0], prior) == pytest.approx(beliefs)
    assert average_orders(told) == pytest.approx(beliefs)


@given(SEEDS, SIZES)
def test_without_a_bias_nothing_changes(seed: int, n_options: int) -> None:
    beliefs, _, told = biased(seed, n_options, bias=0.0)
    assert remove_position(beliefs, position_prior(told)) == pytest.approx(beliefs)


def test_answers_without_probabilities_that_follow_the_option_show_no_bias() -> None:
    told = np.eye(3)[[[0, 2, 1]]]  # the first option, wherever it stands
    assert position_prior(told) == pytest.approx([1 / 3] * 3)
    assert average_orders(told)[0] == pytest.approx([1, 0, 0], abs=1e-9)


def test_answers_that_follow_the_position_leave_nothing() -> None:
    told = np.eye(3)[[[0, 0, 0]]]  # "A", whatever stands there
    assert position_prior(told) == pytest.approx([1, 0, 0], abs=1e-9)
    assert average_orders(told)[0] == pytest.approx([1 / 3] * 3)


def test_clips_that_were_not_asked_in_all_orders_are_left_out() -> None:
    _, _, told = biased(1, 4, n_clips=3)
    whole = position_prior(told[:2])
    told[2, 1] = np.nan
    assert position_prior(told) == pytest.approx(whole)
    assert np.isnan(average_orders(told)).all(axis=1).tolist() == [False, False, True]


def test_nothing_asked_in_all_orders_removes_nothing() -> None:
    none = np.empty((0, 3, 3))
    assert position_prior(none) == pytest.approx([1 / 3] * 3)
    assert np.isnan(prior_error(none)).all()
    assert np.isnan(prior_error(biased(0, 3, n_clips=1)[2])).all()
    probs = np.array([[0.2, 0.3, 0.5]])
    assert remove_position(probs, position_prior(none)) == pytest.approx(probs)


def test_the_standard_error_is_that_of_a_mean() -> None:
    """Over many estimates from 25 clips each, whose biases differ, the spread is the error told."""
    rng = np.random.default_rng(5)
    added = rng.normal(0, 1, (400, 25, 3))
    beliefs = rng.normal(0, 2, (400, 25, 3))
    told = softmax(beliefs[:, :, cyclic_orders(3)] + added[:, :, None], axis=-1)
    priors = np.array([position_prior(clips) for clips in told])
    errors = np.array([prior_error(clips) for clips in told])
    assert priors.std(axis=0) == pytest.approx(errors.mean(axis=0), rel=0.1)


@given(SEEDS, SIZES, st.booleans())
def test_probabilities_of_zero_are_safe(seed: int, n_options: int, hard: bool) -> None:
    rng = np.random.default_rng(seed)
    told = np.eye(n_options)[rng.integers(0, n_options, (4, n_options))]
    if not hard:
        told = (told + np.eye(n_options)[rng.integers(0, n_options, (4, n_options))]) / 2
    for found in (position_prior(told), remove_position(told, position_prior(told)), average_orders(told)):
        assert np.isfinite(found).all()
        assert found.sum(axis=-1) == pytest.approx(1)


def test_what_is_missing_stays_missing() -> None:
    probs = np.array([[np.nan, np.nan, np.nan], [0.2, 0.3, 0.5]])
    assert np.isnan(remove_position(probs, np.full(3, 1 / 3))).all(axis=1).tolist() == [True, False]
    assert np.isnan(remove_content_free(probs, probs)).all(axis=1).tolist() == [True, False]


def test_content_free_by_hand() -> None:
    # Without a picture .8 and .1 of the two options that are seen, so (.8 + .05) / 1 and (.1 + .05) / 1.
    told, without = np.array([[0.6, 0.2, 0.2]]), np.array([[0.9, 0.0, 0.1], [0.7, 0.2, 0.1]])
    assert LEANING == 0.1
    one, other = 0.6 / 0.85, 0.2 / 0.15
    wanted = [0.8 * one / (one + other), 0.8 * other / (one + other), 0.2]
    assert remove_content_free(told, without)[0] == pytest.approx(wanted)


@given(SEEDS, st.integers(3, 9))
def test_content_free_keeps_what_cannot_be_seen(seed: int, n_options: int) -> None:
    rng = np.random.default_rng(seed)
    told, without = rng.dirichlet(np.full(n_options, 0.3), 5), rng.dirichlet(np.full(n_options, 0.3), 4)
    found = remove_content_free(told, without)
    assert (found[:, -1] == told[:, -1]).all()
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found >= 0).all()


def test_an_honest_answer_without_a_picture_changes_little() -> None:
    """Where "cannot be seen" holds nearly all of it, how the rest leans hardly counts."""
    told = np.array([[0.5, 0.4, 0.1]])
    honest = remove_content_free(told, np.array([[0.009, 0.001, 0.99]]))
    guessed = remove_content_free(told, np.array([[0.9, 0.1, 0.0]]))
    assert np.abs(honest - told).max() < 0.05
    assert guessed[0].argmax() == 1


@pytest.mark.parametrize("without", [np.empty((0, 3)), np.full((2, 3), np.nan), np.array([[0.0, 0.0, 1.0]])])
def test_no_leaning_removes_nothing(without: np.ndarray) -> None:
    told = np.array([[0.5, 0.3, 0.2], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    assert remove_content_free(told, without) == pytest.approx(told, abs=1e-9)
