import numpy as np
import pytest

from curate.labels.rows import TOGETHER, row_sums, softmax_in_place


def test_row_sums_by_hand() -> None:
    assert row_sums(np.array([[1.0, 2.0], [0.5, 0.25]])).tolist() == [3.0, 0.75]


def test_softmax_by_hand() -> None:
    # exp(log 3) : exp(0) = 3 : 1; so too a thousand lower, where exp alone would give 0 / 0.
    logs = np.array([[np.log(3), 0.0], [np.log(3) - 1000, -1000.0]])
    assert softmax_in_place(logs) == pytest.approx(np.array([[0.75, 0.25], [0.75, 0.25]]))


def test_softmax_of_more_rows_than_fit_together_is_in_place() -> None:
    logs = np.zeros((TOGETHER + 1, 4))
    assert softmax_in_place(logs) is logs
    assert (logs == 0.25).all()


def test_no_rows() -> None:
    assert softmax_in_place(np.empty((0, 3))).shape == (0, 3)
