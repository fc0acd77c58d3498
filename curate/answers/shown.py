"""What is sent of each clip: key frames, the frames between them, what is said."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from curate.frames.receipt import receipt_of


@dataclass(frozen=True, slots=True)
class Moment:
    """One picture of a clip."""

    index: int
    """Of the frame, in order of presentation, from 0."""
    t_s: float
    """From the start of the clip."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What is sent of one clip."""

    clip_id: str
    name: str
    keys: tuple[Moment, ...]
    """Key frames, by time; at least one."""
    between: tuple[tuple[Moment, ...], ...]
    """Frames in each gap between two key frames: len(keys) - 1 entries, empty without context."""
    transcript: str | None
    """What is said; None where that is not known or not sent."""

    @property
    def receipt(self) -> str:
        """Of the key frames (curate.frames.receipt)."""
        return receipt_of_moments(self.keys)


def receipt_of_moments(moments: Iterable[Moment]) -> str:
    """The receipt of pictures in the order in which they are sent."""
    return receipt_of((moment.index, moment.t_s, moment.sha256) for moment in moments)


def shown(clips: pl.DataFrame, frames: pl.DataFrame, *, transcript: bool = False) -> list[Shown]:
    """What is sent of every clip that has key frames, in the order of `clips`.

    Args:
        clips: Table clips.
        frames: Table frames, in any order. A frame between that lies before the
            first or after the last key frame stands in no gap and is left out.
        transcript: Whether what is said is sent.

    Returns:
        Clips without a key frame were set aside before and are left out.
    """
    moments = {clip_id: _placed(rows) for clip_id, rows in _by_clip(frames)}
    said = clips["transcript"] if transcript else pl.repeat(None, clips.height, dtype=pl.String, eager=True)
    rows = zip(clips["clip_id"], clips["name"], said, strict=True)
    return [
        Shown(clip_id, name, *moments[clip_id], words)
        for clip_id, name, words in rows
        if clip_id in moments and moments[clip_id][0]
    ]


def shown_clip(clip_id: str, name: str, transcript: str | None, rows: Iterable[Mapping[str, Any]]) -> Shown:
    """What is sent of one clip, from its rows of table frames: at least one is a key frame."""
    moments = [
        (row["role"], Moment(row["index"], row["t_s"], row["sha256"]))
        for row in sorted(rows, key=itemgetter("index"))
    ]
    return Shown(clip_id, name, *_placed(moments), transcript)


def _by_clip(frames: pl.DataFrame) -> Iterator[tuple[str, list[tuple[str, Moment]]]]:
    """Role and moment of each clip's frames, by time."""
    # Rows, not a DataFrame a clip: those of 100,000 clips take gigabytes.
    columns = ("clip_id", "role", "index", "t_s", "sha256")
    rows = frames.select(columns).sort("clip_id", "index").iter_rows()
    for clip_id, of_clip in groupby(rows, key=itemgetter(0)):
        yield clip_id, [(role, Moment(index, t_s, sha256)) for _, role, index, t_s, sha256 in of_clip]


def _placed(
    moments: Sequence[tuple[str, Moment]],
) -> tuple[tuple[Moment, ...], tuple[tuple[Moment, ...], ...]]:
    """Key frames, and the frames in each gap between them."""
    keys: list[Moment] = []
    gaps: list[list[Moment]] = [[]]
    for role, moment in moments:
        if role == "key":
            keys.append(moment)
            gaps.append([])
        else:
            gaps[-1].append(moment)
    # The first list holds what comes before the first key frame, the last what comes after the last.
    return tuple(keys), tuple(map(tuple, gaps[1:-1]))
