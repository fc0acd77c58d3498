"""Pictures of wanted moments: one pass through a clip, one thread, no seeking."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageOps

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


def video_pictures(place: Path | bytes, frames: Frames) -> Pictures:
    """Decode the moments of a video that a recipe asks for.

    Packets are read through once for the frame times, without decoding; then
    frames are decoded in order up to the last wanted one. A seek to each moment
    would cost several times as much, as key frames are seconds apart.

    A wanted frame that is damaged is replaced by the nearest decodable frame
    before it, which is what a player would still show; at the very start, by
    the first decodable frame after it. A frame is never given twice.

    Raises:
        MediaError: Not one frame can be decoded.
    """
    with open_video(place) as video:
        line = timeline(video)
    wanted = moments(line.times_s, line.duration_s, frames)
    with open_video(place) as video:
        shown: dict[int, Picture] = {}
        replaced = []
        for moment, index, frame in _served(video, line, wanted):
            if index not in shown:
                at = Moment(moment.role, index, line.times_s[index])
                shown[index] = _picture(at, _upright(frame, video.stream, frames.size_px))
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
    try:
        with Image.open(place if isinstance(place, Path) else BytesIO(place)) as opened:
            upright = ImageOps.exif_transpose(opened)
            image = _fitted(_opaque(upright), upright.size, size_px)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MediaError(f"is an image that cannot be read ({error})") from error
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
