"""A clip's pictures show what its truth says, also when only four of them are looked at."""

import numpy as np
import pytest

from curate.demo.cues import HIDDEN, OPTIONS, Cues, draw_covers
from curate.demo.people import draw_person, draw_setting
from curate.demo.scenes import Pose
from curate.demo.stories import FRAMES_PER_MOMENT, N_MOMENTS, Story, poses_of, tell_story

N_FRAMES = N_MOMENTS * FRAMES_PER_MOMENT

FOUR = {
    "starts of quarters": [0, 6, 12, 18],
    "middles of quarters": [3, 9, 15, 21],
    "first to last": [0, 8, 15, 23],
}


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    rng = np.random.default_rng(0)
    values = [{item: int(rng.integers(len(OPTIONS[item]))) for item in OPTIONS} for _ in range(200)]
    return [
        tell_story(draw_person(rng), draw_setting(rng), Cues(value, draw_covers(rng)), rng)
        for value in values
    ]


@pytest.mark.parametrize("chosen", FOUR.values(), ids=FOUR.keys())
def test_four_evenly_spaced_pictures_answer_every_item(stories: list[Story], chosen: list[int]) -> None:
    for story in stories:
        poses = poses_of(story)
        assert len(poses) == N_FRAMES
        read, true = _read([poses[k] for k in chosen]), story.cues.values
        assert read == {item: true[item] for item in read}
        hands = -1 if "low camera" in story.cues.covers else true["hands"]
        assert {pose.hands for pose in poses} == {hands}


def test_blinks_and_half_way_poses_are_there_but_few(stories: list[Story]) -> None:
    poses = [poses_of(story) for story in stories if story.cues.values["eyes"] == 2]
    closed = np.mean([pose.face.eyes == 0 for clip in poses for pose in clip])
    assert closed == pytest.approx(0.25 / FRAMES_PER_MOMENT, abs=0.015)  # a quarter of the moments has one
    first, half_way, second = (poses[0][k] for k in (0, 5, 6))
    assert half_way.x == pytest.approx((first.x + second.x) / 2)


def test_hidden_cues_are_drawn_too(stories: list[Story]) -> None:
    masked = next(story for story in stories if "mask" in story.cues.covers)
    assert masked.cues.seen()["mouth"] == HIDDEN
    assert masked.moments[0].face.mouth == masked.cues.values["mouth"]


def _read(poses: list[Pose]) -> dict[str, int]:
    """The answers as a person would give them, from what the pictures show."""
    aside = [abs(pose.face.gaze) > 0.5 for pose in poses]
    span = max(pose.x for pose in poses) - min(pose.x for pose in poses)
    tilt = float(np.mean([abs(pose.tilt) for pose in poses]))
    faces = {(pose.face.eyes, pose.face.turn, pose.face.mouth, pose.face.brows) for pose in poses}
    ((eyes, head, mouth, brows),) = faces
    return {
        "gaze": 0 if not any(aside) else 2 if all(aside) else 1,
        "eyes": eyes,
        "head": head,
        "mouth": mouth,
        "brows": brows,
        "tilt": int(np.digitize(tilt, (5.5, 16))),
        "movement": int(np.digitize(span, (1.5, 6))),
    }
