"""Pictures of wanted moments: one pass through a clip, one thread, no seeking."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
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
from curate.frames.sample import Moment, moments
from curate.recipe import Frames

_QUALITY = 90
_NO_SUBSAMPLING = 0
_WHITE_16_BIT = 65535


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame as it is sent."""

    moment: Moment
    """What the picture shows."""
    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of one clip."""

    shown: tuple[Picture, ...]
    """By rising index, none twice."""
    replaced: tuple[tuple[int, int], ...] = ()
    """Index of each wanted frame that is damaged, and of the frame that stands for it."""


def video_pictures(place: Path | bytes, frames: Frames, *, between: int = 0) -> Pictures:
    """Decode the moments of a video that a recipe asks for.

    Packets are read through once for the frame times, without decoding; then
    frames are decoded in order up to the last wanted one. A seek to each moment
    would cost several times as much, as key frames are seconds apart.

    A wanted frame that is damaged is replaced by the nearest decodable frame
    before it, which is what a player would still show; at the very start, by
    the first decodable frame after it. A frame is never given twice: one that
    stands for a key frame is a key frame.

    Args:
        place: The file, or its bytes.
        frames: The recipe's section.
        between: Frames that are wanted in each gap between two key frames.

    Raises:
        MediaError: It cannot be read, or not one frame can be decoded.
    """
    with decoding("is a video that cannot be read"), open_video(place) as video:
        line = timeline(video)
    wanted = moments(line.times_s, line.duration_s, frames, between=between)
    shown: dict[int, Picture] = {}
    replaced = []
    with decoding("is a video that cannot be read"), open_video(place) as video:
        for moment, index, frame in _served(video, line, wanted):
            if index not in shown:
                at = Moment(moment.role, index, line.times_s[index])
                shown[index] = _picture(at, _upright(frame, video.stream, frames.size_px))
            elif moment.role == "key":
                shown[index] = replace(shown[index], moment=replace(shown[index].moment, role="key"))
            if index != moment.index:
                replaced.append((moment.index, index))
    if not shown:
        raise MediaError("has a video stream of which no frame can be decoded without damage")
    return Pictures(tuple(shown.values()), tuple(replaced))


def image_pictures(place: Path | bytes, size_px: int) -> Pictures:
    """A still image as one picture, upright as its EXIF data say.

    Raises:
        MediaError: It cannot be read.
    """
    source = place if isinstance(place, Path) else BytesIO(place)
    with decoding("is an image that cannot be read"), Image.open(source) as opened:
        upright = _eight_bit(ImageOps.exif_transpose(opened))
        image = _fitted(_opaque(upright), upright.size, size_px)
    return Pictures((_picture(Moment("key", 0, 0.0), image),))


def _served(
    video: Video, line: Timeline, wanted: Sequence[Moment]
) -> Iterator[tuple[Moment, int, av.VideoFrame]]:
    """Each wanted moment with the index and frame that stand for it, in order."""
    waiting = list(wanted)
    last: tuple[int, av.VideoFrame] | None = None
    for index, frame in _indexed(video, line):
        while waiting and waiting[0].index < index:
            yield (waiting.pop(0), *(last or (index, frame)))
        last = (index, frame)
        if waiting and waiting[0].index == index:
            yield (waiting.pop(0), index, frame)
        if not waiting:
            return
    if last:
        yield from ((moment, *last) for moment in waiting)


def _indexed(video: Video, line: Timeline) -> Iterator[tuple[int, av.VideoFrame]]:
    """Sound frames with their place on the timeline.

    By timestamp, so that a frame that fails to decode does not shift those
    after it; by count where the container has no timestamps.
    """
    for count, frame in enumerate(video.frames()):
        index = line.positions.get(frame.pts) if line.positions and frame.pts is not None else count
        if index is not None and index < len(line.times_s) and not frame.is_corrupt:
            yield index, frame


def _upright(frame: av.VideoFrame, stream: Any, size_px: int) -> Image.Image:
    pixels = np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)  # (height, width, 3)
    upright = Image.fromarray(displayed(pixels, display_matrix(frame)))
    return _fitted(upright, displayed_size(frame, stream), size_px)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Greys of 16 or 32 bits scaled to 8; Pillow's own conversion makes all above 255 white."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)  # (height, width)
    black, white = _grey_range(image.mode, values)
    return Image.fromarray(np.rint((values - black) * (255 / (white - black))).astype(np.uint8))


def _grey_range(mode: str, values: NDArray[np.float64]) -> tuple[float, float]:
    """Values shown as black and as white.

    Integers that fit into 16 bits have that range: Pillow opens 16-bit PGM as
    mode I. Of other integers and of floats no range is known: theirs is from
    the least to the greatest; an image of one value is black.
    """
    least, greatest = float(values.min()), float(values.max())
    if mode != "F" and least >= 0 and greatest <= _WHITE_16_BIT:
        return 0, _WHITE_16_BIT
    return least, greatest if greatest > least else least + 1


def _opaque(image: Image.Image) -> Image.Image:
    """RGB; what can be seen through is white, as on a page."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    page = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(page, image.convert("RGBA")).convert("RGB")


def _fitted(image: Image.Image, size: tuple[int, int], size_px: int) -> Image.Image:
    """Scaled to its displayed size, and from there down until its longest side is `size_px`."""
    scale = min(1.0, size_px / max(size))
    target = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    # Pillow scales in integers: the same bytes on every machine, which a decoder's scaler does not promise.
    return image if target == image.size else image.resize(target, Image.Resampling.LANCZOS)


def _picture(moment: Moment, image: Image.Image) -> Picture:
    encoded = BytesIO()
    image.save(encoded, "JPEG", quality=_QUALITY, subsampling=_NO_SUBSAMPLING)
    return Picture(moment, image.width, image.height, encoded.getvalue())
