import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from curate.demo.cues import Cues, draw_covers
from curate.demo.keypoints import N_POINTS, found_points, points_of, write_keypoints
from curate.demo.people import draw_person, draw_setting
from curate.demo.stories import Story, poses_of, tell_story
from curate.sequences.openpose import people_of

CALM = {"gaze": 0, "eyes": 2, "head": 0, "mouth": 2, "brows": 1, "tilt": 0, "hands": 1, "movement": 0}
UPPER_LIP, LOWER_LIP, PUPIL, LEFT_LID, RIGHT_BROW = 51, 57, 68, 37, 19


def story(covers: frozenset[str] = frozenset(), **values: int) -> Story:
    rng = np.random.default_rng(0)
    return tell_story(draw_person(rng), draw_setting(rng), Cues({**CALM, **values}, covers), rng)


def face(shown: Story) -> np.ndarray:
    return points_of(shown, shown.moments[0])["face"]


def test_every_cue_is_told_by_where_points_lie() -> None:
    calm = face(story())
    # A yawn opens the mouth; brows and lids rise and fall; pupils go aside.
    assert face(story(mouth=0))[LOWER_LIP, 1] - face(story(mouth=0))[UPPER_LIP, 1] > 15
    assert calm[LOWER_LIP, 1] - calm[UPPER_LIP, 1] < 1
    assert face(story(brows=2))[RIGHT_BROW, 1] < calm[RIGHT_BROW, 1] - 4
    assert face(story(eyes=1))[LEFT_LID, 1] > calm[LEFT_LID, 1] + 4
    assert abs(face(story(gaze=2))[PUPIL, 0] - calm[PUPIL, 0]) > 3
    hands = points_of(story(hands=3), story(hands=3).moments[0])["pose"][[4, 7]]
    assert hands[:, 1].min() < points_of(story(), story().moments[0])["pose"][[4, 7], 1].min() - 60
    mouth = face(story(mouth=3))[[48, 54, 57], 1], face(story(mouth=1))[[48, 54, 57], 1]
    assert mouth[0][:2].mean() < mouth[0][2]  # corners above the middle of the lower lip: a smile
    assert mouth[1][:2].mean() > mouth[1][2]


@pytest.mark.parametrize(
    ("cover", "part", "points"),
    [
        ("sunglasses", "face", [*range(36, 48), 68, 69]),
        ("mask", "face", range(48, 68)),
        ("cap", "face", range(17, 27)),
        ("low camera", "hand_left", range(21)),
    ],
)
def test_what_is_covered_is_not_found(cover: str, part: str, points: list[int]) -> None:
    hidden, shown = (points_of(one, one.moments[0])[part] for one in (story(frozenset({cover})), story()))
    assert np.isnan(hidden[list(points)]).all()
    assert not np.isnan(shown[list(points)]).any()


def test_from_behind_only_ears_and_shoulders_are_found() -> None:
    behind = story(head=2)
    points = points_of(behind, behind.moments[0])
    assert np.isnan(points["face"]).all()
    assert np.flatnonzero(~np.isnan(points["pose"][:, 0])).tolist() == [1, 2, 3, 4, 5, 6, 7, 17, 18]


def test_closed_eyes_have_lids_but_no_pupils() -> None:
    closed = face(story(eyes=0))
    assert not np.isnan(closed[36:48]).any()
    assert np.isnan(closed[68:]).all()


def test_errors_are_small_and_few() -> None:
    shown = story()
    places = points_of(shown, shown.moments[0])
    rng = np.random.default_rng(1)
    off, missed = [], 0
    for _ in range(50):
        for part, truth in places.items():
            found = np.array(found_points(places, rng)[f"{part}_keypoints_2d"]).reshape(-1, 3)
            there = found[:, 2] > 0
            off.append((found[there, :2] - truth[there]).ravel())
            missed += int((~there & ~np.isnan(truth[:, 0])).sum())
    assert np.concatenate(off).std() == pytest.approx(0.6, rel=0.1)
    # 2 % of some 130 points, 50 times.
    assert 50 < missed < 250


def test_it_is_read_as_openpose_and_the_same_for_a_seed(tmp_path: Path) -> None:
    stories = [
        ("clip_1", story()),
        ("clip_2", replace(story(), cues=Cues(CALM, draw_covers(np.random.default_rng(3))))),
    ]
    for name in ("a", "b"):
        write_keypoints(tmp_path / f"{name}.zip", stories, np.random.default_rng(5))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        names = file.namelist()
        assert names[:2] == [f"clip_1/clip_1_{k:012}_keypoints.json" for k in range(2)]
        assert len(names) == 2 * len(poses_of(story()))
        (person,) = people_of(file.read(names[0]))
        assert person.shape == (N_POINTS, 3)
        assert set(json.loads(file.read(names[0]))) == {"version", "people"}
