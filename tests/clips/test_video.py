"""Display matrices: quarter turns and mirrors."""

import numpy as np
import pytest

from curate.clips.video import displayed

#  0 1 2
#  3 4 5
PIXELS = np.repeat(np.arange(6, dtype=np.uint8).reshape(2, 3, 1), 3, axis=2)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), [[0, 1, 2], [3, 4, 5]]),
        ((-1, 0, 0, 1), [[2, 1, 0], [5, 4, 3]]),  # mirrored left to right
        ((1, 0, 0, -1), [[3, 4, 5], [0, 1, 2]]),  # upside down
        ((-1, 0, 0, -1), [[5, 4, 3], [2, 1, 0]]),  # half a turn
        ((0, 1, -1, 0), [[3, 0], [4, 1], [5, 2]]),  # a quarter turn clockwise: x' = -y, y' = x
        ((0, -1, 1, 0), [[2, 5], [1, 4], [0, 3]]),  # a quarter turn counterclockwise
        ((0, 1, 1, 0), [[0, 3], [1, 4], [2, 5]]),  # transposed
    ],
)
def test_eight_ways_to_hold_a_camera(matrix: tuple[int, int, int, int], expected: list[list[int]]) -> None:
    a, b, c, d = matrix
    display = np.array([[a, b, 0], [c, d, 0], [0, 0, 1]], dtype=np.int32) * 65536
    assert displayed(PIXELS, display)[:, :, 0].tolist() == expected


def test_without_a_matrix_nothing_changes() -> None:
    assert displayed(PIXELS, None) is PIXELS
