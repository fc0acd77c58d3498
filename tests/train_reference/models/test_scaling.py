import numpy as np
import pytest
import torch

from train_reference.data.sequences import Sequences
from train_reference.models.scaling import Scaling


def test_by_the_steps_of_some_clips() -> None:
    # Clips of 2, 1 and 1 steps; the last one is of test. Of the others the first number is 1, 3, 5:
    # mean 3, standard deviation sqrt(8 / 3). The second does not vary: it becomes 0.
    values = np.array([[1, 7], [3, 7], [5, 7], [99, 1]], dtype=np.float32)
    scaling = Scaling(2)
    scaling.fit(Sequences(values, np.array([[0, 2], [2, 1], [3, 1]])), np.array([0, 1]))
    found = scaling(torch.tensor([[1.0, 7.0], [3.0, 2.0]]))
    assert found.tolist() == [pytest.approx([-2 / np.sqrt(8 / 3), 0]), pytest.approx([0, 0])]


def test_without_any_step_nothing_changes() -> None:
    scaling = Scaling(1)
    scaling.fit(Sequences(np.zeros((0, 1)), np.array([[0, 0]])), np.array([0]))
    assert scaling(torch.tensor([[4.0]])).item() == 4
