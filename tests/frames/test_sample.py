"""The laws of sampling."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.frames.sample import Moment, frame_at, moments, uniform
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
    assert moments(times_s, 11.2, Frames(count=4))[-1] == Moment("key", 245, 9.8)


def test_a_still_image_gives_one() -> None:
    assert moments((0.0,), 0, Frames(count=16)) == [Moment("key", 0, 0.0)]


def test_no_frames_give_none() -> None:
    assert moments((), 0, Frames()) == []


@given(st.floats(0.01, 1e4), COUNTS)
def test_times_are_evenly_spaced_within_the_clip(duration_s: float, count: int) -> None:
    times_s = uniform(duration_s, count)
    assert len(times_s) == count
    assert 0 < times_s[0] < times_s[-1] + 1e-12 < duration_s + 1e-12
    assert times_s[0] == pytest.approx(duration_s - times_s[-1])


@given(GAPS_S, COUNTS)
def test_moments_are_frames_in_order_and_none_twice(gaps_s: list[float], count: int) -> None:
    times_s = [0.0, *accumulate(gaps_s)]
    found = moments(times_s, times_s[-1] + 0.04, Frames(count=count))
    indices = [moment.index for moment in found]
    assert 1 <= len(found) <= min(count, len(times_s))
    assert indices == sorted(set(indices))
    assert all(moment.t_s == times_s[moment.index] for moment in found)


@given(st.integers(1, 400), COUNTS)
def test_at_a_steady_rate_as_many_as_asked_or_there_are(n_frames: int, count: int) -> None:
    times_s = [i / 25 for i in range(n_frames)]
    assert len(moments(times_s, n_frames / 25, Frames(count=count))) == min(n_frames, count)
