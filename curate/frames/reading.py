"""Frames of a video by their index: in one pass, leaving out what nobody wants, or by seeking."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from PIL import Image

from curate.clips.video import Timeline, Video, display_matrix, displayed, displayed_size
from curate.frames.picture import SCALING

_SEEK_FRAMES = 8
"""What a seek costs beside the frames that it decodes, in frames of 640 x 480 of h264: measured 3 to 12."""

Indexed = tuple[int, av.VideoFrame]
"""A sound frame with its place on the timeline."""


Run = tuple[int | None, list[int]]
"""The key frame that is sought, by index, None for the start; and the frames that are wanted from it on."""


@dataclass(frozen=True, slots=True)
class Served:
    """A wanted frame."""

    wanted: int
    index: int
    """Of the frame that is given: another one if the wanted frame is damaged."""
    frame: av.VideoFrame
    stream: Any
    """That it is of, still open."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as displayed [px]."""
        return displayed_size(self.frame, self.stream)

    @property
    def shown(self) -> Image.Image:
        """The frame as it is displayed: upright, of square pixels."""
        image, size = upright(self.frame), self.size
        return image if image.size == size else image.resize(size, SCALING)


def wanted_frames(video: Video, line: Timeline, wanted: Sequence[int]) -> Iterator[Served]:
    """Frames of an open video.

    In one pass, or by seeking to the key frames before them where that decodes
    fewer frames. A wanted frame that is damaged is replaced by the nearest sound
    one before it, which is what a player would still show; where there is none,
    by the first one after it.

    Args:
        video: Nothing was read of it yet; or anything, if `can_begin_again` says so.
        line: Its timeline.
        wanted: Indices, rising.
    """
    for key, indices in runs(line, wanted):
        for index, found, frame in _served(_from(video, line, key, frozenset(indices)), indices):
            yield Served(index, found, frame, video.stream)


def can_begin_again(line: Timeline) -> bool:
    """Whether frames can be read from the first one on without opening the file anew."""
    return bool(line.positions) and line.key_frames[:1] == (0,)


def runs(line: Timeline, wanted: Sequence[int]) -> list[Run]:
    """The way that decodes fewer frames: one run from the start, or one from each key frame needed."""
    if not wanted:
        return []
    in_one: list[Run] = [(0 if can_begin_again(line) else None, list(wanted))]
    if not line.key_frames or not line.positions:
        return in_one
    keys = np.asarray(line.key_frames)
    before = keys[np.maximum(np.searchsorted(keys, wanted, side="right") - 1, 0)].tolist()
    if before[0] > wanted[0]:
        return in_one  # what precedes the first key frame is decoded from the start of the file
    pairs = zip(before, wanted, strict=True)
    sought = [(key, [index for _, index in group]) for key, group in groupby(pairs, key=lambda pair: pair[0])]
    cost = sum(indices[-1] - key + 1 + _SEEK_FRAMES for key, indices in sought)
    return [*sought] if cost < wanted[-1] + 1 else in_one


def frames_from_start(video: Video, line: Timeline, wanted: Set[int]) -> Iterator[Indexed]:
    """`sound_frames` from the first frame on, of a video that may have been read, if it can begin again."""
    return _from(video, line, 0 if can_begin_again(line) else None, wanted)


def sound_frames(video: Video, line: Timeline, wanted: Set[int]) -> Iterator[Indexed]:
    """Sound frames with their place on the timeline, in order; others than `wanted` may be left out.

    By timestamp, so that a frame that fails to decode does not shift those
    after it; by count where the container has no timestamps. Frames that no
    other frame is decoded from are not decoded unless wanted: the rest of the
    pictures stay the same to the bit.
    """
    count, codec = -1, video.stream.codec_context
    stamps = {stamp for stamp, index in line.positions.items() if index in wanted}
    for packet in video.packets():
        codec.skip_frame = (
            "NONREF" if stamps and packet.pts is not None and packet.pts not in stamps else "DEFAULT"
        )
        for frame in video.decoded(packet):
            count += 1
            index = line.positions.get(frame.pts) if line.positions and frame.pts is not None else count
            if index is not None and index < len(line.times_s) and not frame.is_corrupt:
                yield index, frame


def upright(frame: av.VideoFrame) -> Image.Image:
    """A frame as RGB picture, turned as it is displayed; of two fields that are interlaced, the first alone.

    Its pixels may not be square, and the rows of one field are half as many:
    `displayed_size` tells how it is displayed.
    """
    # Nothing is scaled here, so that the way of scaling does not count; this one takes a third of the time.
    as_rgb = VideoReformatter().reformat(frame, format="rgb24", interpolation=Interpolation.POINT)
    pixels = np.asarray(as_rgb.to_ndarray(), dtype=np.uint8)  # (height, width, 3)
    if frame.interlaced_frame and frame.height > 1:
        pixels = pixels[::2]  # two moments in one picture show as a comb wherever something moves
    return Image.fromarray(displayed(pixels, display_matrix(frame)))


def _from(video: Video, line: Timeline, key: int | None, wanted: Set[int]) -> Iterator[Indexed]:
    """Sound frames from a key frame on; from the start if it is None."""
    if key is None:
        yield from sound_frames(video, line, wanted)
        return
    while True:
        video.container.seek(line.stamps[key], stream=video.stream, backward=True)
        frames = sound_frames(video, line, wanted)
        first = next(frames, None)
        earlier = [one for one in line.key_frames if one < key]
        if first is None or first[0] <= min(wanted) or not earlier:
            break
        key = earlier[-1]  # containers that seek by decoding times may land behind the key frame
    if first is not None:
        yield first
        yield from frames


def _served(frames: Iterator[Indexed], wanted: Sequence[int]) -> Iterator[tuple[int, int, av.VideoFrame]]:
    """Each wanted index with the index and frame that stand for it, in order."""
    waiting = list(wanted)
    last: Indexed | None = None
    for index, frame in frames:
        while waiting and waiting[0] < index:
            yield (waiting.pop(0), *(last or (index, frame)))
        last = (index, frame)
        if waiting and waiting[0] == index:
            yield (waiting.pop(0), index, frame)
        if not waiting:
            return
    if last:
        yield from ((index, *last) for index in waiting)
