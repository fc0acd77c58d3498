import numpy as np
import pytest

from curate.labels.gold_plan import Ranking, plan_sizes


def ranking(predicted: np.ndarray, wrong: np.ndarray) -> Ranking:
    return Ranking(predicted, wrong, np.arange(1, len(predicted) + 1))


def plan(found: Ranking, n_draws: int = 100, *, everywhere: bool = False, seed: int = 0) -> list[int]:
    rng = np.random.default_rng(seed)
    return plan_sizes(found, n_draws, 0.1, 0.05, rng, everywhere=everywhere).tolist()


def test_without_doubt_all_clips_are_to_be_tested() -> None:
    found = ranking(np.full(500, 0.01), np.where(np.arange(500) % 10 == 0, 0, -1))
    assert plan(found)[-1] == 500


def test_a_half_that_is_known_to_be_bad_is_not_tested() -> None:
    wrong = np.where(np.arange(400) % 8 == 0, 0, -1)
    wrong[200:][wrong[200:] == 0] = 1
    assert plan(ranking(np.linspace(0.01, 0.5, 400), wrong))[-1] < 260


@pytest.mark.parametrize("seed", range(5))
def test_sizes_rise_and_part_no_equally_sure_clips(seed: int) -> None:
    found = Ranking(np.repeat([0.05, 0.1, 0.3], 50), np.full(150, -1), np.array([50, 100, 150]))
    sizes = plan(found, seed=seed)
    assert sizes == sorted(set(sizes))
    assert set(sizes) <= {50, 100, 150}


def test_gold_that_is_drawn_everywhere_can_test_everything() -> None:
    wrong = np.where(np.arange(400) % 8 == 0, (np.arange(400) >= 200).astype(int), -1)
    found = ranking(np.linspace(0.01, 0.5, 400), wrong)
    assert plan(found, everywhere=True)[-1] == 400


def test_a_plan_is_made_without_gold_and_without_draws() -> None:
    found = ranking(np.linspace(0.01, 0.5, 100), np.full(100, -1))
    assert plan(found)
    assert plan(found, n_draws=0)
    assert plan(ranking(np.array([0.2]), np.array([0]))) == [1]


def test_nothing_to_plan() -> None:
    assert plan(ranking(np.empty(0), np.empty(0, dtype=np.int64))) == []


def test_the_same_randomness_makes_the_same_plan() -> None:
    found = ranking(np.linspace(0.01, 0.5, 300), np.where(np.arange(300) % 7 == 0, 0, -1))
    assert plan(found, seed=3) == plan(found, seed=3)
