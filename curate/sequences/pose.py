"""Key points estimated in the clips themselves, as rows of table keypoints."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from curate.clips.finding import Finding, unreadable
from curate.clips.media import MediaStore
from curate.clips.pool import Progress, one_by_one
from curate.errors import MediaError
from curate.sequences.columns import Row
from curate.sequences.keypoints import keypoint_row
from curate.sequences.matching import ListedClip, listed_clips
from curate.sequences.person import main_person
from curate.sequences.points import N_POINTS, Points
from curate.sequences.pose_model import PeoplePoints
from curate.sequences.store import ArrayStore, key_of
from curate.sequences.walk import walk

_SIZE_PX = 1280
"""Longest side of a picture in which people are looked for: models look at a few hundred pixels of a part."""

_WORKERS = 2
"""So that crops are cut and points read while the network computes; each has a few batches in memory."""

Shown = tuple[float, Image.Image]
"""A moment [s], and the picture at it."""


@dataclass(frozen=True, slots=True)
class PoseEstimator:
    """Estimates the key points of one clip at a time; what it made is kept for later runs."""

    model: PeoplePoints
    media: MediaStore
    kept: ArrayStore
    fps: float | None = None
    """Pictures a second; every frame if None."""

    def row(self, clip: ListedClip) -> Row | Finding:
        """A clip's key points, its main person's; or why there are none.

        Pictures are decoded while the model is at work on those before. A
        clip's numbers do not depend on other clips, nor on what was kept.
        """
        key = key_of(self.model.decided_by, self.fps, clip.clip_id, version("curate"))
        found = self.kept.get(key)
        try:
            if found is None:
                found = self._estimated(clip)
                self.kept.put(key, found)
            return keypoint_row(clip, self.model.name, found["t_s"], found["points"])
        except MediaError as error:
            return replace(unreadable(clip.uri, clip.name, error), kind="keypoints")

    def _estimated(self, clip: ListedClip) -> NDArray[Any]:
        """Times and points as records: (n_frames,)."""
        shown = walk(self.media.open(clip.uri), clip.media, fps=self.fps, size_px=_SIZE_PX)
        times_s, people = list[float](), list[Points]()
        # Closed as soon as somebody raises: the file is not held open any longer.
        with closing(one_by_one(self._people, _batches(shown, self.model.batch), _WORKERS)) as batches:
            for moments_s, found in batches:
                times_s += moments_s
                people += [_scaled(*one, clip) for one in found]
        table = np.zeros(len(times_s), dtype=[("t_s", "<f8"), ("points", "<f4", (N_POINTS, 3))])
        table["t_s"], table["points"] = times_s, main_person(people, times_s)
        return table

    def _people(self, shown: list[Shown]) -> tuple[list[float], list[tuple[Points, tuple[int, int]]]]:
        images = [image for _, image in shown]
        sizes = [image.size for image in images]
        return [at_s for at_s, _ in shown], list(zip(self.model.people(images), sizes, strict=True))


def estimate_keypoints(
    clips: pl.DataFrame, estimator: PoseEstimator, progress: Progress | None = None
) -> Iterator[Row | Finding]:
    """Estimate the key points of every clip.

    Args:
        clips: Table clips.
        estimator: Looks at one clip.
        progress: Told (done, total) after each clip.

    Returns:
        By clip id, a row of table keypoints, or why there is none.
    """
    listed = listed_clips(clips)
    for done, clip in enumerate(listed, start=1):
        yield estimator.row(clip)
        if progress:
            progress(done, len(listed))


def _batches(shown: Iterable[Shown], size: int) -> Iterator[list[Shown]]:
    moments = iter(shown)
    while batch := list(islice(moments, size)):
        yield batch


def _scaled(people: Points, size: tuple[int, int], clip: ListedClip) -> Points:
    """Points of a picture of that size in pixels of the clip."""
    people[..., 0] *= clip.width / size[0]
    people[..., 1] *= clip.height / size[1]
    return people
