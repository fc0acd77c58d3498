import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from curate.sequences.points import BODY, FACE, LEFT_HAND, RIGHT_HAND
from curate.sequences.skeleton import COCO, MAPPINGS, MIDDLES, WHOLE_BODY, as_openpose


@pytest.mark.parametrize("n_points", MAPPINGS)
def test_every_point_has_a_place_and_no_place_has_two(n_points: int) -> None:
    mapping = MAPPINGS[n_points]
    assert sorted(mapping) == list(range(n_points))
    assert len({*mapping.values(), *MIDDLES}) == n_points + 2
    assert {*mapping.values(), *MIDDLES} <= set(range(137))


def test_what_no_model_tells_are_the_pupils_and_without_a_whole_body_all_but_the_body() -> None:
    assert set(range(137)) - {*WHOLE_BODY.values(), *MIDDLES} == {FACE.start + 68, FACE.start + 69}
    # Of the body, COCO has no feet (19 to 24).
    assert {*COCO.values(), *MIDDLES} == set(range(19))


@pytest.mark.parametrize(
    ("whole_body", "target"),
    [
        # Left and right: COCO names the left before the right, BODY_25 the other way round.
        (1, 16), (2, 15), (5, 5), (6, 2), (9, 7), (10, 4), (15, 14), (16, 11),
        # Left big toe, right heel; first of the jaw, last of the mouth; wrists and last tips of the hands.
        (17, 19), (22, 24), (23, 25), (90, 92), (91, 95), (111, 115), (112, 116), (132, 136),
    ],
)  # fmt: skip
def test_points_by_their_names(whole_body: int, target: int) -> None:
    assert WHOLE_BODY[whole_body] == target


def test_middles_are_as_sure_as_the_less_sure_end() -> None:
    points = np.zeros((1, 17, 3), np.float32)
    points[0, [5, 6]] = [[100, 50, 0.75], [60, 54, 0.5]]
    points[0, 11] = [90, 150, 0.9]
    found = as_openpose(points)[0]
    assert found[1].tolist() == [80, 52, 0.5]
    assert found[8].tolist() == [0, 0, 0]  # one hip alone tells no middle
    assert found[12].tolist() == pytest.approx([90, 150, 0.9])


@given(st.sampled_from(sorted(MAPPINGS)), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_points_keep_their_numbers(n_points: int, n_people: int, seed: int) -> None:
    points: NDArray[np.float32] = (
        np.random.default_rng(seed).uniform(0.1, 1, (n_people, n_points, 3)).astype("f4")
    )
    found = as_openpose(points)
    assert found.shape == (n_people, 137, 3)
    for source, target in MAPPINGS[n_points].items():
        assert np.array_equal(found[:, target], points[:, source])


def test_parts_are_where_openpose_has_them() -> None:
    assert [one.stop - one.start for one in (BODY, FACE, LEFT_HAND, RIGHT_HAND)] == [25, 70, 21, 21]
    assert (BODY.stop, FACE.stop, LEFT_HAND.stop, RIGHT_HAND.stop) == (25, 95, 116, 137)
