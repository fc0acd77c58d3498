"""Crops of a clip: inside each picture, of the shape that is promised, None where nobody is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from curate.frames.people.boxes import Box
from curate.frames.people.crop import Crops, open_crops
from curate.frames.people.finder import Detection
from curate.recipe import Frames


@dataclass(frozen=True, slots=True)
class Told:
    """Finds what it is told, the same in every picture."""

    found: tuple[Detection, ...]
    name: str = "told@1"

    def find(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        return [list(self.found) for _ in images]


HALF_LEFT = Detection(Box(-10, 40, 30, 100), 0.9)  # 40 x 60, beyond the left edge


def test_whole_frames_need_no_detector() -> None:
    assert open_crops(Frames()) is None


def test_a_face_is_a_square_inside_the_picture() -> None:
    crops = Crops(Told((HALF_LEFT,)), Frames(crop="face", margin=0.5))
    (box,) = crops([Image.new("RGB", (320, 240))], [0.0])
    assert box is not None
    # Grown to 80 x 120, squared to 120, moved in from x = -50.
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((0, 10, 120, 130))


def test_a_person_keeps_their_shape() -> None:
    crops = Crops(Told((HALF_LEFT,)), Frames(crop="person", margin=0))
    (box,) = crops([Image.new("RGB", (320, 240))], [0.0])
    assert box is not None
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((0, 40, 40, 100))


def test_what_is_not_believed_is_not_shown() -> None:
    images = [Image.new("RGB", (320, 240))] * 2
    assert Crops(Told((HALF_LEFT,)), Frames(crop="face", least_score=0.95))(images, [0, 1]) == [None, None]
    assert Crops(Told(()), Frames(crop="face"))(images, [0, 1]) == [None, None]
    assert Crops(Told(()), Frames(crop="face"))([], []) == []


@dataclass(frozen=True, slots=True)
class Middle:
    """Finds the middle ninth of every picture."""

    name: str = "middle@1"

    def find(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        thirds = [(image.width / 3, image.height / 3) for image in images]
        return [[Detection(Box(x, y, 2 * x, 2 * y), 0.9)] for x, y in thirds]


def test_a_stream_may_change_its_size_on_the_way() -> None:
    images = [Image.new("RGB", (300, 300)), Image.new("RGB", (600, 600))]
    boxes = Crops(Middle(), Frames(crop="face", margin=0))(images, [0, 0.1])
    edges = [(box.left, box.right) for box in boxes if box is not None]
    assert edges == [pytest.approx((100, 200)), pytest.approx((200, 400))]


def test_a_face_of_a_real_clip_is_followed(test_data: Path) -> None:
    still = Image.open(test_data / "clips" / "single_face_img.jpg").convert("RGB")
    boxes = open_crops(Frames(crop="face"))
    assert boxes is not None
    empty = Image.new("RGB", still.size, "white")
    first, gap, last, gone = boxes([still, empty, still, empty], [0.0, 1.0, 2.0, 9.0])
    assert gone is None
    assert first is not None
    assert first == gap == last
    assert first.width == pytest.approx(first.height)
    # The face is at about (185, 170) to (375, 390).
    assert first.left < 185 < 375 < first.right
