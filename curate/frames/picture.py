"""A moment as it is sent: scaled, cut out and encoded; the same bytes on every machine."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from curate.clips.decoding import decoding
from curate.frames.people.boxes import Box
from curate.frames.sample import Moment

_QUALITY = 90
_NO_SUBSAMPLING = 0
_WHITE_16_BIT = 65535

# Half the time of LANCZOS, and as sharp as bicubic; Pillow scales in integers: the same bytes on
# every machine, which a decoder's own scaler does not promise.
SCALING = Image.Resampling.HAMMING


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame as it is sent."""

    moment: Moment
    """What the picture shows."""
    width: int
    height: int
    jpeg: bytes
    box: Box | None = None
    """What of the upright frame it shows [px]; None if all."""


def make_picture(
    moment: Moment, image: Image.Image, size: tuple[int, int], size_px: int, box: Box | None = None
) -> Picture:
    """Cut, scale and encode.

    Args:
        moment: What is shown.
        image: Upright RGB.
        size: Width and height as displayed [px]; `image` may have pixels that are not square.
        size_px: Longest side, at most.
        box: What is shown of it, in pixels of `size`, which then is the image's own.
    """
    if box is not None:
        pixels = box.pixels(image.width, image.height)
        image, box = image.crop(pixels), Box(*pixels)
        size = image.size
    sent = fitted(image, size, size_px)
    encoded = BytesIO()
    sent.save(encoded, "JPEG", quality=_QUALITY, subsampling=_NO_SUBSAMPLING)
    return Picture(moment, sent.width, sent.height, encoded.getvalue(), box)


def fitted(image: Image.Image, size: tuple[int, int], size_px: int) -> Image.Image:
    """Scaled to its displayed size, and from there down until its longest side is `size_px`."""
    scale = min(1.0, size_px / max(size))
    target = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return image if target == image.size else image.resize(target, SCALING)


def still(place: Path | bytes) -> Image.Image:
    """A still image, upright as its EXIF data say, RGB of 8 bits.

    Raises:
        MediaError: It cannot be read.
    """
    source = place if isinstance(place, Path) else BytesIO(place)
    with decoding("is an image that cannot be read"), Image.open(source) as opened:
        return _opaque(_eight_bit(ImageOps.exif_transpose(opened)))


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
