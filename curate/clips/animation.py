"""Moving pictures that FFmpeg does not read, put into a container that it reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import av
import numpy as np
from PIL import Image

from curate.clips.decoding import decoding
from curate.errors import MediaError

MOST_PIXELS_IN_ALL = 2**31
"""Of all frames together, as every frame is written to disk without loss: three hours of stickers
of 512 px, or a minute and a half of 1280 x 720 at 25 frames a second."""

_TICK_S = Fraction(1, 1000)
_SHORTEST_MS, _STANDING_IN_MS = 20, 100
"""Browsers, and FFmpeg for GIF, show a frame that claims less than the one for the other."""

_HEAD = 12


def needs_pillow(place: Path | bytes) -> bool:
    """Whether a file is a WebP or a sequence of AVIF, by its first bytes.

    FFmpeg reads no animated WebP, and of an AVIF sequence the still cover only.

    Raises:
        MediaError: It cannot be opened.
    """
    head = _head(place)
    is_webp = head[:4] == b"RIFF" and head[8:] == b"WEBP"
    return is_webp or head[4:] == b"ftypavis"


@contextmanager
def as_movie(place: Path | bytes) -> Iterator[IO[bytes]]:
    """The same frames at the same times as a QuickTime file of PNG, on disk while the block lasts.

    What can be seen through is white.

    Raises:
        MediaError: It cannot be read to its end, or is too large to be unpacked.
    """
    source = place if isinstance(place, Path) else BytesIO(place)
    with TemporaryFile() as file:
        with decoding("is a moving picture that cannot be read"), Image.open(source) as image:
            _check_size(image)
            _write(image, file)
        file.seek(0)
        yield file


def _head(place: Path | bytes) -> bytes:
    if isinstance(place, bytes):
        return place[:_HEAD]
    try:
        with place.open("rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise MediaError(f"cannot be opened ({error.strerror})") from error


def _check_size(image: Image.Image) -> None:
    n_frames = getattr(image, "n_frames", 1)
    pixels = image.width * image.height * n_frames
    if pixels > MOST_PIXELS_IN_ALL:
        raise MediaError(
            f"is a moving picture of {n_frames} frames of {image.width} x {image.height} pixels, and "
            f"{MOST_PIXELS_IN_ALL} pixels in all are read at most: convert it to a video, such as MP4"
        )


def _write(image: Image.Image, file: IO[bytes]) -> None:
    with av.open(file, "w", format="mov") as movie:
        stream = movie.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = image.width, image.height, "rgb24"
        stream.codec_context.time_base = _TICK_S
        for page, start_ms, length_ms in _pages(image):
            frame = av.VideoFrame.from_ndarray(np.asarray(page), format="rgb24")
            frame.pts, frame.time_base = start_ms, _TICK_S
            for packet in stream.encode(frame):
                # Else the last frame would last as long as a frame of the nominal rate.
                packet.duration = round(length_ms * _TICK_S / packet.time_base)
                movie.mux(packet)
        movie.mux(stream.encode(None))


def _pages(image: Image.Image) -> Iterator[tuple[Image.Image, int, int]]:
    """Each frame on white, when it starts and how long it lasts [ms]."""
    start_ms = 0
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()
        length_ms = round(float(image.info.get("duration") or 0))
        if length_ms < _SHORTEST_MS:
            length_ms = _STANDING_IN_MS
        yield _on_white(image), start_ms, length_ms
        start_ms += length_ms


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    page = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(page, image.convert("RGBA")).convert("RGB")
