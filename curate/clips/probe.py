"""What a media file holds, told by its content and never by its name alone."""

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image

from curate.clips.decoding import decoding
from curate.clips.video import (
    MOST_PIXELS,
    Video,
    check_size,
    displayed_size,
    first_frame_and_timeline,
    open_video,
)
from curate.errors import MediaError

# Stills may come several to a file too (a camera's MPO, a scanner's TIFF); these mean motion.
_ANIMATIONS = {"GIF", "PNG", "WEBP", "AVIF"}
# PostScript is a program, and Pillow would have Ghostscript run it.
_PROGRAMS = {"EPS"}
_ORIENTATION = 0x0112
_TURNED = {5, 6, 7, 8}


@dataclass(frozen=True, slots=True)
class Probe:
    """One media file that can be read."""

    media: Literal["video", "image"]
    duration_s: float | None
    fps: float | None
    """Mean over the whole clip."""
    n_frames: int
    width: int
    """As displayed [px]."""
    height: int
    remark: str = ""
    """What is amiss with a file that can be read all the same."""


def probe(place: Path | bytes, name: str) -> Probe:
    """Read a file's headers and packets, and decode its first frame.

    Args:
        place: The file, or its bytes.
        name: What people call it; begins the reason when it cannot be read.

    Raises:
        MediaError: With the reason, in plain words.
    """
    try:
        if not size_bytes(place):
            raise MediaError("is empty (0 bytes)")
        _check_can_be_read(place)
        return _probe_image(place) or _probe_video(place)
    except MediaError as error:
        raise MediaError(f"{name} {error}") from error.__cause__


def size_bytes(place: Path | bytes) -> int:
    """How large a file is.

    Raises:
        MediaError: It is not there any more.
    """
    try:
        return place.stat().st_size if isinstance(place, Path) else len(place)
    except OSError as error:
        raise MediaError(f"cannot be opened ({error.strerror})") from error


def _check_can_be_read(place: Path | bytes) -> None:
    # Decoders would only say that it is nothing they know.
    if isinstance(place, Path):
        try:
            place.open("rb").close()
        except OSError as error:
            raise MediaError(f"cannot be opened ({error.strerror})") from error


def _probe_image(place: Path | bytes) -> Probe | None:
    """A still image; None if it is none."""
    source = place if isinstance(place, Path) else BytesIO(place)
    with decoding("is an image that cannot be read"):
        try:
            image = Image.open(source)
        # A warning may be set to be raised.
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise MediaError(_too_large(error)) from error
        except (OSError, SyntaxError, ValueError):
            return None
        with image:
            check_size(*image.size)
            if image.format in _PROGRAMS:
                raise MediaError("is a PostScript program, which is not run: convert it to a picture")
            if image.format in _ANIMATIONS and getattr(image, "n_frames", 1) > 1:
                return None
            width, height = _loaded_size(image)
    return Probe("image", None, None, 1, width, height)


def _loaded_size(image: Image.Image) -> tuple[int, int]:
    """Width and height as displayed, after reading every pixel."""
    with decoding("is an image that cannot be read to its end"):
        image.load()
        turned = image.getexif().get(_ORIENTATION) in _TURNED
    return image.size[::-1] if turned else image.size


def _too_large(error: Exception) -> str:
    found = re.search(r"\((\d+) pixels\)", str(error))
    pixels = f"{found[1]} pixels" if found else "too many pixels"
    return f"has {pixels}, and {MOST_PIXELS} pixels a picture are read at most: scale it down"


def _probe_video(place: Path | bytes) -> Probe:
    with decoding("is a video that cannot be read"), open_video(place) as video:
        frame, line = first_frame_and_timeline(video)
        if frame is None:
            raise MediaError(_undecodable(video))
        width, height = displayed_size(frame, video.stream)
    n_frames = len(line.times_s)
    promised = n_frames + line.missing
    remark = f"promises {promised} frames and holds {n_frames}" if line.missing else ""
    fps = n_frames / line.duration_s if line.duration_s > 0 else None
    return Probe("video", line.duration_s, fps, n_frames, width, height, remark)


def _undecodable(video: Video) -> str:
    """Some decoders tell no size of frames that they refuse."""
    why = "" if video.stream.width else f" (at most {MOST_PIXELS} pixels a frame are read)"
    return f"has a video stream of which no frame can be decoded{why}"
