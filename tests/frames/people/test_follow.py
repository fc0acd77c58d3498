"""One person is followed: the same one, without jumps, and nowhere where they are not."""

import math
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curate.frames.people.boxes import Box
from curate.frames.people.finder import Detection
from curate.frames.people.follow import follow

SIZE = (640.0, 480.0)


def at(x: float, y: float = 240, side: float = 80, score: float = 0.9) -> Detection:
    return Detection(Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2), score)


def middles(boxes: list[Box | None]) -> list[float | None]:
    return [None if box is None else round(box.centre[0], 6) for box in boxes]


def test_nobody_is_an_answer() -> None:
    assert follow([[], []], [0, 1], SIZE, smoothing_s=0.5) == [None, None]
    assert follow([], [], SIZE, smoothing_s=0.5) == []


def test_a_still_shows_the_one_who_is_large_and_in_the_middle() -> None:
    (box,) = follow([[at(60, 60), at(320, side=90), at(600, side=40)]], [0.0], SIZE, smoothing_s=0.5)
    assert middles([box]) == [320]


def test_a_second_person_who_passes_does_not_steal_the_track() -> None:
    times_s = [0.2 * i for i in range(11)]
    walk = [20.0 + 60 * i for i in range(11)]
    # The passer-by is nearer to the camera, and so larger, for a while.
    found = [[at(320), at(x, side=100)] for x in walk]
    assert middles(follow(found, times_s, SIZE, smoothing_s=0)) == [320] * 11


def test_a_short_gap_is_filled_on_the_line_between() -> None:
    found = [[at(300)], [], [], [at(330)]]
    assert middles(follow(found, [0, 0.5, 1, 1.5], SIZE, smoothing_s=0)) == [300, 310, 320, 330]


def test_one_moment_is_filled_however_far_moments_are_apart() -> None:
    assert middles(follow([[at(300)], [], [at(320)]], [0, 5, 10], SIZE, smoothing_s=0)) == [300, 310, 320]


def test_a_long_gap_stays_a_gap_but_for_a_second_at_its_ends() -> None:
    found = [[at(300)], [], [], [], [], [at(300)]]
    # 4 s without the person: held for 1 s after and before the sightings.
    boxes = follow(found, [0, 0.9, 1.5, 2.5, 3.2, 4], SIZE, smoothing_s=0)
    assert middles(boxes) == [300, 300, None, None, 300, 300]


def test_smoothing_averages_with_weights_that_fall_to_both_sides() -> None:
    # Half a window is 0.2 s: weights 1/2, 1, 1/2 at distances of 0.1 s.
    boxes = follow([[at(300)], [at(300)], [at(320)]], [0, 0.1, 0.2], SIZE, smoothing_s=0.4)
    # (300 + 300 / 2) / 1.5 = 300; (150 + 300 + 160) / 2 = 305; (150 + 320) / 1.5 = 313.33
    assert middles(boxes) == [300, 305, pytest.approx(313.333333)]


def test_a_face_that_doubles_and_halves_has_its_own_size_on_average() -> None:
    boxes = follow([[at(320, side=60)], [at(320, side=80)]], [0, 1e-9], SIZE, smoothing_s=1)
    assert boxes[0] is not None
    assert boxes[0].width == pytest.approx(math.sqrt(60 * 80), rel=1e-6)


@pytest.mark.parametrize(("n_moments", "believed"), [(1, True), (3, True), (4, False), (8, False)])
def test_one_sighting_of_many_moments_is_nobody(n_moments: int, *, believed: bool) -> None:
    # One of eight moments shows a face where no other does: mostly a false alarm.
    found = [[at(200, 150)], *([[]] * (n_moments - 1))]
    boxes = follow(found, [float(i) for i in range(n_moments)], SIZE, smoothing_s=0)
    assert (boxes[0] is not None) == believed


detections = st.builds(
    at,
    st.integers(0, 640),
    st.integers(0, 480),
    st.integers(10, 200),
    st.sampled_from([0.5, 0.7, 0.9]),
)
waits = st.floats(0.04, 3)


@given(st.lists(st.tuples(waits, st.lists(detections, max_size=4, unique=True)), max_size=8), st.data())
def test_laws(clip: list[tuple[float, list[Detection]]], data: st.DataObject) -> None:
    times_s = [sum(wait for wait, _ in clip[: i + 1]) for i in range(len(clip))]
    found = [here for _, here in clip]
    smoothing_s = data.draw(st.sampled_from([0.0, 0.5, 3.0]))
    boxes = follow(found, times_s, SIZE, smoothing_s=smoothing_s)
    rnd: Random = data.draw(st.randoms(use_true_random=False))
    shuffled = [rnd.sample(here, len(here)) for here in found]
    assert follow(shuffled, times_s, SIZE, smoothing_s=smoothing_s) == boxes
    assert len(boxes) == len(times_s)
    everything = [one.box for here in found for one in here]
    for box in boxes:
        if box is not None:
            # An average lies among what it is made of.
            assert min(one.left for one in everything) - 1e-6 <= box.centre[0]
            assert box.centre[0] <= max(one.right for one in everything) + 1e-6
            assert box.width <= max(one.width for one in everything) + 1e-6


@given(st.lists(waits, min_size=1, max_size=10), st.floats(0, 5))
@example([1.0], 5e-324)
def test_who_does_not_move_has_a_crop_that_does_not_move(steps_s: list[float], smoothing_s: float) -> None:
    times_s = [sum(steps_s[: i + 1]) for i in range(len(steps_s))]
    still = at(200, 150)
    for box in follow([[still]] * len(times_s), times_s, SIZE, smoothing_s=smoothing_s):
        assert box is not None
        edges = (box.left, box.top, box.right, box.bottom)
        assert edges == pytest.approx((160, 110, 240, 190), abs=1e-6)
