"""The planes of a decoded frame as arrays: altered and encoded again without a detour by way of RGB."""

from collections.abc import Sequence
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from curate.clips.video import display_matrix, displayed

Plane = NDArray[np.uint8]

_FULL_RANGE = "yuvj420p"
"""The same planes as yuv420p; that their values go from 0 to 255 is told by the colour range as well."""


def upright_planes(frame: av.VideoFrame, size: tuple[int, int] | None = None) -> list[Plane]:
    """Brightness and two colours of half size, turned as the frame is to be shown.

    Args:
        frame: Of any pixel format; one of other than 8 bits, or with finer
            colours, is converted.
        size: Width and height to scale to, as decoded [px]; its own if left out.

    Returns:
        Shapes (height, width) and twice (height / 2, width / 2), rounded down
        to even sides, as encoders want them.
    """
    own = (frame.width, frame.height)
    plain = frame.format.name in ("yuv420p", _FULL_RANGE) and size in (None, own)
    source = frame if plain else frame.reformat(*(size or own), format="yuv420p")
    matrix = display_matrix(frame)
    planes = [displayed(_array(plane)[:, :, None], matrix)[:, :, 0] for plane in source.planes]
    height, width = (side // 2 * 2 for side in planes[0].shape)
    halves = (height // 2, width // 2)
    sizes = ((height, width), halves, halves)
    return [np.array(plane[:rows, :columns]) for plane, (rows, columns) in zip(planes, sizes, strict=True)]


def frame_of(planes: Sequence[Plane]) -> av.VideoFrame:
    """A frame in yuv420p of three planes."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for target, plane in zip(frame.planes, planes, strict=True):
        rows = _rows(target)
        # What pads a row is memory that was used before: the encoder must not get to see it.
        rows[:] = 0
        rows[: plane.shape[0], : plane.shape[1]] = plane
    return frame


def _array(plane: Any) -> Plane:
    return _rows(plane)[: plane.height, : plane.width]


def _rows(plane: Any) -> Plane:
    """A plane's memory, shape (at least height, at least width): rows are padded."""
    memory: Plane = np.frombuffer(plane, dtype=np.uint8)
    return memory.reshape(-1, plane.line_size)
