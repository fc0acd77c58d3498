import numpy as np
import pytest

from curate.labels.soft import soft_labels


def test_single_precision_rows_that_sum_to_one() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(11), 1000)
    found = soft_labels(probabilities)
    assert found.dtype == np.float32
    assert found == pytest.approx(probabilities, abs=1e-6)
    assert np.abs(found.sum(axis=1, dtype=np.float64) - 1).max() < 1e-6


def test_no_clips() -> None:
    assert soft_labels(np.empty((0, 3))).shape == (0, 3)
