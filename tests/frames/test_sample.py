"""The laws of sampling."""

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.frames.changes import Change
from curate.frames.sample import Course, Moment, frame_at, moments, spread, uniform
from curate.recipe import Frames

COUNTS = st.integers(1, 64)
GAPS_S = st.lists(st.floats(0.001, 2), max_size=100)


def test_the_middle_of_each_share() -> None:
    # Four shares of 2 s each: 0-2, 2-4, 4-6, 6-8.
    assert uniform(8, 4) == (1, 3, 5, 7)


def test_the_frame_on_the_screen() -> None:
    times_s = (0.0, 0.5, 3.0)
    assert [frame_at(times_s, t_s) for t_s in (0, 0.49, 0.5, 2.9, 3, 9)] == [0, 0, 1, 1, 2, 2]


def test_rounding_does_not_miss_a_frame() -> None:
    # 11.2 * 3.5 / 4 is 9.799999999999999 in floating point; frame 245 of 25 a second is due at 9.8 s.
    times_s = [i / 25 for i in range(280)]
    assert moments(Course(times_s, 11.2), Frames(count=4))[-1] == Moment("key", 245, 9.8)


def test_a_still_image_gives_one() -> None:
    assert moments(Course((0.0,), 0), Frames(count=16)) == [Moment("key", 0, 0.0)]


def test_no_frames_give_none() -> None:
    assert moments(Course((), 0), Frames()) == []


@given(st.floats(0.01, 1e4), COUNTS)
def test_times_are_evenly_spaced_within_the_clip(duration_s: float, count: int) -> None:
    times_s = uniform(duration_s, count)
    assert len(times_s) == count
    assert 0 < times_s[0] < times_s[-1] + 1e-12 < duration_s + 1e-12
    assert times_s[0] == pytest.approx(duration_s - times_s[-1])


@given(GAPS_S, COUNTS)
def test_moments_are_frames_in_order_and_none_twice(gaps_s: list[float], count: int) -> None:
    times_s = [0.0, *accumulate(gaps_s)]
    found = moments(Course(times_s, times_s[-1] + 0.04), Frames(count=count))
    indices = [moment.index for moment in found]
    assert 1 <= len(found) <= min(count, len(times_s))
    assert indices == sorted(set(indices))
    assert all(moment.t_s == times_s[moment.index] for moment in found)


@given(st.integers(1, 400), COUNTS)
def test_at_a_steady_rate_as_many_as_asked_or_there_are(n_frames: int, count: int) -> None:
    times_s = [i / 25 for i in range(n_frames)]
    assert len(moments(Course(times_s, n_frames / 25), Frames(count=count))) == min(n_frames, count)


def test_so_many_a_second() -> None:
    # 4 s at 2 a second: eight shares of 0.5 s, at 25 frames a second; 0.25 s is between frames 6 and 7.
    times_s = [i / 25 for i in range(100)]
    found = moments(Course(times_s, 4), Frames(strategy="fps", fps=2, count=64))
    assert [moment.index for moment in found] == [6, 18, 31, 43, 56, 68, 81, 93]


def test_a_clip_too_long_for_its_rate_is_seen_to_its_end() -> None:
    # 5 a second would be 50 pictures: eight of shares of 1.25 s instead, which `uniform` gives too.
    times_s = [i / 25 for i in range(250)]
    frames = Frames(strategy="fps", fps=5, count=8)
    assert moments(Course(times_s, 10), frames) == moments(Course(times_s, 10), Frames(count=8))
    assert moments(Course(times_s, 10), frames)[-1].t_s > 9


def test_a_clip_shorter_than_a_share_and_a_still_image_give_one() -> None:
    slow = Frames(strategy="fps", fps=0.1)
    assert [moment.index for moment in moments(Course((0.0, 0.5, 1.0), 1.5), slow)] == [1]
    assert moments(Course((0.0,), 0), slow) == [Moment("key", 0, 0.0)]


@given(st.integers(1, 400), st.floats(0.1, 120), COUNTS)
def test_at_its_rate_or_at_the_most_that_is_allowed(n_frames: int, fps: float, count: int) -> None:
    times_s = [i / 25 for i in range(n_frames)]
    found = moments(Course(times_s, n_frames / 25), Frames(strategy="fps", fps=fps, count=count))
    assert len(found) == min(n_frames, count, max(1, round(n_frames / 25 * fps)))


def test_frames_between() -> None:
    # Two key frames, 2 s apart, at 1 and 3 s; 3 frames part the gap into four steps of 0.5 s.
    times_s = [i / 10 for i in range(40)]
    found = moments(Course(times_s, 4), Frames(count=2), between=3)
    assert [(moment.role, moment.t_s) for moment in found] == [
        ("key", 1.0),
        ("between", 1.5),
        ("between", 2.0),
        ("between", 2.5),
        ("key", 3.0),
    ]


def test_nothing_lies_between_one_frame() -> None:
    assert moments(Course((0.0,), 0), Frames(), between=4) == [Moment("key", 0, 0.0)]
    assert moments(Course((), 0), Frames(), between=4) == []


@given(GAPS_S, COUNTS, st.integers(0, 16))
def test_frames_between_leave_key_frames_as_they_are(gaps_s: list[float], count: int, between: int) -> None:
    times_s = [0.0, *accumulate(gaps_s)]
    frames = Frames(count=count)
    found = moments(Course(times_s, times_s[-1] + 0.04), frames, between=between)
    assert [moment for moment in found if moment.role == "key"] == moments(
        Course(times_s, times_s[-1] + 0.04), frames
    )
    indices = [moment.index for moment in found]
    assert indices == sorted(set(indices))
    keys = [place for place, moment in enumerate(found) if moment.role == "key"]
    assert keys[0] == 0
    assert keys[-1] == len(found) - 1
    assert all(later - earlier - 1 <= between for earlier, later in pairwise(keys))


@given(st.integers(1, 400), st.integers(2, 16), st.integers(1, 16))
def test_at_a_steady_rate_every_gap_gives_what_it_has(n_frames: int, count: int, between: int) -> None:
    times_s = [i / 25 for i in range(n_frames)]
    found = moments(Course(times_s, n_frames / 25), Frames(count=count), between=between)
    keys = [place for place, moment in enumerate(found) if moment.role == "key"]
    for earlier, later in pairwise(keys):
        in_gap = found[later].index - found[earlier].index - 1
        assert later - earlier - 1 == min(between, in_gap)


@given(st.floats(0.1, 1e4), COUNTS)
def test_pictures_spread_over_nothing_are_even(duration_s: float, count: int) -> None:
    assert spread(duration_s, [], count) == pytest.approx(uniform(duration_s, count))


@given(st.lists(st.floats(0, 10), max_size=10).map(sorted), st.integers(0, 30))
def test_spread_pictures_rise_within_the_clip(fixed_s: list[float], count: int) -> None:
    found = spread(10, fixed_s, count)
    assert len(found) == count
    assert found == sorted(found)
    assert all(0 <= t_s <= 10 for t_s in found)


def test_spread_pictures_go_where_the_stretch_is_longest() -> None:
    # One at 1 s of 9: of the 8 s after it, which end open, two pictures make steps of 3.2 s.
    assert spread(9, [1.0], 2) == pytest.approx([4.2, 7.4])


def test_apexes_come_first_then_onsets_then_calm_stretches() -> None:
    times_s = [i / 10 for i in range(100)]
    changes = (
        Change(onset=20, apex=22, strength=9, is_brief=True),
        Change(onset=60, apex=70, strength=50, is_brief=False),
        Change(onset=40, apex=41, strength=7, is_brief=True),
    )
    course = Course(times_s, 10, changes)

    def keys(count: int) -> list[int]:
        return [moment.index for moment in moments(course, Frames(strategy="events", count=count))]

    assert keys(3) == [22, 41, 70]
    assert keys(5) == [20, 22, 41, 70, 90], "of two left over, one goes to an onset"


def test_in_a_clip_that_moves_all_the_time_each_share_gives_one() -> None:
    times_s = [i / 10 for i in range(100)]
    # Shares of 2.5 s; the second has a long and a weaker brief change, the third none.
    found = [(3, 9.0, True), (11, 20.0, True), (12, 30.0, True), (30, 90.0, False), (40, 6.0, True)]
    found += [(index, 5.0, False) for index in (1, 5, 7, 9)]
    changes = tuple(Change(apex, apex, strength, is_brief) for apex, strength, is_brief in found)
    keys = moments(Course(times_s, 10, changes), Frames(strategy="events", count=4))
    assert [moment.index for moment in keys] == [12, 40, 62, 87]
