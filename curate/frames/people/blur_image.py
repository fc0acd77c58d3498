"""Faces of a still image hidden."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from curate.clips.decoding import decoding
from curate.frames.people.finder import Finder
from curate.frames.people.hide import hide
from curate.frames.people.hold import MARGIN

_QUALITY = 95
_NO_SUBSAMPLING = 0
_KEPT_MODES = ("L", "RGB", "RGBA")


def blurred_image(place: Path | bytes, finder: Finder, least_score: float) -> tuple[bytes, str]:
    """An image in which the faces that a finder finds are hidden.

    Upright as its EXIF data say, 8 bits a channel, the first picture of
    several, and without anything that is not a pixel but the colour profile:
    EXIF data may hold a small copy of the picture, and where it was taken.

    Returns:
        The file's bytes, and its suffix: .jpg for what was a JPEG, .png for
        everything else.

    Raises:
        MediaError: It cannot be read.
    """
    source = place if isinstance(place, Path) else BytesIO(place)
    with decoding("is an image that cannot be read"), Image.open(source) as opened:
        is_jpeg = opened.format in ("JPEG", "MPO")
        upright = ImageOps.exif_transpose(opened)
        image = upright if upright.mode in _KEPT_MODES else upright.convert("RGB")
        # A profile describes the channels as they were.
        profile = opened.info.get("icc_profile") if image.mode == upright.mode else None
        return _saved(hidden(image, finder, least_score), profile, is_jpeg=is_jpeg)


def hidden(image: Image.Image, finder: Finder, least_score: float) -> Image.Image:
    """The image with its faces hidden; the pixels elsewhere are the same."""
    (found,) = finder.find([image.convert("RGB")])
    pixels = np.array(image)
    for one in found:
        if one.score >= least_score:
            hide(pixels, one.box.with_margin(MARGIN), image.size)
    return Image.fromarray(pixels)


def _saved(image: Image.Image, profile: bytes | None, *, is_jpeg: bool) -> tuple[bytes, str]:
    file = BytesIO()
    if is_jpeg:
        image.save(file, "JPEG", quality=_QUALITY, subsampling=_NO_SUBSAMPLING, icc_profile=profile)
        return file.getvalue(), ".jpg"
    image.save(file, "PNG", icc_profile=profile)
    return file.getvalue(), ".png"
