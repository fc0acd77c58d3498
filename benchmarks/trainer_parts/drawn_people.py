"""Drawn people's key points with their true classes; nothing is noisy but the points."""

from itertools import chain
from pathlib import Path

import numpy as np

from curate.demo.cues import CLASSES, draw_cues
from curate.demo.keypoints import found_points, points_of
from curate.demo.people import draw_person, draw_setting
from curate.demo.scenes import SIZE
from curate.demo.stories import poses_of, tell_story
from train_reference.data.clips import NO_LABEL, Clips
from train_reference.data.sequences import Sequences, SequencesWriter
from train_reference.features.keypoints import with_offsets
from train_reference.models.keypoints import N_POINTS, WIDTH

_PARTS = ("pose_keypoints_2d", "face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
_SPLITS = ("train", "train", "train", "validation", "test")
"""Of subjects in turn."""


def drawn_people(n_clips: int, n_subjects: int, folder: Path) -> tuple[Clips, Sequences]:
    """Clips whose given label is the true class, and their key points; subjects are in one split each."""
    rng = np.random.default_rng(2026)
    people = [draw_person(rng) for _ in range(n_subjects)]
    labels, subjects = rng.integers(len(CLASSES), size=n_clips), rng.integers(n_subjects, size=n_clips)
    ids = tuple(f"{k:016x}" for k in range(n_clips))
    with SequencesWriter(folder / "keypoints", WIDTH, "float16") as writer:
        for clip_id, label, subject in zip(ids, labels, subjects, strict=True):
            story = tell_story(people[subject], draw_setting(rng), draw_cues(int(label), rng), rng)
            found = (found_points(points_of(story, pose), rng) for pose in poses_of(story))
            frames = np.array([[*chain.from_iterable(one[part] for part in _PARTS)] for one in found])
            writer.add(clip_id, with_offsets(_from_neck(frames.reshape(-1, N_POINTS, 3).astype(np.float32))))
        sequences = writer.close(ids)
    nothing = np.full(n_clips, NO_LABEL)
    clips = Clips(
        CLASSES,
        True,
        ids,
        np.array([_SPLITS[subject % len(_SPLITS)] for subject in subjects]),
        np.array([f"subject {subject}" for subject in subjects]),
        labels,
        labels,
        np.eye(len(CLASSES), dtype=np.float32)[labels],
        np.ones(n_clips, dtype=np.float32),
        np.ones(n_clips, dtype=np.bool_),
        nothing,
        np.full(n_clips, np.nan, dtype=np.float32),
        np.zeros(n_clips, dtype=np.bool_),
        (None,) * n_clips,
    )
    return clips, sequences


def _from_neck(frames: np.ndarray) -> np.ndarray:
    """As a release keeps them: from the median place of the neck, in widths of the picture."""
    neck = np.median(frames[frames[:, 1, 2] > 0, 1, :2], axis=0)
    frames[..., :2] = np.where(frames[..., 2:] > 0, (frames[..., :2] - neck) / SIZE, 0)
    return frames
