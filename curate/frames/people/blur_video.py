"""Faces of a video hidden: looked for in a first pass, hidden in a second; in the memory of a few frames."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from curate.clips.decoding import decoding
from curate.clips.video import (
    Timeline,
    Video,
    display_matrix,
    displayed,
    displayed_size,
    open_video,
    timeline,
)
from curate.errors import MediaError
from curate.frames.people.boxes import Box
from curate.frames.people.encode import Encoder, VideoFile, video_file
from curate.frames.people.finder import Detection, Finder
from curate.frames.people.hide import hide
from curate.frames.people.hold import HiddenPlaces
from curate.frames.people.planes import upright_planes

LOOKED_EVERY_S = 0.12
"""Faces are looked for in every third picture of 25 a second: what moves between is covered by the margin."""
_LOOKED_AT_PX = 960
"""Longest side of the pictures that are looked at."""
_CLOCK_S = Fraction(1, 90_000)
"""For files without timestamps."""
_SLACK_S = 1e-6


def blur_video(
    place: Path | bytes, target: Path, finder: Finder, least_score: float, by: Encoder | None = None
) -> None:
    """Write a video in which the faces that a finder finds are hidden.

    Every frame keeps its time, the sound is passed on as it is where MP4 can
    hold it, voices and all. Frames are turned upright, and an odd last row or
    column is cut off, as H.264 wants even sides. Damaged frames are left out.
    Nothing else of the file is kept: no metadata, no further streams.

    Raises:
        MediaError: It cannot be read, or not one frame can be decoded.
    """
    with decoding("is a video that cannot be read"), open_video(place) as video:
        line = timeline(video)
    with decoding("is a video in which faces cannot be looked for"), open_video(place) as video:
        places = _looked_through(video, line, finder, least_score)
    with decoding("is a video that cannot be encoded again"), open_video(place) as video:
        _write(video, line, places, target, by)


class _Places:
    """Boxes to hide at any time, in pixels of the pictures that were looked at."""

    def __init__(self, found: list[list[Detection]], times_s: list[float], size: tuple[int, int]) -> None:
        self.size = size
        self._hidden = HiddenPlaces(found, times_s)

    def at(self, t_s: float) -> list[Box]:
        return self._hidden.at(t_s)


def _looked_through(video: Video, line: Timeline, finder: Finder, least_score: float) -> _Places:
    found: list[list[Detection]] = []
    times_s: list[float] = []
    size = (0, 0)
    for index, frame in _indexed(video.frames(), line):
        t_s = line.times_s[index]
        if times_s and t_s < times_s[-1] + LOOKED_EVERY_S - _SLACK_S:
            continue
        image = _looked_at(frame, video.stream)
        size = size if times_s else image.size
        times_s.append(t_s)
        found.append(_found(image, size, finder, least_score))
    if not times_s:
        raise MediaError("has a video stream of which no frame can be decoded without damage")
    return _Places(found, times_s, size)


def _found(image: Image.Image, size: tuple[int, int], finder: Finder, least_score: float) -> list[Detection]:
    """Faces in pixels of the first picture: a stream may change its size on the way."""
    x, y = size[0] / image.width, size[1] / image.height
    (here,) = finder.find([image])
    return [Detection(one.box.scaled(x, y), one.score) for one in here if one.score >= least_score]


def _looked_at(frame: av.VideoFrame, stream: Any) -> Image.Image:
    """A frame as it is displayed, scaled down by the decoder's own scaler: nobody gets to see it."""
    shown = displayed_size(frame, stream)
    scale = min(1.0, _LOOKED_AT_PX / max(shown))
    size = [max(1, round(side * scale)) for side in shown]
    matrix = display_matrix(frame)
    width, height = size[::-1] if _turned(frame) else size
    pixels = frame.reformat(width, height, format="rgb24").to_ndarray()
    return Image.fromarray(displayed(np.asarray(pixels, dtype=np.uint8), matrix))


def _turned(frame: av.VideoFrame) -> bool:
    """Whether it is shown turned by a quarter: a picture of one pixel by two becomes one of two by one."""
    probe = displayed(np.zeros((1, 2, 3), dtype=np.uint8), display_matrix(frame))
    return bool(probe.shape[0] == 2)


def _write(video: Video, line: Timeline, places: _Places, target: Path, by: Encoder | None) -> None:
    sound = next(iter(video.container.streams.audio), None)
    clock_s = video.stream.time_base if line.positions else _CLOCK_S
    lengths_s = [later - earlier for earlier, later in pairwise((*line.times_s, line.duration_s))]
    with video_file(target, video.stream, sound, clock_s, by) as written:
        own_size = None
        for index, frame in _indexed(_decoded(video, sound, written), line):
            own_size = own_size or (frame.width, frame.height)
            planes = upright_planes(frame, own_size)
            for box in places.at(line.times_s[index]):
                for plane in planes:
                    hide(plane, box, places.size)
            at_s = frame.pts * video.stream.time_base if line.positions else Fraction(line.times_s[index])
            length = round(Fraction(lengths_s[index]) / written.clock_s)
            written.add(planes, round(at_s / written.clock_s), length, turned=_turned(frame))


def _decoded(video: Video, sound: Any, written: VideoFile) -> Iterator[av.VideoFrame]:
    """Frames that can be decoded; the sound between them is passed on as it comes."""
    streams = [video.stream, *([sound] if sound is not None else [])]
    packets = video.container.demux(streams)
    while True:
        try:
            packet = next(packets)
            if sound is not None and packet.stream is sound:
                written.pass_on(packet)
                continue
        except (StopIteration, av.FFmpegError):
            return
        try:
            yield from packet.decode()
        except (av.FFmpegError, EOFError):
            continue


def _indexed(frames: Iterator[av.VideoFrame], line: Timeline) -> Iterator[tuple[int, av.VideoFrame]]:
    """Sound frames with their place on the timeline: by timestamp, or by count where there are none."""
    for count, frame in enumerate(frames):
        index = line.positions.get(frame.pts) if line.positions and frame.pts is not None else count
        if index is not None and index < len(line.times_s) and not frame.is_corrupt:
            yield index, frame
