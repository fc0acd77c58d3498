"""Upright pictures of a clip one after the other, at a rate; no more than one is held."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import count, takewhile
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

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

_ROUNDING_S = 1e-6
"""A frame due at 9.8 s must not be missed because 49 fifths came out at 9.7999999999."""


def walk(
    place: Path | bytes, media: str, *, fps: float | None, size_px: int
) -> Iterator[tuple[float, Image.Image]]:
    """The frames of a clip in order of time, decoded in one pass.

    Args:
        place: The file, or its bytes.
        media: video or image.
        fps: Pictures a second, each the frame that is shown at that moment; every frame if None.
        size_px: Longest side of a picture; never enlarged.

    Returns:
        Times [s] and RGB pictures. Frames that are damaged are left out.

    Raises:
        MediaError: It cannot be read, or not one frame can be decoded.
    """
    if media == "image":
        yield 0.0, _still(place, size_px)
        return
    with decoding("is a video that cannot be read"), open_video(place) as video:
        line = timeline(video)
    wanted = _wanted(line.times_s, fps)
    n_shown = 0
    with decoding("is a video that cannot be read"), open_video(place) as video:
        for index, picture in _pictures(video, line, wanted, size_px):
            n_shown += 1
            yield line.times_s[index], picture
    if not n_shown:
        raise MediaError("has a video stream of which no frame can be decoded without damage")


def _still(place: Path | bytes, size_px: int) -> Image.Image:
    source = place if isinstance(place, Path) else BytesIO(place)
    with decoding("is an image that cannot be read"), Image.open(source) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    return _fitted(upright, upright.size, size_px)


def _wanted(times_s: Sequence[float], fps: float | None) -> frozenset[int]:
    """Indices of the frames that are shown at 0, 1 / fps, 2 / fps … seconds."""
    if fps is None:
        return frozenset(range(len(times_s)))
    due_s = takewhile(lambda at_s: at_s <= times_s[-1] + _ROUNDING_S, (step / fps for step in count()))
    return frozenset(bisect_right(times_s, at_s + _ROUNDING_S) - 1 for at_s in due_s)


def _pictures(
    video: Video, line: Timeline, wanted: frozenset[int], size_px: int
) -> Iterator[tuple[int, Image.Image]]:
    """Sound frames that are wanted, with their index: by timestamp, by count where there are none."""
    last, shown = max(wanted), -1
    for number, frame in enumerate(video.frames()):
        index = line.positions.get(frame.pts) if line.positions and frame.pts is not None else number
        if index is None or index <= shown:
            continue  # of no known place, or shown already
        if index in wanted and not frame.is_corrupt:
            shown = index
            pixels = np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)  # (height, width, 3)
            upright = Image.fromarray(displayed(pixels, display_matrix(frame)))
            yield index, _fitted(upright, displayed_size(frame, video.stream), size_px)
        if index >= last:
            return


def _fitted(image: Image.Image, size: tuple[int, int], size_px: int) -> Image.Image:
    """Scaled to its displayed size, and from there down until its longest side is `size_px`."""
    scale = min(1.0, size_px / max(size))
    target = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return image if target == image.size else image.resize(target, Image.Resampling.BILINEAR)
