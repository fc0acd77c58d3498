import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import InputError
from curate.labels.certificate import certify, kept
from curate.labels.exact_test import p_values
from curate.labels.gold_sample import Draw, draw_at_random, draw_to_certify, draw_to_explore, schedule

SHARES = st.floats(0.01, 0.5)


def by_hand(n_drawn_wrong: int) -> tuple[Draw, np.ndarray]:
    """100 clips in two halves; 30 clips of the upper half and 10 of the lower one were drawn."""
    score = np.repeat([0.9, 0.6], 50)
    clips = np.r_[np.arange(30), np.arange(50, 60)]
    wrong = np.full(100, -1)
    wrong[clips] = 0
    wrong[:n_drawn_wrong] = 1
    return Draw(score, clips, np.ones(100, dtype=bool), np.array([0.9, 0.6])), wrong


def chosen(score: np.ndarray, truth: np.ndarray, budget: int, seed: int) -> tuple[Draw, np.ndarray]:
    """Gold in rounds, as a user would get it."""
    rng, wrong, left = np.random.default_rng(seed), np.full(len(score), -1), budget
    *exploring, proving = schedule(budget)
    for n_labels in exploring:
        left -= n_labels
        rows = draw_to_explore(score, wrong, n_labels, left, 0.1, 0.05, rng)
        wrong[rows] = truth[rows]
    draw = draw_to_certify(score, wrong, proving, 0.1, 0.05, rng)
    wrong[draw.clips] = truth[draw.clips]
    return draw, wrong


def test_certificate_by_hand() -> None:
    draw, wrong = by_hand(0)
    # More than 5 of 50 wrong: P(0 of 30 drawn) = C(44, 30) / C(50, 30) = 0.0024. More than 10 of 100 wrong:
    # P(0 of 40 drawn) = C(89, 40) / C(100, 40) = 0.0025. Both are below 0.05.
    found = certify(draw, wrong, 0.1, 0.05)
    assert (found.certified, found.n_kept, found.threshold) == (True, 100, 0.6)
    assert (found.n_gold_used, found.n_errors_seen, found.error_bound) == (40, 0, 0.1)
    assert found.statement == (
        "At most 0.1 of the labels of the 100 clips with a score of 0.6 or more are wrong, "
        "with probability 0.95 over the draw of gold (40 drawn, 0 wrong)"
    )
    assert kept(draw, found).all()


def test_the_order_stops_at_the_first_failure() -> None:
    draw, wrong = by_hand(0)
    wrong[50:55] = 1
    found = certify(draw, wrong, 0.1, 0.05)
    assert (found.n_kept, found.threshold) == (50, 0.9)
    assert kept(draw, found).sum() == 50


def test_what_is_missing_is_told() -> None:
    draw, wrong = by_hand(2)
    found = certify(draw, wrong, 0.1, 0.05)
    assert not found.certified
    assert (found.n_kept, found.threshold, found.n_gold_used, found.n_errors_seen) == (0, np.inf, 30, 2)
    assert found.n_more is not None
    assert found.statement.startswith(
        f"Cannot certify: {found.n_more} more gold labels, drawn at random among"
    )
    assert found.error_bound > 0.1


def test_that_many_more_labels_are_enough() -> None:
    draw, wrong = by_hand(2)
    found = certify(draw, wrong, 0.1, 0.05)
    # The set of all 100: 2 of 40 wrong. Of the other 60, 10 - 2 = 8 may be wrong.
    # The set of the upper 50: 2 of 30 wrong. Of the other 20, 5 - 2 = 3 may be wrong.
    enough = {60: p_values(round(found.n_more * 0.05), found.n_more, 60, 8)}
    enough[20] = p_values(round(found.n_more / 15), found.n_more, 20, 3)
    assert enough[60 if "the 100 surest" in found.statement else 20] <= 0.05


def test_hopeless_labels_are_called_so() -> None:
    draw, wrong = by_hand(30)
    found = certify(draw, wrong, 0.1, 0.05)
    assert found.n_more is None
    assert found.statement == (
        "Cannot certify: no part of the surest clips seems to have few enough wrong labels "
        "(at most 0.1 of them)"
    )


def test_with_hardly_any_gold_nothing_is_said_of_errors() -> None:
    draw, wrong = by_hand(30)
    few = np.where(np.arange(len(wrong)) == draw.clips[0], wrong, -1)
    statement = certify(draw, few, 0.1, 0.05).statement
    assert (
        statement == "Cannot certify: 1 gold labels are too few. Have clips checked that are drawn at random"
    )


def test_an_unknown_draw_certifies_nothing() -> None:
    found = certify(None, np.array([0, 0, -1]), 0.1, 0.05)
    assert (found.certified, found.n_kept) == (False, 0)
    assert found.statement.startswith("Cannot certify: it is not known how the 2 gold labels were drawn.")


def test_an_assumption_is_spelt_out() -> None:
    score, wrong = np.linspace(0.99, 0.6, 200), np.where(np.arange(200) % 2, 0, -1)
    draw = draw_at_random(score, wrong, 0.1, 0.05, np.random.default_rng(0), assumed=True)
    assert certify(draw, wrong, 0.1, 0.05).statement.startswith("If gold was drawn at random: At most 0.1")


def test_drawn_clips_without_gold_count_as_wrong() -> None:
    draw, wrong = by_hand(2)
    hidden = np.where(wrong == 1, -1, wrong)
    assert certify(draw, hidden, 0.1, 0.05).n_errors_seen == 2


def test_if_everything_is_checked_the_best_set_is_found() -> None:
    # 8 of the first 60 are wrong, and nothing among the next 20: 8 / 80 = 0.1. Then all are wrong.
    wrong = np.r_[np.ones(8), np.zeros(72), np.ones(20)].astype(np.int64)
    score = np.linspace(0.99, 0.5, 100)
    draw = Draw(score, np.arange(100), np.ones(100, dtype=bool), score[[29, 59, 99]])
    assert certify(draw, wrong, 0.1, 0.05).n_kept == 80


def test_every_class_has_its_own_part() -> None:
    draw, wrong = by_hand(0)
    wrong[50:53] = 1
    labels = np.repeat([2, 0], 50)
    found = certify(draw, wrong, 0.1, 0.05, labels=labels)
    parts = dict(found.classes)
    assert set(parts) == {0, 2}
    assert parts[2].delta == pytest.approx(0.025)  # 0.05 for two classes
    assert (parts[2].certified, parts[2].n_kept) == (True, 50)
    assert not parts[0].certified
    assert parts[0].n_gold_used == 10


def test_whole_groups() -> None:
    # 120 people with 5 clips each, all labels right; 90 people were drawn, 9 of them only to explore.
    groups, score = (
        np.arange(600) // 5,
        np.linspace(0.99, 0.6, 600)[np.random.default_rng(1).permutation(600)],
    )
    wrong = np.where(groups < 90, 0, -1)
    draw = draw_at_random(score, wrong, 0.1, 0.05, np.random.default_rng(0), groups=groups)
    assert certify(draw, wrong, 0.1, 0.05).n_kept == 600
    assert not certify(draw, np.where(groups % 4 == 0, 1, wrong), 0.1, 0.05).certified


def test_groups_that_are_all_right_or_all_wrong_are_not_taken_for_single_clips() -> None:
    # 12 of 100 people have only wrong labels: too many. Clip by clip, ten times as many would prove a lot.
    rng, n_certified = np.random.default_rng(0), 0
    groups, score = np.arange(1000) // 10, np.full(1000, 0.9)
    for _ in range(200):
        truth = np.isin(groups, rng.choice(100, 12, replace=False)).astype(np.int64)
        wrong = np.where(np.isin(groups, rng.choice(100, 40, replace=False)), truth, -1)
        draw = draw_at_random(score, wrong, 0.1, 0.05, rng, groups=groups)
        n_certified += certify(draw, wrong, 0.1, 0.05).certified
    assert n_certified <= 200 * 0.05


@pytest.mark.parametrize("design", ["chosen", "at random"])
def test_too_many_errors_are_rarely_certified(design: str) -> None:
    # Error is 11 % at every depth of the ranking: whatever is certified is wrong.
    score, n_certified = np.linspace(0.99, 0.5, 300), 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        truth = (rng.permuted(np.arange(300).reshape(3, 100), axis=1) % 100 < 11).astype(np.int64).ravel()
        if design == "chosen":
            draw, wrong = chosen(score, truth, 80, seed)
        else:
            wrong = np.where(rng.permutation(300) < 80, truth, -1)
            draw = draw_at_random(score, wrong, 0.1, 0.05, rng)
        found = certify(draw, wrong, 0.1, 0.05)
        n_certified += truth[kept(draw, found)].sum() > 0.1 * found.n_kept
    # 200 * 0.05 = 10 are expected at worst; three deviations more are 19.
    assert n_certified <= 19


@settings(deadline=None)
@given(st.integers(0, 50), st.tuples(SHARES, SHARES), st.tuples(SHARES, SHARES), st.booleans())
def test_asking_more_never_keeps_more(
    seed: int, epsilons: tuple[float, float], deltas: tuple[float, float], grouped: bool
) -> None:
    rng = np.random.default_rng(seed)
    score = np.sort(rng.random(150))[::-1]
    truth = (rng.random(150) > score + 0.3).astype(np.int64)
    groups = np.arange(150) // 2
    wrong = np.where(groups % 2 == 0, truth, -1)
    draw = draw_at_random(score, wrong, 0.2, 0.1, rng, groups=groups if grouped else None)
    strict = certify(draw, wrong, min(epsilons), min(deltas))
    loose = certify(draw, wrong, max(epsilons), max(deltas))
    assert strict.n_kept <= loose.n_kept


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000))
def test_the_order_of_clips_does_not_change_the_certificate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    draw, wrong = by_hand(int(rng.integers(0, 4)))
    order = rng.permutation(100)
    back = np.argsort(order)
    moved = Draw(draw.score[order], back[draw.clips], draw.pool[order], draw.thresholds)
    assert certify(moved, wrong[order], 0.1, 0.05) == certify(draw, wrong, 0.1, 0.05)


def test_clips_without_a_label_are_never_kept() -> None:
    draw, wrong = by_hand(0)
    score = draw.score.copy()
    score[[40, 90]] = np.nan
    pool = np.isfinite(score)
    partly = Draw(score, draw.clips, pool, draw.thresholds)
    found = certify(partly, wrong, 0.1, 0.05)
    assert found.n_kept == 98
    assert not kept(partly, found)[[40, 90]].any()


def test_no_clips() -> None:
    nothing = np.empty(0, dtype=np.int64)
    draw = draw_to_certify(np.empty(0), nothing, 5, 0.1, 0.05, np.random.default_rng(0))
    found = certify(draw, nothing, 0.1, 0.05)
    assert (found.certified, found.n_kept, found.error_bound) == (False, 0, 1.0)


def test_all_bad_input_is_told_at_once() -> None:
    draw, _ = by_hand(0)
    with pytest.raises(InputError) as caught:
        certify(draw, np.array([0, 2]), 0.0, 1.5, labels=np.array([0]))
    assert str(caught.value) == (
        "certificate: 5 to fix\n"
        "  - epsilon: got 0, expected a number between 0 and 1, both excluded\n"
        "  - delta: got 1.5, expected a number between 0 and 1, both excluded\n"
        "  - wrong: expected 1, 0 or -1 for wrong, right and without gold\n"
        "  - wrong: 2 clips, but the draw was made among 100. Pass the same clips in the same order\n"
        "  - labels: 1 labels for 2 clips"
    )
