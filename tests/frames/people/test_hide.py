"""What is hidden cannot be made out, and nothing else is touched."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curate.frames.people.boxes import Box
from curate.frames.people.hide import CELLS, hide


def noise(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(3).integers(0, 256, (height, width), dtype=np.uint8)


def test_pixels_outside_the_box_stay() -> None:
    plane = noise(60, 80)
    before = plane.copy()
    hide(plane, Box(10, 20, 50, 40), (80, 60))
    inside = np.zeros((60, 80), dtype=bool)
    inside[20:40, 10:50] = True
    assert (plane[~inside] == before[~inside]).all()
    assert (plane[inside] != before[inside]).mean() > 0.9


def test_the_same_means_give_the_same_picture_whatever_was_in_it() -> None:
    # Cells of 10 x 10 px, each half black, half white, in two patterns: nothing tells which it was.
    stripes, blocks = np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.uint8)
    stripes[:, ::2] = 255
    blocks.reshape(4, 10, 4, 10)[:, :5] = 255
    for plane in (stripes, blocks):
        hide(plane, Box(0, 0, 40, 40), (40, 40))
    assert CELLS == 4
    assert (stripes == blocks).all()


def test_a_plane_of_half_size_is_hidden_over_the_same_part() -> None:
    plane = noise(30, 40)
    before = plane.copy()
    hide(plane, Box(10, 20, 50, 40), (80, 60))
    changed = np.argwhere(plane != before)
    assert changed.min(axis=0).tolist() >= [10, 5]
    assert changed.max(axis=0).tolist() <= [19, 24]


def test_colours_are_hidden_too() -> None:
    picture = np.stack([noise(40, 40)] * 3, axis=-1)
    hide(picture, Box(0, 0, 40, 40), (40, 40))
    # Means of 100 pixels of noise, 127.5 +- 7.4 each.
    assert picture.std() < 20


@given(
    st.floats(-100, 200),
    st.floats(-100, 200),
    st.floats(0, 300),
    st.floats(0, 300),
    st.sampled_from([1, 7, 64]),
)
def test_any_box_may_come(left: float, top: float, width: float, height: float, side: int) -> None:
    plane = np.full((side, side), 77, np.uint8)
    hide(plane, Box(left, top, left + width, top + height), (64, 64))
    assert (plane == 77).all()
