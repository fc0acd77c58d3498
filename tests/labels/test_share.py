import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from curate.errors import InputError
from curate.labels.share import FEW_EITHER, FEW_GOLD, FEW_GROUPS, MOST_GAIN, Design, estimate_share

LEVEL = st.floats(0.5, 0.99)


def draw(
    n_clips: int, n_gold: int, seed: int, skill: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions, what is true of every clip, and the same seen only where there is gold."""
    rng = np.random.default_rng(seed)
    predicted = rng.beta(4, 1, n_clips)
    chance = skill * predicted + (1 - skill) * predicted.mean()
    truth = (rng.random(n_clips) < chance).astype(np.float64)
    observed = np.full(n_clips, np.nan)
    drawn = rng.choice(n_clips, n_gold, replace=False)
    observed[drawn] = truth[drawn]
    return predicted, truth, observed


def test_few_gold_gives_the_exact_interval_of_gold_alone() -> None:
    observed = np.full(1000, np.nan)
    observed[:20] = [1] * 17 + [0] * 3
    found = estimate_share(np.full(1000, 0.6), observed)
    exact = binomtest(17, 20).proportion_ci(0.95, method="exact")
    assert found.method == "exact"
    assert found.value == pytest.approx(17 / 20)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_without_worth_in_the_predictions_it_is_the_interval_of_wilson() -> None:
    # Predictions that are all the same: power 0. Of 10,000 clips 100 have gold, 80 of it yes.
    # Variance: 100 * .8 * .2 / (100 * 98) * .99 = .00161633, so .16 / .00161633 = 98.99 clips.
    observed = np.full(10_000, np.nan)
    observed[:100] = [1] * 80 + [0] * 20
    found = estimate_share(np.full(10_000, 0.6), observed)
    size, z = 0.16 / (0.16 / 98 * 0.99), 1.9842169515  # Student's t, 99 degrees of freedom
    middle = (0.8 + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(0.16 / size + z**2 / (4 * size**2))
    assert found.power == 0
    assert found.method == "prediction-powered"
    assert (found.value, found.low, found.high) == pytest.approx((0.8, middle - half, middle + half))


def test_power_tuning_is_that_of_the_paper() -> None:
    """PPI++ tells labelled from unlabelled clips; drawn from one population it is the same estimate."""
    predicted, _, observed = draw(2000, 200, seed=3)
    known = ~np.isnan(observed)
    n_gold, n_rest = known.sum(), (~known).sum()
    covariance = np.cov(observed[known], predicted[known], ddof=1)
    power = covariance[0, 1] / ((1 + n_gold / n_rest) * covariance[1, 1])  # section 6, for a mean
    paper = observed[known].mean() + power * (predicted[~known].mean() - predicted[known].mean())
    found = estimate_share(predicted, observed)
    assert 0 < found.power < 1
    assert found.value == pytest.approx(paper)


def test_all_gold_leaves_no_doubt() -> None:
    predicted, truth, _ = draw(50, 50, seed=0)
    found = estimate_share(predicted, truth)
    assert found.method == "complete"
    assert found.low == found.high == pytest.approx(truth.mean())


def test_all_gold_leaves_doubt_about_clips_not_yet_collected() -> None:
    predicted, truth, _ = draw(50, 50, seed=0)
    found = estimate_share(predicted, truth, Design(finite=False))
    assert found.low < truth.mean() < found.high


def test_no_gold_and_no_clips() -> None:
    for n_clips in (0, 5):
        found = estimate_share(np.full(n_clips, 0.5), np.full(n_clips, np.nan))
        assert (found.method, found.low, found.high, found.n_gold) == ("no gold", 0.0, 1.0, 0)
        assert np.isnan(found.value)


def test_all_right_gold_does_not_claim_that_all_is_right() -> None:
    observed = np.full(5000, np.nan)
    observed[:100] = 1
    found = estimate_share(np.linspace(0.8, 1, 5000), observed)
    assert found.low < 0.97  # 100 of 100: the rule of three says about 1 - 3 / 100
    assert found.high == 1


def test_good_predictions_narrow_the_interval() -> None:
    predicted, _, observed = draw(5000, 300, seed=1)
    alone = estimate_share(np.full(5000, 0.5), observed)
    helped = estimate_share(predicted, observed)
    assert helped.high - helped.low < alone.high - alone.low


def test_predictions_that_are_always_right_are_not_believed_blindly() -> None:
    """200 gold clips, all foretold exactly: the interval is that of 600, not a point."""
    truth = (np.arange(100_000) % 2).astype(np.float64)
    observed = np.where(np.arange(100_000) < 200, truth, np.nan)
    found = estimate_share(truth, observed)
    assert found.power == 1
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(0.25 / (200 * MOST_GAIN)), rel=0.02)


def test_subjects_that_are_alike_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(100), 20)
    truth = np.repeat(rng.random(100) < 0.8, 20).astype(np.float64)  # all or nothing, by subject
    observed = np.where(groups < 30, truth, np.nan)
    alone = estimate_share(np.full(2000, 0.8), observed)
    told = estimate_share(np.full(2000, 0.8), observed, Design(groups=groups))
    assert told.n_groups == 30
    assert told.high - told.low > 3 * (alone.high - alone.low)  # 30 opinions instead of 600


def test_few_subjects_fall_back_to_the_exact_interval() -> None:
    groups = np.repeat(np.arange(FEW_GROUPS - 1), 50)
    predicted, truth, _ = draw(len(groups), 1, seed=0)
    observed = np.where(np.arange(len(groups)) % 2 == 0, truth, np.nan)
    assert estimate_share(predicted, observed, Design(groups=groups)).method == "exact"


def test_equal_inclusion_probabilities_change_nothing() -> None:
    predicted, _, observed = draw(1000, 100, seed=2)
    found = estimate_share(predicted, observed, Design(inclusion=np.full(1000, 0.1)))
    plain = estimate_share(predicted, observed)
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_known_inclusion_probabilities_undo_the_choice() -> None:
    """Gold mostly from doubtful clips: the plain mean is far too low, the weighted one is not."""
    rng = np.random.default_rng(0)
    predicted, truth, _ = draw(20_000, 1, seed=0)
    inclusion = np.where(predicted < 0.7, 0.2, 0.01)
    observed = np.where(rng.random(20_000) < inclusion, truth, np.nan)
    found = estimate_share(predicted, observed, Design(inclusion=inclusion))
    assert np.nanmean(observed) < truth.mean() - 0.1
    assert found.low <= truth.mean() <= found.high


@pytest.mark.parametrize(("share", "n_gold"), [(0.99, 60), (0.8, 100), (0.5, 40)])
def test_the_interval_holds_what_it_promises(share: float, n_gold: int) -> None:
    rng = np.random.default_rng(0)
    predicted = np.clip(rng.normal(share, 0.1, 2000), 0, 1)
    truth = (rng.random(2000) < predicted).astype(np.float64)
    covered = 0
    for _ in range(500):
        observed = np.full(2000, np.nan)
        drawn = rng.choice(2000, n_gold, replace=False)
        observed[drawn] = truth[drawn]
        found = estimate_share(predicted, observed)
        covered += found.low <= truth.mean() <= found.high
    assert covered / 500 > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 500)  # three standard errors of 500 draws


@given(st.integers(1, 80), st.integers(0, 20), LEVEL, LEVEL)
def test_laws(n_gold: int, seed: int, one: float, other: float) -> None:
    predicted, _, observed = draw(100, n_gold, seed)
    wide = estimate_share(predicted, observed, Design(level=max(one, other)))
    narrow = estimate_share(predicted, observed, Design(level=min(one, other)))
    assert 0 <= wide.low <= narrow.low <= narrow.value <= narrow.high <= wide.high <= 1
    assert 0 <= wide.power <= 1
    rarer = min(np.nansum(observed), n_gold - np.nansum(observed))
    assert (wide.method == "exact") == (n_gold < FEW_GOLD or rarer < FEW_EITHER)


@given(st.integers(1, 80), st.integers(0, 20))
def test_turning_the_question_round_turns_the_answer_round(n_gold: int, seed: int) -> None:
    predicted, _, observed = draw(100, n_gold, seed)
    yes, no = estimate_share(predicted, observed), estimate_share(1 - predicted, 1 - observed)
    assert (no.value, no.low, no.high) == pytest.approx((1 - yes.value, 1 - yes.high, 1 - yes.low))


@given(st.integers(1, 80), st.integers(0, 20))
def test_order_and_names_of_subjects_do_not_matter(n_gold: int, seed: int) -> None:
    predicted, _, observed = draw(100, n_gold, seed)
    groups = np.random.default_rng(seed).integers(0, 25, 100)
    order = np.random.default_rng(seed).permutation(100)
    found = estimate_share(predicted, observed, Design(groups=groups))
    moved = estimate_share(predicted[order], observed[order], Design(groups=900 - 7 * groups[order]))
    assert (moved.value, moved.low, moved.high) == pytest.approx((found.value, found.low, found.high))


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(InputError) as error:
        estimate_share(np.array([0.5, 1.5]), np.array([2.0, 1.0]), Design(np.array([0.5, 0.0]), level=95))
    assert str(error.value) == (
        "gold: 4 to fix\n"
        "  - predicted: 1 of 2 clips have an entry that is not a probability, first clip 1\n"
        "  - observed: 1 of 2 clips have an entry that is not 0, 1 or nan, first clip 0\n"
        "  - inclusion: 1 of 2 clips have an entry that is not a probability above 0 where there is gold, "
        "first clip 1\n"
        "  - level: got 95, expected a number between 0 and 1"
    )


def test_every_array_has_one_entry_a_clip() -> None:
    with pytest.raises(InputError) as error:
        estimate_share(np.zeros(3), np.zeros(2), Design(groups=np.arange(4)))
    assert str(error.value) == (
        "gold: 2 to fix\n"
        "  - observed: got 2, expected one a clip: 3\n"
        "  - groups: got 4, expected one a clip: 3"
    )
