"""Of several findings of the same thing one is left."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from curate.frames.people.boxes import Box
from curate.frames.people.finder import Detection, distinct

FACE = Detection(Box(10, 10, 50, 50), 0.8)


def test_the_higher_score_stays() -> None:
    lower = Detection(Box(12, 12, 52, 52), 0.6)
    assert distinct([lower, FACE]) == [FACE]


def test_a_part_of_it_is_no_second_one() -> None:
    # 20 x 20 inside 40 x 40 overlaps by only a quarter, but is covered whole.
    part = Detection(Box(20, 20, 40, 40), 0.6)
    assert distinct([part, FACE]) == [FACE]


def test_neighbours_stay() -> None:
    neighbour = Detection(Box(45, 10, 85, 50), 0.9)
    assert distinct([FACE, neighbour]) == [neighbour, FACE]
    assert distinct([]) == []


detections = st.builds(
    lambda left, top, side, score: Detection(Box(left, top, left + side, top + side), score),
    st.integers(0, 90),
    st.integers(0, 90),
    st.integers(5, 40),
    st.sampled_from([0.3, 0.5, 0.7]),
)


@given(st.lists(detections, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_matter(found: list[Detection], rnd: Random) -> None:
    assert distinct(rnd.sample(found, len(found))) == distinct(found)
