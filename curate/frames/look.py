"""A first look at a whole video: what changes in it, and the frames that may be chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from curate.clips.video import Timeline, Video
from curate.frames.changes import WINDOW_S, Change, Windows
from curate.frames.reading import Served, frames_from_start

HELD_BYTES = 48_000_000
"""Decoded frames that are held while a clip is looked at: 10 s of 640 x 480."""

_PIXEL_BYTES = 1.5
"""Of most videos (4:2:0, 8 bits). Where it is more, holding ends on the way."""

_LONGEST_PX = 128
"""Longest side of a small look."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of it."""

    changes: tuple[Change, ...] = ()
    held: Mapping[int, Served] = field(default_factory=lambda: MappingProxyType({}))
    """One frame a window of time, by index; none if they are too many for memory."""


def look(video: Video, line: Timeline) -> Looked:
    """Decode a video once, and tell what changes in it.

    Of every window of time one frame is held, the one next to its middle:
    frames that are chosen later then need not be decoded again.

    Args:
        video: Nothing was read of it yet; or anything, if `can_begin_again` says so.
        line: Its timeline.
    """
    middles, windows = _middles(line), Windows()
    held: dict[int, Served] = {}
    holds = len(middles) * video.stream.width * video.stream.height * _PIXEL_BYTES <= HELD_BYTES
    n_bytes, small = 0, _Smaller(*_small_size(video.stream.width, video.stream.height))
    for index, frame in frames_from_start(video, line, middles):
        is_middle = index in middles
        windows.add(line.times_s[index], index, small.look(frame), stands_for_window=is_middle)
        if is_middle and holds:
            n_bytes += sum(plane.buffer_size for plane in frame.planes)
            held[index] = Served(index, index, frame, video.stream)
            if n_bytes > HELD_BYTES:
                held, holds = {}, False
    return Looked(windows.changes(), held)


def _middles(line: Timeline) -> frozenset[int]:
    """The frame next to the middle of each window of time."""
    times_s = np.asarray(line.times_s)
    window = np.floor(times_s / WINDOW_S + 1e-6).astype(np.int64)
    # A frame is on the screen from its time on: of three in a window, the second begins at a third.
    off_s = np.abs(times_s - (window + 1 / 3) * WINDOW_S)
    order = np.lexsort((off_s, window))
    _, firsts = np.unique(window[order], return_index=True)
    return frozenset(order[firsts].tolist())


def _small_size(width: int, height: int) -> tuple[int, int]:
    scale = _LONGEST_PX / max(width, height, 1)
    return max(1, round(width * scale)), max(1, round(height * scale))


@dataclass(frozen=True, slots=True)
class _Smaller:
    """Makes small grey looks, all of one size, though a stream may change its own on the way."""

    width: int
    height: int
    reformatter: VideoReformatter = field(default_factory=VideoReformatter)

    def look(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Grey levels, shape (height, width); not turned upright, which does not matter here."""
        small = self.reformatter.reformat(
            frame, self.width, self.height, "gray", interpolation=Interpolation.AREA
        )
        return np.asarray(small.to_ndarray(), dtype=np.uint8)
