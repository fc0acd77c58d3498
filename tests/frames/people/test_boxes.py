"""Boxes: geometry that crops and tracks rest on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.frames.people.boxes import Box, between, covered, overlap

edges = st.floats(-500, 1500)
boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    edges,
    edges,
    st.floats(1, 800),
    st.floats(1, 800),
)


def test_overlap_is_the_shared_part_of_both() -> None:
    # 10 x 10 each, shifted by half: 50 shared of 150 together.
    assert overlap(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert covered(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == pytest.approx(1 / 2)
    assert overlap(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0
    assert overlap(Box(0, 0, 0, 0), Box(0, 0, 0, 0)) == 0
    assert covered(Box(0, 0, 0, 0), Box(0, 0, 9, 9)) == 0


def test_margin_is_a_share_of_each_side() -> None:
    assert Box(10, 20, 30, 60).with_margin(0.25) == Box(5, 10, 35, 70)


def test_a_square_keeps_the_middle() -> None:
    assert Box(10, 20, 30, 60).squared() == Box(0, 20, 40, 60)


def test_moved_inside_keeps_the_shape_where_it_fits_and_is_cut_where_not() -> None:
    assert Box(-5, 0, 5, 10).moved_inside(20, 20) == Box(0, 0, 10, 10)
    assert Box(15, 15, 25, 25).moved_inside(20, 20) == Box(10, 10, 20, 20)
    assert Box(-5, 0, 30, 10).moved_inside(20, 20) == Box(0, 0, 20, 10)


@given(boxes, st.integers(1, 640), st.integers(1, 480))
def test_moved_inside_is_inside(box: Box, width: int, height: int) -> None:
    inside = box.moved_inside(width, height)
    assert 0 <= inside.left <= inside.right <= width
    assert 0 <= inside.top <= inside.bottom <= height
    assert inside.width == pytest.approx(min(box.width, width))


@given(boxes, st.integers(1, 640), st.integers(1, 480))
def test_pixels_are_at_least_one_and_inside(box: Box, width: int, height: int) -> None:
    left, top, right, bottom = box.pixels(width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


@given(boxes, boxes)
def test_union_covers_and_intersection_is_covered(first: Box, second: Box) -> None:
    both, common = first.union(second), first.intersection(second)
    assert covered(first, both) == pytest.approx(1)
    assert common.area <= min(first.area, second.area) + 1e-6
    assert overlap(first, second) == overlap(second, first)


@given(boxes, boxes)
def test_between_starts_and_ends_at_the_boxes(first: Box, second: Box) -> None:
    assert between(first, second, 0) == first
    assert between(first, second, 1).right == pytest.approx(second.right, abs=1e-9)


def test_scaled_goes_to_another_size_of_the_same_picture() -> None:
    assert Box(1, 2, 3, 4).scaled(2, 10) == Box(2, 20, 6, 40)
