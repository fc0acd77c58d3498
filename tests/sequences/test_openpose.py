import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from curate.errors import MediaError
from curate.sequences.openpose import people_of

PARTS = {
    "pose_keypoints_2d": slice(0, 25),
    "face_keypoints_2d": slice(25, 95),
    "hand_left_keypoints_2d": slice(95, 116),
    "hand_right_keypoints_2d": slice(116, 137),
}
NUMBERS = st.floats(0.5, 2000, width=32)


def written(people: NDArray[np.float32]) -> bytes:
    """As OpenPose writes it."""
    told = [
        {"person_id": [-1]} | {name: one[part].ravel().tolist() for name, part in PARTS.items()}
        for one in people
    ]
    return json.dumps({"version": 1.3, "people": told}).encode()


@given(hnp.arrays(np.float32, st.tuples(st.integers(0, 3), st.just(137), st.just(3)), elements=NUMBERS))
def test_what_is_written_as_openpose_does_reads_back(people: NDArray[np.float32]) -> None:
    order = np.argsort(-people[..., 2].sum(axis=1), kind="stable")
    assert np.array_equal(people_of(written(people)), people[order])


def test_parts_that_were_not_looked_for_are_0() -> None:
    body = list(map(float, range(1, 76)))
    for rest in ({}, {"face_keypoints_2d": [], "hand_left_keypoints_2d": []}):
        found = people_of(json.dumps({"people": [{"pose_keypoints_2d": body, **rest}]}).encode())
        assert found[0, :25].ravel().tolist() == body
        assert (found[0, 25:] == 0).all()


def test_a_point_that_was_not_found_is_0_whatever_its_place() -> None:
    body = [5.0, 6.0, 0.0] + [1.0] * 72
    assert people_of(json.dumps({"people": [{"pose_keypoints_2d": body}]}).encode())[0, 0].tolist() == [
        0,
        0,
        0,
    ]


def test_of_a_crowd_only_the_surest_are_taken() -> None:
    crowd = np.ones((30, 137, 3), np.float32)
    crowd[:, :, 2] = np.linspace(0.1, 1, 30)[:, None]
    assert people_of(written(crowd))[:, 0, 2].tolist() == crowd[::-1, 0, 2][:20].tolist()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no JSON"),
        (b'{"people": [', "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[1]", "has no list of people"),
        (b'{"people": 3}', "has no list of people"),
        (b'{"people": [7]}', "has int for a person"),
        (b'{"people": [{"pose_keypoints_2d": "abc"}]}', "something else than numbers in pose_keypoints_2d"),
        (b'{"people": [{"pose_keypoints_2d": [{}]}]}', "something else than numbers in pose_keypoints_2d"),
        (b'{"people": [{"pose_keypoints_2d": 5}]}', "has 1 numbers in pose_keypoints_2d, expected 25 times"),
        (
            b'{"people": [{"face_keypoints_2d": [1, 2, 3]}]}',
            "has 3 numbers in face_keypoints_2d, expected 70 times",
        ),
        (b'{"people": [{"hand_left_keypoints_2d": [NaN%s]}]}' % (b", 1" * 62), "that are not finite"),
        (b'{"people": [{"hand_left_keypoints_2d": [1e99%s]}]}' % (b", 1" * 62), "that are not finite"),
        (
            b'{"people": [{"pose_keypoints_2d": [1%s]}]}' % (b", 1" * 53),
            r"COCO's body; run OpenPose with --model_pose",
        ),
    ],
)
def test_what_is_no_frame_of_openpose_says_so(content: bytes, told: str) -> None:
    with pytest.raises(MediaError, match=told):
        people_of(content)
