"""Takes the pictures of all clips, a decoder a core."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from functools import partial

import polars as pl

from curate import tables
from curate.clips.finding import Finding, problem_table, unreadable
from curate.clips.media import MediaStore
from curate.clips.pool import Progress, one_by_one
from curate.errors import MediaError
from curate.frames.decode import Pictures, image_pictures, video_pictures
from curate.frames.people.boxes import Boxes
from curate.frames.picture import Picture
from curate.frames.pictures import PictureStore
from curate.frames.progress_log import ProgressLog, Row, Taken
from curate.recipe import Frames

Told = Callable[[Sequence[Row]], None]
"""Told of each clip's rows as soon as its pictures are taken; none if it gave no picture."""


@dataclass(frozen=True, slots=True)
class FrameTables:
    """Sampled moments, and the clips that gave none."""

    frames: pl.DataFrame
    problems: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Clip:
    clip_id: str
    name: str
    uri: str
    media: str


def take_frames(
    clips: pl.DataFrame,
    store: MediaStore,
    frames: Frames,
    pictures: PictureStore,
    progress: Progress | None = None,
    *,
    between: int = 0,
    boxes: Boxes | None = None,
    log: ProgressLog | None = None,
    told: Told = lambda rows: None,
) -> FrameTables:
    """Take and store the pictures of every clip.

    Args:
        clips: Table clips.
        store: Where its media is.
        frames: The recipe's section.
        pictures: Where pictures go; those already there are not written again.
        progress: Told (done, total) after each clip.
        between: Frames that are wanted in each gap between two key frames, to be
            described in words.
        boxes: Tells what is cut out of each picture.
        log: What an earlier run took is taken over from it, and what is taken now is kept in it.
        told: Told of each clip, in order of their ids; what it raises ends the taking.

    Returns:
        frames, sorted by clip and index; problems, with a row for each clip
        that cannot be decoded (set_aside) and for each damaged frame that
        another stands for (read).
    """
    listed = [_Clip(*row) for row in clips.sort("clip_id").select(_Clip.__slots__).iter_rows()]
    found: list[Taken] = []
    work = partial(_take_or_remember, _Way(store, frames, between, boxes), pictures, log)
    # Closed as soon as somebody raises, so that no more clips are begun.
    with closing(one_by_one(work, listed)) as all_taken:
        for clip, one in zip(listed, all_taken, strict=True):
            if log is not None:
                log.put(clip.clip_id, one)
            told(one.rows)
            found.append(one)
            if progress:
                progress(len(found), len(listed))
    table = tables.table("frames", [row for one in found for row in one.rows]).sort("clip_id", "index")
    problems = problem_table(finding for one in found for finding in one.findings)
    return FrameTables(tables.validate("frames", table), tables.validate("problems", problems))


@dataclass(frozen=True, slots=True)
class _Way:
    """How pictures are taken."""

    store: MediaStore
    frames: Frames
    between: int
    boxes: Boxes | None

    def look(self, clip: _Clip) -> Pictures:
        place = self.store.open(clip.uri)
        if clip.media == "image":
            return image_pictures(place, self.frames, self.boxes)
        return video_pictures(place, self.frames, between=self.between, boxes=self.boxes)


def _take_or_remember(way: _Way, pictures: PictureStore, log: ProgressLog | None, clip: _Clip) -> Taken:
    known = log.get(clip.clip_id) if log is not None else None
    if known is not None and all(pictures.path(str(row["sha256"])).is_file() for row in known.rows):
        return known
    return _take(way, pictures, clip)


def _take(way: _Way, pictures: PictureStore, clip: _Clip) -> Taken:
    try:
        found = way.look(clip)
    except MediaError as error:
        return Taken((), (unreadable(clip.uri, clip.name, error),))
    return Taken(tuple(_row(clip, picture, pictures) for picture in found.shown), _replaced(clip, found))


def _row(clip: _Clip, picture: Picture, pictures: PictureStore) -> Row:
    return {
        "clip_id": clip.clip_id,
        "role": picture.moment.role,
        "index": picture.moment.index,
        "t_s": picture.moment.t_s,
        "width": picture.width,
        "height": picture.height,
        "sha256": pictures.put(picture.jpeg),
        "box": picture.box and [*astuple(picture.box)],
    }


def _replaced(clip: _Clip, found: Pictures) -> tuple[Finding, ...]:
    said = [f"frame {wanted} is damaged; frame {index} stands for it" for wanted, index in found.replaced]
    return (Finding(clip.uri, clip.name, "media", "; ".join(said), "read"),) if said else ()
