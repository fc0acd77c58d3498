import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from curate.labels.evidence import Floats
from curate.labels.ordinal import (
    BIASES,
    SCALES,
    expected_value,
    median_class,
    ordinal_even,
    ordinal_pool_mean,
    spread,
    tilted_item_mean,
)

ALL_PLACED = np.ones(4, dtype=bool)


def posteriors() -> st.SearchStrategy[Floats]:
    heights = arrays(np.float64, (3, 5), elements=st.floats(0.001, 1))
    return heights.map(lambda rows: rows / rows.sum(axis=1, keepdims=True))


def votes(n_instruments: int = 4, n_classes: int = 5) -> st.SearchStrategy[Floats]:
    shape = (n_instruments, n_classes, n_classes)
    return arrays(np.float64, shape, elements=st.floats(0, 50))


def rounded_votes(truth: np.ndarray, bias: float, scale: float, n_classes: int, seed: int) -> Floats:
    """Votes of one person who rounds truth + bias + noise to a class, by class and option."""
    seen = truth + bias + scale * np.random.default_rng(seed).standard_normal(len(truth))
    says = np.clip(np.round(seen), 0, n_classes - 1).astype(np.int64)
    counts = np.zeros((n_classes, n_classes))
    np.add.at(counts, (truth, says), 1)
    return counts


def test_middle_and_spread_by_hand() -> None:
    # Expected value .2 * 0 + .5 * 1 + .3 * 2 = 1.1; variance .2 * 1.21 + .5 * .01 + .3 * .81 = .49.
    probabilities = np.array([[0.2, 0.5, 0.3], [0.0, 0.0, 1.0], [0.5, 0.0, 0.5]])
    assert expected_value(probabilities) == pytest.approx([1.1, 2.0, 1.0])
    assert spread(probabilities) == pytest.approx([0.7, 0.0, 1.0])
    assert median_class(probabilities).tolist() == [1, 2, 0]  # the last: 0 and 2 are equally good


def test_no_clips_give_nothing() -> None:
    nothing = np.empty((0, 3))
    assert expected_value(nothing).shape == spread(nothing).shape == median_class(nothing).shape == (0,)


def test_no_instruments_give_nothing() -> None:
    assert ordinal_pool_mean(np.zeros((0, 4, 4))).shape == (0, 4, 4)


@given(posteriors())
def test_the_median_has_the_least_expected_error_and_the_mean_the_least_square(probabilities) -> None:
    steps = np.arange(5)
    errors = np.abs(steps[:, None] - steps) @ probabilities.T  # (answer, n_items)
    mine = errors[median_class(probabilities), np.arange(3)]
    assert mine == pytest.approx(errors.min(axis=0))
    variance = spread(probabilities) ** 2
    assert variance + (expected_value(probabilities) - 2) ** 2 == pytest.approx(
        probabilities @ (steps - 2) ** 2
    )


@pytest.mark.parametrize("expect", [ordinal_pool_mean, ordinal_even])
@given(counts=votes())
@settings(max_examples=30, deadline=None)
def test_rows_sum_to_one_and_nothing_is_impossible(expect, counts) -> None:
    mean = expect(counts)
    assert mean.shape == counts.shape
    assert mean.sum(axis=2) == pytest.approx(np.ones((4, 5)))
    assert (mean > 0).all()


@pytest.mark.parametrize("expect", [ordinal_pool_mean, ordinal_even])
@given(counts=votes())
@settings(max_examples=30, deadline=None)
def test_upside_down_classes_give_upside_down_confusions(expect, counts) -> None:
    assert expect(counts[:, ::-1, ::-1]) == pytest.approx(expect(counts)[:, ::-1, ::-1], abs=1e-6)


@given(counts=votes(), order=st.permutations(range(4)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_instruments_changes_nothing(counts, order) -> None:
    assert ordinal_pool_mean(counts[order]) == pytest.approx(ordinal_pool_mean(counts)[order], abs=1e-9)


def test_without_votes_all_are_alike_and_both_neighbours_too() -> None:
    mean = ordinal_pool_mean(np.zeros((2, 5, 5)))
    assert mean[0] == pytest.approx(mean[1])
    assert mean[0, 2, 1] == pytest.approx(mean[0, 2, 3])
    assert mean[0, 2, 2] > mean[0, 2, 1]


def test_noise_is_found() -> None:
    # Five classes, 40 votes each. Under the middle class, who has noise s names it with
    # 2 Phi(.5 / s) - 1: .683 for s = .5 and .383 for s = 1; the next one with Phi(1.5 / s) - Phi(.5 / s):
    # .9987 - .8413 = .157 and .9332 - .6915 = .242. Only about: the spacing is half read off frequencies.
    truth = np.repeat(np.arange(5), 40)
    precise = [rounded_votes(truth, 0.0, 0.5, 5, seed) for seed in range(20)]
    loose = [rounded_votes(truth, 0.0, 1.0, 5, seed) for seed in range(20, 40)]
    mean = ordinal_pool_mean(np.stack(precise + loose))
    assert mean[:20, 2, 2:4].mean(axis=0) == pytest.approx([0.683, 0.157], abs=0.1)
    assert mean[20:, 2, 2:4].mean(axis=0) == pytest.approx([0.383, 0.242], abs=0.1)


def test_bias_is_found() -> None:
    truth = np.repeat(np.arange(5), 40)
    high = [rounded_votes(truth, 0.6, 0.5, 5, seed) for seed in range(10)]
    low = [rounded_votes(truth, -0.6, 0.5, 5, seed) for seed in range(10, 20)]
    mean = ordinal_pool_mean(np.stack(high + low))
    # With noise .5, P(.5 < .6 + .5 z < 1.5) = Phi(1.8) - Phi(-.2) = .9641 - .4207 = .543.
    assert mean[:10, 2, 3].mean() == pytest.approx(0.543, abs=0.05)
    assert mean[10:, 2, 1].mean() == pytest.approx(0.543, abs=0.05)


def test_who_has_few_votes_is_taken_for_one_of_the_pool() -> None:
    truth = np.repeat(np.arange(5), 40)
    high = [rounded_votes(truth, 1.0, 0.5, 5, seed) for seed in range(20)]
    newcomer = np.zeros((5, 5))
    newcomer[2, 2] = 1.0  # a single vote, the right class
    mean = ordinal_pool_mean(np.stack([*high, newcomer]))
    assert mean[-1, 2, 3] > mean[-1, 2, 1] + 0.2


def test_even_confusions_have_no_bias() -> None:
    counts = np.zeros((1, 5, 5))
    counts[0, np.arange(4), np.arange(1, 5)] = 20.0  # always one class too high
    counts[0, 4, 0] = 20.0  # so that all are as often believed as voted
    even, free = ordinal_even(counts)[0], ordinal_pool_mean(counts)[0]
    assert even[2, 3] == pytest.approx(even[2, 1])
    assert free[2, 3] > 2 * free[2, 1]


def test_the_grid_holds_the_unbiased_and_is_symmetric() -> None:
    assert (-BIASES[::-1] == BIASES).all()
    assert (np.diff(SCALES) > 0).all()
    assert 0.0 in BIASES


def test_a_direction_alone_tilts_by_its_prior_mean() -> None:
    # No votes: .6 for tilts 1, 2, 4, 8 (mean 3.75), .1 for -3.75: 1.875. Four options, each 1/4; in the
    # highest of three classes (place 1/2) option places are -1/2, -1/6, 1/6, 1/2.
    weights = np.exp(1.875 * 0.5 * np.array([-1 / 2, -1 / 6, 1 / 6, 1 / 2]))
    mean = tilted_item_mean(np.zeros((3, 4)), 1, ALL_PLACED)
    assert mean[2] == pytest.approx(weights / weights.sum())
    assert mean[1] == pytest.approx([0.25] * 4)
    assert mean[0] == pytest.approx(mean[2][::-1])


def test_without_votes_and_direction_all_rows_are_equal() -> None:
    assert tilted_item_mean(np.zeros((3, 4)), 0, ALL_PLACED) == pytest.approx(np.full((3, 4), 0.25))


def test_votes_correct_a_wrong_direction() -> None:
    falling = np.array([[0.0, 1, 3, 6], [1, 4, 4, 1], [6, 3, 1, 0]])
    wrong, right = (tilted_item_mean(falling, direction, ALL_PLACED) for direction in (1, -1))
    assert wrong[0, 3] > wrong[2, 3]
    assert wrong == pytest.approx(right, abs=0.02)


def test_options_without_a_place_keep_their_share() -> None:
    counts = np.array([[4.0, 1, 1, 2], [1, 1, 4, 2]])
    placed = np.array([True, True, True, False])
    mean = tilted_item_mean(counts, 1, placed)
    assert mean[:, 3] == pytest.approx([(4 + 1 / 4) / 17] * 2)
    assert mean[0, 0] > mean[1, 0]


def test_one_placed_option_cannot_be_tilted() -> None:
    mean = tilted_item_mean(np.array([[3.0, 1.0], [0.0, 4.0]]), 1, np.array([True, False]))
    assert mean[0] == pytest.approx(mean[1])


@given(
    counts=arrays(np.float64, (3, 4), elements=st.floats(0, 30)),
    direction=st.sampled_from([-1, 0, 1]),
)
@settings(max_examples=50, deadline=None)
def test_tilted_rows_sum_to_one_and_turn_with_the_options(counts, direction) -> None:
    mean = tilted_item_mean(counts, direction, ALL_PLACED)
    assert mean.sum(axis=1) == pytest.approx([1, 1, 1])
    assert (mean > 0).all()
    turned = tilted_item_mean(counts[:, ::-1], -direction, ALL_PLACED)
    assert turned == pytest.approx(mean[:, ::-1])
