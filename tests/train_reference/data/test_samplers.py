import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_reference.data.samplers import class_balanced, draw, square_root

labels = st.lists(st.integers(0, 4), min_size=1, max_size=40).map(
    lambda given: np.array(given, dtype=np.int64)
)


def test_shares_of_classes() -> None:
    # 16 clips of class 0 and 4 of class 1: balanced 1/2 each; by roots 4 : 2.
    given = np.array([0] * 16 + [1] * 4)
    assert class_balanced(given)[:16].sum() == pytest.approx(1 / 2)
    assert square_root(given)[:16].sum() == pytest.approx(4 / 6)


@given(labels)
def test_laws(given: np.ndarray) -> None:
    for weights, power in ((class_balanced(given), 0.0), (square_root(given), 0.5)):
        assert weights.sum() == pytest.approx(1)
        counts = np.bincount(given)
        of_class = np.bincount(given, weights=weights)
        there = counts > 0
        expected = counts[there] ** power / (counts[there] ** power).sum()
        assert of_class[there] == pytest.approx(expected)


@given(labels, st.integers(0, 9))
def test_natural_draws_each_once(given: np.ndarray, seed: int) -> None:
    drawn = draw(None, len(given), np.random.default_rng(seed))
    assert sorted(drawn) == list(range(len(given)))


def test_weights_are_followed() -> None:
    drawn = draw(np.array([0.0, 0.25, 0.75]), 3, np.random.default_rng(0))
    assert len(drawn) == 3
    many = np.concatenate(
        [draw(np.array([0.0, 0.25, 0.75]), 3, np.random.default_rng(seed)) for seed in range(400)]
    )
    # 1,200 draws: the standard error of a share of .75 is .0125.
    assert (many == 2).mean() == pytest.approx(0.75, abs=0.05)
    assert not (many == 0).any()
