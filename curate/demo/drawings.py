"""A small video dataset drawn on the spot, whose truth is known.

folder/clips/clip_001.mp4 ...   three seconds each, 192 x 192 pixels, 8 frames a second
folder/labels.csv               file,label,subject: what came with the data, partly wrong or missing
folder/votes.csv                file,annotator,label: what three people say
folder/keypoints.zip            what a pose estimator finds in each frame, as OpenPose writes it
folder/truth.csv                file,label,<a column an item>: to measure with, never to label with
"""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from PIL import Image

from curate.demo.cues import CLASSES, OPTIONS, Cues, draw_cues
from curate.demo.keypoints import N_POINTS, write_keypoints
from curate.demo.noise import ANNOTATORS, GIVEN, UNLABELLED, VOTES, draw_classes, mislabel
from curate.demo.people import draw_person, draw_setting
from curate.demo.scenes import SIZE, Pose, draw_picture, draw_room
from curate.demo.stories import FPS, Story, poses_of, tell_story

_X264 = {"preset": "veryfast", "crf": "18", "threads": "1", "g": "12", "x264-params": "no-asm=1"}
"""Fixed, single-threaded and in plain C, so that a seed gives the same bytes: with its assembly
x264 was seen to give other bytes for the same pictures, depending on what memory held before."""


@dataclass(frozen=True, slots=True)
class ClipTruth:
    """One clip: what is true of it and what people say."""

    file: str
    """Path from the dataset's folder."""
    subject: str
    label: str
    """The true class."""
    cues: Cues
    given: str | None
    """The label that comes with the data, or None."""
    votes: Mapping[str, str]
    """Label by annotator, for those who voted."""

    @property
    def answers(self) -> dict[str, str]:
        """The true answer to every item of the questionnaire."""
        return self.cues.answers()


@dataclass(frozen=True, slots=True)
class DemoTruth:
    """A drawn dataset's clips, in the order of their names."""

    classes: tuple[str, ...]
    clips: tuple[ClipTruth, ...]


def draw_dataset(
    folder: Path,
    *,
    n_clips: int = 240,
    n_subjects: int = 16,
    seed: int,
    progress: Callable[[], None] | None = None,
) -> DemoTruth:
    """Draw a dataset into `folder`, which is made if missing.

    Args:
        folder: Where the files listed at the top of this module go; files of
            the same names are overwritten.
        n_clips: How many clips, at least 1.
        n_subjects: How many people appear in them, at least 1.
        seed: The same seed gives the same bytes.
        progress: Called after each clip.
    """
    rng = np.random.default_rng(seed)
    truth = draw_truth(n_clips, n_subjects, rng)
    people = {f"subject_{k + 1:02}": draw_person(rng) for k in range(n_subjects)}
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    stories = {}
    for clip in truth.clips:
        story = tell_story(people[clip.subject], draw_setting(rng), clip.cues, rng)
        write_mp4(folder / clip.file, draw_frames(story, poses_of(story)))
        stories[Path(clip.file).stem] = story
        if progress:
            progress()
    # A generator of its own: what is drawn does not depend on what is found in it.
    write_keypoints(folder / "keypoints.zip", stories.items(), np.random.default_rng([seed, N_POINTS]))
    _write_tables(folder, truth)
    return truth


def draw_truth(n_clips: int, n_subjects: int, rng: np.random.Generator) -> DemoTruth:
    """Draw classes, cues, labels and votes, but no picture."""
    if n_clips < 1 or n_subjects < 1:
        raise ValueError(
            f"n_clips and n_subjects must be at least 1, got {n_clips} clips of {n_subjects} subjects"
        )
    true = draw_classes(n_clips, rng)
    cues = [draw_cues(int(label), rng) for label in true]
    subjects = rng.integers(n_subjects, size=n_clips)
    given, kept = mislabel(true, GIVEN, rng), rng.random(n_clips) >= UNLABELLED
    votes = {
        name: (mislabel(true, chances, rng), rng.random(n_clips) < VOTES)
        for name, chances in ANNOTATORS.items()
    }
    return DemoTruth(
        CLASSES,
        tuple(
            ClipTruth(
                file=f"clips/clip_{k + 1:0{max(3, len(str(n_clips)))}}.mp4",
                subject=f"subject_{subjects[k] + 1:02}",
                label=CLASSES[true[k]],
                cues=cues[k],
                given=CLASSES[given[k]] if kept[k] else None,
                votes={name: CLASSES[label[k]] for name, (label, voted) in votes.items() if voted[k]},
            )
            for k in range(n_clips)
        ),
    )


def draw_frames(story: Story, poses: Iterable[Pose]) -> list[Image.Image]:
    """The pictures of some poses of one story; a pose that comes again is not drawn again."""
    room = draw_room(story.setting)
    drawn: dict[Pose, Image.Image] = {}
    frames = []
    for pose in poses:
        if pose not in drawn:
            drawn[pose] = draw_picture(room, story.person, story.setting, pose)
        frames.append(drawn[pose])
    return frames


def write_mp4(file: Path | BinaryIO, frames: Sequence[Image.Image]) -> None:
    """Write pictures as H.264 in yuv420p, `FPS` of them a second."""
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options=_X264)
        stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, "yuv420p"
        stream.codec_context.thread_count = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(frame), format="rgb24")))
        container.mux(stream.encode(None))


def _write_tables(folder: Path, truth: DemoTruth) -> None:
    clips = truth.clips
    _write_csv(
        folder / "labels.csv",
        ["file", "label", "subject"],
        [[clip.file, clip.given or "", clip.subject] for clip in clips],
    )
    _write_csv(
        folder / "votes.csv",
        ["file", "annotator", "label"],
        [[clip.file, annotator, label] for clip in clips for annotator, label in clip.votes.items()],
    )
    _write_csv(
        folder / "truth.csv",
        ["file", "label", *OPTIONS],
        [[clip.file, clip.label, *(clip.answers[item] for item in OPTIONS)] for clip in clips],
    )


def _write_csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
