"""Findings of the same person are put together; nobody's are mixed up or lost."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from curate.frames.people.boxes import Box
from curate.frames.people.finder import Detection
from curate.frames.people.tracks import Track, tracks


def at(x: float, y: float = 100, side: float = 40, score: float = 0.9) -> Detection:
    return Detection(Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2), score)


def middles(track: Track) -> list[float]:
    return [one.box.centre[0] for one in track]


def test_two_people_stay_two() -> None:
    found = [[at(100), at(200)], [at(205), at(104)], [at(108), at(210)]]
    assert [middles(one) for one in tracks(found, [0, 0.1, 0.2])] == [[100, 104, 108], [200, 205, 210]]


def test_who_passes_by_takes_along_their_own_finding() -> None:
    # One stands at 100; the other walks by from 40 to 160, 20 px a moment, and covers them at 100.
    walk = [40.0, 60, 80, 100, 120, 140, 160]
    found = [[at(100), at(x, side=44)] if x != 100 else [at(x, side=44)] for x in walk]
    followed = tracks(found, [0.1 * i for i in range(7)])
    # Where one covers the other, the one finding that is left is where both are.
    assert sorted(middles(one) for one in followed) == [[40, 60, 80, 120, 140, 160], [100] * 7]


def test_a_face_that_was_missed_is_found_again_as_the_same() -> None:
    (track,) = tracks([[at(100)], [], [], [at(130)]], [0, 0.5, 1, 1.5])
    assert [one.moment for one in track] == [0, 3]


def test_what_is_too_far_away_or_of_another_size_is_someone_else() -> None:
    assert len(tracks([[at(100)], [at(300)]], [0, 0.1])) == 2
    assert len(tracks([[at(100, side=20)], [at(100, side=80)]], [0, 0.1])) == 2


def test_what_was_lost_for_too_long_is_someone_else() -> None:
    assert len(tracks([[at(100)], [at(100)]], [0, 3], lost_s=2)) == 2
    assert len(tracks([[at(100)], [at(100)]], [0, 3])) == 1


def test_nothing_found_is_no_track() -> None:
    assert tracks([], []) == []
    assert tracks([[], []], [0, 1]) == []


detections = st.builds(
    at,
    st.integers(0, 300),
    st.integers(0, 200),
    st.integers(0, 60),
    st.sampled_from([0.5, 0.7, 0.9]),
)
clips = st.lists(st.lists(detections, max_size=4, unique=True), max_size=6)


@given(clips, st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_matter_and_none_is_lost(
    found: list[list[Detection]], rnd: Random
) -> None:
    times_s = [0.4 * i for i in range(len(found))]
    expected = tracks(found, times_s)
    assert tracks([rnd.sample(here, len(here)) for here in found], times_s) == expected
    seen = sorted((one.moment, one.box.left, one.box.top, one.score) for track in expected for one in track)
    given_ = sorted((i, one.box.left, one.box.top, one.score) for i, here in enumerate(found) for one in here)
    assert seen == given_
    assert all(len({one.moment for one in track}) == len(track) for track in expected)
