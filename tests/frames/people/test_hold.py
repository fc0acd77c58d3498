"""Faces stay hidden where they were not found for a while."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.frames.people.boxes import Box, covered
from curate.frames.people.finder import Detection
from curate.frames.people.hold import HELD_S, MARGIN, HiddenPlaces


def at(x: float) -> Detection:
    return Detection(Box(x - 20, 80, x + 20, 120), 0.9)


def test_nothing_found_is_nothing_hidden() -> None:
    assert HiddenPlaces([[], []], [0, 1]).at(0.5) == []


def test_a_face_is_hidden_with_its_margin_when_it_is_seen() -> None:
    (box,) = HiddenPlaces([[at(100)]], [3.0]).at(3.0)
    # 40 px on each side, 0.3 of it added.
    assert (box.left, box.right) == pytest.approx((68, 132))


def test_between_two_looks_the_box_moves_along() -> None:
    (box,) = HiddenPlaces([[at(100)], [at(110)]], [0, 0.1]).at(0.05)
    assert box.centre[0] == pytest.approx(105)


def test_a_face_is_held_for_a_second_before_and_after() -> None:
    places = HiddenPlaces([[], [at(100)], []], [0, 5, 10])
    held = [bool(places.at(t_s)) for t_s in (3.9, 4.1, 5, 5.9, 6.1)]
    assert held == [False, True, True, True, False]
    # The longer it was not seen, the more is hidden: 0.3 + 0.3 x 0.9 = 0.57 of 40 px.
    (box,) = places.at(5.9)
    assert box.width == pytest.approx(40 * (1 + 2 * 0.57))


def test_where_a_face_was_missed_both_ends_are_covered() -> None:
    places = HiddenPlaces([[at(100)], [], [], [at(150)]], [0, 0.5, 1, 1.5])
    for t_s in (0.1, 0.5, 0.75, 1.4):
        (box,) = places.at(t_s)
        assert covered(at(100).box.union(at(150).box), box) == 1


def test_two_faces_are_two_boxes() -> None:
    assert len(HiddenPlaces([[at(100), at(300)]], [0.0]).at(0.5)) == 2


findings = st.lists(st.lists(st.builds(at, st.integers(0, 400)), max_size=3, unique=True), max_size=12)


@given(findings, st.floats(0.05, 0.6))
def test_every_face_that_was_found_is_hidden_at_its_moment(
    found: list[list[Detection]], step_s: float
) -> None:
    times_s = [step_s * i for i in range(len(found))]
    places = HiddenPlaces(found, times_s)
    for here, t_s in zip(found, times_s, strict=True):
        hidden = places.at(t_s)
        for one in here:
            assert any(covered(one.box, box) == pytest.approx(1) for box in hidden)


@given(st.floats(-2, 2))
def test_the_hold_is_the_same_to_both_sides(away_s: float) -> None:
    places = HiddenPlaces([[at(100)]], [5.0])
    assert len(places.at(5 + away_s)) == len(places.at(5 - away_s)) == (abs((5 + away_s) - 5) <= HELD_S)
    assert MARGIN > 0
