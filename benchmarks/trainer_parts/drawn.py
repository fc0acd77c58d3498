"""Key points of the demo's drawn people with the class that each clip really is of; nothing is drawn."""

import json

import numpy as np
from numpy.typing import NDArray

from curate.demo.drawings import draw_truth
from curate.demo.keypoints import found_points, points_of
from curate.demo.people import draw_person, draw_setting
from curate.demo.scenes import SIZE, Pose
from curate.demo.stories import Story, poses_of, tell_story
from curate.sequences.openpose import people_of
from curate.sequences.points import placed
from train_reference.data.clips import NO_LABEL, Clips
from train_reference.data.sequences import Sequences
from train_reference.features.keypoints import with_offsets

SPLITS = ("train", "train", "train", "validation", "test")
"""Of subjects in turn: nobody is in two."""


def drawn_keypoints(n_clips: int, n_subjects: int, seed: int) -> tuple[Clips, Sequences]:
    """Clips labelled with the truth, and their key points as a pose estimator would find them."""
    rng = np.random.default_rng(seed)
    truth = draw_truth(n_clips, n_subjects, rng)
    subjects = np.array([clip.subject for clip in truth.clips])
    people = {name: draw_person(rng) for name in np.unique(subjects)}
    steps = [
        _steps(tell_story(people[clip.subject], draw_setting(rng), clip.cues, rng), rng)
        for clip in truth.clips
    ]
    lengths = np.array([len(one) for one in steps])
    places = np.column_stack([lengths.cumsum() - lengths, lengths])
    labels = np.array([truth.classes.index(clip.label) for clip in truth.clips])
    return _clips(truth.classes, subjects, labels), Sequences(np.concatenate(steps), places)


def _steps(story: Story, rng: np.random.Generator) -> NDArray[np.float32]:
    """Shape (n_frames, 137 * 5), after the same way through files and 16 bits as in a release."""
    frames = [_frame(story, pose, rng) for pose in poses_of(story)]
    return with_offsets(placed(np.stack(frames), SIZE, SIZE).values.astype(np.float32))


def _frame(story: Story, pose: Pose, rng: np.random.Generator) -> NDArray[np.float32]:
    found = found_points(points_of(story, pose), rng)
    return people_of(json.dumps({"people": [found]}).encode())[0]


def _clips(classes: tuple[str, ...], subjects: NDArray[np.str_], labels: NDArray[np.int64]) -> Clips:
    n, order = len(labels), np.unique(subjects, return_inverse=True)[1]
    return Clips(
        classes=classes,
        is_ordinal=True,
        clip_ids=tuple(f"{number:016x}" for number in range(n)),
        splits=np.array(SPLITS)[order % len(SPLITS)],
        groups=subjects,
        given=labels,
        label=labels,
        soft=np.eye(len(classes), dtype=np.float32)[labels],
        reliability=np.ones(n, dtype=np.float32),
        is_high=np.ones(n, dtype=np.bool_),
        pseudo=np.full(n, NO_LABEL),
        pseudo_confidence=np.full(n, np.nan, dtype=np.float32),
        pseudo_accepted=np.zeros(n, dtype=np.bool_),
        transcripts=(None,) * n,
    )
