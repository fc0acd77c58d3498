from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from curate.errors import MediaError
from curate.sequences.points import NECK, in_pixels, placed

SIDES = st.integers(1, 4000)


def people(places: st.SearchStrategy[float]) -> st.SearchStrategy[NDArray[np.float32]]:
    """Points of two frames, some of them, the neck among these; of others the confidence is 0."""
    xy = hnp.arrays(np.float32, (2, 4, 2), elements=places)
    sure = hnp.arrays(np.float32, (2, 4, 1), elements=st.sampled_from([0.0, 0.25, 1.0]))
    return st.tuples(xy, sure).map(lambda both: spread(np.concatenate(both, axis=-1)))


def spread(few: NDArray[np.float32]) -> NDArray[np.float32]:
    points = np.zeros((len(few), 137, 3), np.float32)
    points[:, [NECK, 4, 60, 136]] = few
    return points


@given(people(st.floats(-100, 4000, width=32)), SIDES, SIDES)
def test_a_point_is_kept_to_within_a_2048th_of_its_distance_from_the_origin(
    points: NDArray[np.float32], width: int, height: int
) -> None:
    kept = placed(points, width, height)
    back = in_pixels(kept, width, height)
    found = points[..., 2] > 0
    origin = np.array([kept.origin_x, kept.origin_y])
    # Half a step of 11 bits, twice to be safe of the arithmetic in 32 bits; below 2^-14, steps of 2^-24.
    allowed = np.abs(points[..., :2] - origin) / 2048 + max(width, height) * 2.0**-24 + 1e-3
    assert (np.abs(back - points)[..., :2][found] <= allowed[found]).all()
    assert (back[~found] == 0).all()
    assert (back[..., 2] == points[..., 2]).all()


def test_the_origin_is_the_median_neck_even_where_other_points_are_far_off() -> None:
    points = np.zeros((3, 137, 3), np.float32)
    points[:, NECK] = [[100, 50, 1], [110, 52, 1], [400, 52, 0.9]]
    points[:, 0] = [300, 300, 1]
    kept = placed(points, 640, 480)
    assert (kept.origin_x, kept.origin_y) == (110, 52)
    # (300 - 110) / 640 and (300 - 52) / 640, in 16 bits.
    assert kept.values[0, 0].tolist() == [np.float16(190 / 640), np.float16(248 / 640), 1]


def test_without_a_neck_all_points_count_and_without_any_the_middle() -> None:
    points = np.zeros((2, 137, 3), np.float32)
    assert (placed(points, 640, 480).origin_x, placed(points, 640, 480).origin_y) == (320, 240)
    points[0, 30:33] = [[10, 20, 1], [12, 21, 1], [99, 99, 1]]
    assert (placed(points, 640, 480).origin_x, placed(points, 640, 480).origin_y) == (12, 21)


def test_what_16_bits_cannot_say_is_told() -> None:
    points = np.zeros((1, 137, 3), np.float32)
    points[0, :2] = [[0, 0, 1], [1e9, 0, 1]]
    points[0, NECK] = [5, 5, 1]
    points[0, 3] = [1e9, 0, 1]
    with pytest.raises(MediaError, match="far outside of any picture"):
        placed(points, 640, 480)


def test_a_confidence_that_16_bits_round_to_0_takes_its_point_along() -> None:
    points = np.zeros((1, 137, 3), np.float32)
    points[0, 7] = [30, 30, 1e-9]
    assert (placed(points, 640, 480).values == 0).all()


def test_error_on_a_real_recording_is_a_fraction_of_how_a_face_moves(test_data: Path) -> None:
    with np.load(test_data / "keypoints" / "openpose_signing.npz") as told:
        points = told["keypoints"]
    back = in_pixels(placed(points, 1000, 1000), 1000, 1000)
    found = points[..., 2] > 0
    # Measured 0.061 at most; from a corner of the picture it would be 0.122, and 0.024 in the mean.
    assert np.abs(back - points)[..., :2][found].max() < 0.07
    assert np.abs(back - points)[..., :2][found].mean() < 0.007
