import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.labels.gold_sample import draw_at_random, draw_to_certify, draw_to_explore, schedule

NO_GOLD = np.full(100, -1)
SCORE = np.linspace(0.99, 0.5, 100)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(0, 5000))
def test_rounds_add_up_to_the_budget(budget: int) -> None:
    assert sum(schedule(budget)) == budget
    assert min(schedule(budget)) >= 0


def test_schedule_by_hand() -> None:
    assert schedule(200) == (12, 12, 12, 12, 152)  # 0.06 * 200 = 12 in each round that explores


def test_the_first_round_explores_the_whole_ranking_evenly() -> None:
    rows = draw_to_explore(SCORE, NO_GOLD, 10, 90, 0.1, 0.05, rng())
    assert (rows // 10).tolist() == list(range(10))


def test_later_rounds_explore_the_upper_part_only() -> None:
    # Everything below the upper half is known to be wrong.
    wrong = np.where(np.arange(100) >= 50, 1, -1)
    wrong[:40:2] = 0
    rows = draw_to_explore(SCORE, wrong, 10, 90, 0.1, 0.05, rng())
    assert len(rows) == 10
    assert (wrong[rows] == -1).all()
    assert rows.max() < 50


@given(st.integers(0, 120), st.integers(0, 10), st.booleans())
def test_draws_are_new_clips_with_a_label(n_labels: int, seed: int, gold: bool) -> None:
    score, wrong = SCORE.copy(), NO_GOLD.copy()
    score[::7] = np.nan
    if gold:
        wrong[::3] = 0
    draw = draw_to_certify(score, wrong, n_labels, 0.1, 0.05, rng(seed))
    for rows in (draw.clips, draw_to_explore(score, wrong, n_labels, 50, 0.1, 0.05, rng(seed))):
        assert len(np.unique(rows)) == len(rows) <= n_labels
        assert (wrong[rows] < 0).all()
        assert np.isfinite(score[rows]).all()
    assert draw.pool[draw.clips].all()
    assert len(draw.clips) == min(n_labels, draw.pool.sum())
    assert (np.diff(draw.thresholds) < 0).all()


def test_inclusion_is_the_share_of_the_pool_that_was_drawn() -> None:
    draw = draw_to_certify(SCORE, NO_GOLD, 20, 0.1, 0.05, rng())
    assert draw.inclusion[draw.pool] == pytest.approx(20 / draw.pool.sum())
    assert (draw.inclusion[~draw.pool] == 0).all()


def test_every_clip_of_the_pool_is_drawn_equally_often() -> None:
    # 300 draws of 20 of the pool: each clip 300 * 20 / size times, give or take 5 deviations.
    draws = [draw_to_certify(SCORE, np.r_[0, NO_GOLD[1:]], 20, 0.3, 0.05, rng(seed)) for seed in range(300)]
    often = np.zeros(100)
    for draw in draws:
        often[draw.clips] += 1
    expected = np.sum([draw.inclusion for draw in draws], axis=0)
    assert (np.abs(often - expected) <= 5 * np.sqrt(expected) + 1e-9).all()


def test_equally_sure_clips_are_never_parted() -> None:
    score = np.repeat([0.9, 0.8, 0.7], [30, 30, 40])
    for seed in range(5):
        draw = draw_to_certify(score, NO_GOLD, 50, 0.2, 0.05, rng(seed))
        assert set(draw.thresholds.tolist()) <= {0.9, 0.8, 0.7}
        assert draw.pool.sum() in (30, 60, 100)


def test_no_clips_no_draw() -> None:
    draw = draw_to_certify(np.empty(0), np.empty(0, dtype=np.int64), 5, 0.1, 0.05, rng())
    assert len(draw.clips) == len(draw.thresholds) == 0
    assert len(draw_to_explore(np.empty(0), np.empty(0, dtype=np.int64), 5, 5, 0.1, 0.05, rng())) == 0


def test_a_part_of_gold_at_hand_explores() -> None:
    wrong = np.where(np.arange(100) % 2 == 0, 0, -1)
    draw = draw_at_random(SCORE, wrong, 0.1, 0.05, rng())
    # 50 labels: 4 * 0.06 * 50 = 12 explore, 38 prove. The 12 are no longer in the pool.
    assert len(draw.clips) == 38
    assert draw.pool.sum() == 88
    assert draw.pool[draw.clips].all()
    assert (wrong[draw.clips] == 0).all()


def test_the_plan_does_not_see_the_gold_that_proves() -> None:
    wrong = np.where(np.arange(100) % 2 == 0, 0, -1)
    draw = draw_at_random(SCORE, wrong, 0.1, 0.05, rng())
    turned = wrong.copy()
    turned[draw.clips] = 1
    again = draw_at_random(SCORE, turned, 0.1, 0.05, rng())
    assert again.thresholds.tolist() == draw.thresholds.tolist()


def test_groups_stay_whole() -> None:
    groups = np.arange(100) // 5
    wrong = np.where(groups % 2 == 0, 0, -1)
    draw = draw_at_random(SCORE, wrong, 0.1, 0.05, rng(), groups=groups)
    # 10 groups have gold: 1 explores, 9 prove; 19 of the 20 groups are left in the pool.
    assert len(np.unique(groups[draw.clips])) == 9
    assert len(draw.clips) == 9 * 5
    assert draw.pool.sum() == 19 * 5
    assert draw.inclusion[draw.pool] == pytest.approx(9 / 19)
