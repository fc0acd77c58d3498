"""The guarantee of strategy events, on looks that are made up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from curate.frames.changes import LONG, VISIBLE, WINDOW_S, Change, Windows, changes
from curate.frames.sample import Course, moments
from curate.recipe import Frames

FPS = 25
N_FRAMES = 250
SHAPE = (12, 16)


def clip(starts: list[int], lengths: list[int], seed: int, noise: float = 1.0) -> NDArray[np.float32]:
    """Frames of grey noise in which a point is 60 levels brighter for a while; shape (250, 12, 16)."""
    rng = np.random.default_rng(seed)
    frames = np.full((N_FRAMES, *SHAPE), 100.0) + rng.normal(0, noise, (N_FRAMES, *SHAPE))
    for start, length in zip(starts, lengths, strict=True):
        row, column = rng.integers(SHAPE[0]), rng.integers(SHAPE[1])
        frames[start : start + length, row, column] += 60
    return np.clip(frames, 0, 255).astype(np.uint8)


def told(frames: NDArray[np.float32]) -> tuple[Change, ...]:
    windows = Windows()
    for i, look in enumerate(frames):
        # Windows of 0.12 s hold three frames at 25 a second; the second stands for them.
        windows.add(i / FPS, i, look, stands_for_window=i % 3 == 1)
    return windows.changes()


def keys(frames: NDArray[np.float32], count: int) -> list[int]:
    times_s = [i / FPS for i in range(len(frames))]
    course = Course(times_s, len(frames) / FPS, told(frames))
    return [moment.index for moment in moments(course, Frames(strategy="events", count=count))]


def apart(starts: list[int], lengths: list[int]) -> tuple[list[int], list[int]]:
    """Changes one after the other with calm between them, as far as the clip has room."""
    at, kept = 8, []
    for gap, length in zip(starts, lengths, strict=True):
        if at + gap + length > N_FRAMES - 8:
            break
        kept.append((at + gap, length))
        at += gap + length + 12
    return [start for start, _ in kept], [length for _, length in kept]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(7, 12)), min_size=1, max_size=8),
    st.integers(0, 10_000),
)
@settings(max_examples=60, deadline=None)
def test_every_change_from_a_quarter_second_on_has_a_frame_inside(
    gaps: list[tuple[int, int]], seed: int
) -> None:
    # 0.25 s at 25 frames a second are 6.25: seven frames are shown. As many pictures as changes suffice.
    starts, lengths = apart(*map(list, zip(*gaps, strict=True)))
    found = keys(clip(starts, lengths, seed), count=len(starts))
    for start, length in zip(starts, lengths, strict=True):
        assert any(start <= index < start + length for index in found), (starts, lengths, found)


@given(st.integers(13, 44), st.integers(10, 190), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_longer_changes_are_told_as_well(length: int, start: int, seed: int) -> None:
    # Up to 16 windows of three frames; one that begins within a window reaches into one more.
    assert length <= (LONG - 1) * 3
    (index,) = keys(clip([start], [length], seed), count=1)
    assert start <= index < start + length


@given(st.integers(0, 10_000), st.floats(0, 6))
@settings(max_examples=40, deadline=None)
def test_where_nothing_changes_moments_are_even(seed: int, noise: float) -> None:
    frames = clip([], [], seed, noise)
    even = moments(Course([i / FPS for i in range(N_FRAMES)], 10.0), Frames(count=8))
    # Of 84 x 192 values of noise hardly one is beyond five standard deviations; a few may be.
    assert len(told(frames)) <= 2
    if not told(frames):
        assert keys(frames, 8) == [moment.index for moment in even]


def test_a_change_by_less_than_the_noise_allows_is_not_told() -> None:
    rng = np.random.default_rng(0)
    frames = np.full((N_FRAMES, *SHAPE), 100.0) + rng.normal(0, 8, (N_FRAMES, *SHAPE))
    frames[100:108, 3, 3] += VISIBLE  # less than one standard deviation
    assert not any(100 <= change.apex < 108 for change in told(frames.clip(0, 255).astype(np.uint8)))


def test_onset_apex_and_strength() -> None:
    frames = np.full((N_FRAMES, *SHAPE), 100, dtype=np.uint8)
    frames[99:111, 4:6, 4:6] = 150  # four whole windows, 33 to 36; one point of a look of half the size
    (change,) = told(frames)
    # Without noise a level counts half: 50 levels are 100 times that.
    assert change == Change(onset=100, apex=100, strength=pytest.approx(100), is_brief=True)


def test_a_step_that_does_not_go_back_is_no_change() -> None:
    frames = np.full((N_FRAMES, *SHAPE), 100, dtype=np.uint8)
    frames[120:] = 180
    assert told(frames) == ()


def test_what_is_told_of_a_long_clip_does_not_depend_on_where_it_is_cut() -> None:
    # 3,000 frames are 1,000 windows, worked on in stretches of 128: a change in each place is told once.
    frames = np.full((3000, *SHAPE), 100, dtype=np.uint8)
    starts = list(range(60, 2940, 45))
    for start in starts:
        frames[start : start + 9, 4, 4] = 200
    found = sorted(change.apex for change in told(frames))
    assert len(found) == len(starts)
    assert all(start <= apex < start + 9 for start, apex in zip(starts, found, strict=True))


def test_nothing_is_told_of_next_to_nothing() -> None:
    assert told(np.zeros((0, *SHAPE), dtype=np.uint8)) == ()
    assert told(np.zeros((1, *SHAPE), dtype=np.uint8)) == ()
    assert changes(np.zeros((2, *SHAPE), dtype=np.float32), [0, 3]) == []
    assert WINDOW_S <= 0.25 / 2, "a quarter of a second holds one whole window, wherever it begins"
