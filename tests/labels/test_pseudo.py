import numpy as np
import pytest

from curate.labels.pseudo import pseudo_labels


def test_only_unlabelled_clips_of_which_something_is_known_are_accepted() -> None:
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.3, 0.7], [0.05, 0.95]])
    given, spoken = np.array([0, -1, -1, -1]), np.array([True, True, True, False])
    found = pseudo_labels(probabilities, given, spoken, threshold=0.9)
    assert found.label.tolist() == [-1, 1, 1, 1]
    assert found.confidence == pytest.approx([np.nan, 0.9, 0.7, 0.95], nan_ok=True)
    assert found.accepted.tolist() == [False, True, False, False]
