"""Still images with hidden faces: upright, without what is no pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curate.errors import MediaError
from curate.frames.people.blur_image import blurred_image
from curate.frames.people.boxes import Box
from curate.frames.people.cascades import CascadeFaces
from curate.frames.people.finder import Detection


@dataclass(frozen=True, slots=True)
class TopLeft:
    """Finds a face in the top left corner of every picture, as it is shown to it."""

    name: str = "top left@1"

    def find(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        assert all(image.mode == "RGB" for image in images)
        return [[Detection(Box(0, 0, 20, 20), 0.9), Detection(Box(40, 40, 60, 60), 0.1)] for _ in images]


def drawn(mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(2).integers(0, 256, (80, 100, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".png")])
def test_a_jpeg_stays_one_and_all_else_becomes_png(kind: str, suffix: str) -> None:
    data, found = blurred_image(encoded(drawn(), kind), TopLeft(), 0.5)
    assert found == suffix
    assert Image.open(BytesIO(data)).size == (100, 80)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1"])
def test_only_what_is_believed_is_hidden(mode: str) -> None:
    image = drawn(mode)
    data, _ = blurred_image(encoded(image, "PNG"), TopLeft(), 0.5)
    before, after = (
        np.asarray(each.convert("RGB")).astype(int) for each in (image, Image.open(BytesIO(data)))
    )
    # 20 px and 0.3 of it on each side; a cell's mean of noise is near the middle.
    assert after[:26, :26].std() < 40 < before[:26, :26].std()
    assert (before[26:] == after[26:]).all()


def test_exif_data_are_used_and_left_out() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "where this was"
    data, _ = blurred_image(encoded(drawn(), "JPEG", exif=exif), TopLeft(), 0.5)
    after = Image.open(BytesIO(data))
    assert after.size == (80, 100)
    assert len(after.getexif()) == 0
    assert b"where this was" not in data


def test_the_same_bytes_each_time() -> None:
    picture = encoded(drawn(), "JPEG")
    assert blurred_image(picture, TopLeft(), 0.5) == blurred_image(picture, TopLeft(), 0.5)


def test_no_image_is_told() -> None:
    with pytest.raises(MediaError, match="is an image that cannot be read"):
        blurred_image(b"nothing", TopLeft(), 0.5)


def test_no_face_is_left_in_a_real_picture(test_data: Path) -> None:
    place = test_data / "clips" / "single_face_img.jpg"
    finder = CascadeFaces(thorough=True)
    assert finder.find([Image.open(place).convert("RGB")])[0]
    data, _ = blurred_image(place, finder, 0.3)
    assert not [one for one in finder.find([Image.open(BytesIO(data))])[0] if one.score >= 0.5]
