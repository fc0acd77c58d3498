"""OpenCV's cascades on real faces, and what is said where they are missing."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image, ImageOps

from curate.errors import MissingPartError
from curate.frames.people.boxes import Box, overlap
from curate.frames.people.cascades import CascadeFaces
from curate.frames.people.finder import Detection


@pytest.fixture(scope="module")
def man(test_data: Path) -> Image.Image:
    """572 x 562; the face is at about (185, 170) to (375, 390), as looked at."""
    return Image.open(test_data / "clips" / "single_face_img.jpg").convert("RGB")


def test_finds_a_face_where_it_is(man: Image.Image) -> None:
    ((face,),) = CascadeFaces().find([man])
    assert overlap(face.box, Box(185, 170, 375, 390)) > 0.6
    assert 0.5 < face.score <= 1


@pytest.mark.parametrize("degrees", [25, -25])
def test_finds_a_tilted_face_where_it_is(man: Image.Image, degrees: float) -> None:
    upright = CascadeFaces().find([man])[0][0].box
    turned = man.rotate(degrees, Image.Resampling.BICUBIC)
    (found,) = CascadeFaces().find([turned])
    # The face is near the middle, about which the picture is turned.
    assert any(overlap(one.box, upright) > 0.5 for one in found)


def test_finds_most_of_several_faces(test_data: Path) -> None:
    five = Image.open(test_data / "clips" / "multi_face.jpg").convert("RGB")
    believed = [one for one in CascadeFaces(thorough=True).find([five])[0] if one.score >= 0.5]
    assert len(believed) in (4, 5)


def test_a_mirrored_picture_has_its_profiles_mirrored(man: Image.Image) -> None:
    thorough = CascadeFaces(thorough=True)
    found, mirrored = thorough.find([man, ImageOps.mirror(man)])
    best = mirrored[0].box
    assert overlap(found[0].box, Box(572 - best.right, best.top, 572 - best.left, best.bottom)) > 0.6


def test_nothing_is_found_in_nothing() -> None:
    assert CascadeFaces().find([Image.new("RGB", (640, 480), "white"), Image.new("RGB", (1, 1))]) == [[], []]
    assert CascadeFaces().find([]) == []


def test_threads_find_the_same(man: Image.Image) -> None:
    faces = CascadeFaces(thorough=True)
    expected = faces.find([man])

    def find(_: int) -> list[list[Detection]]:
        return faces.find([man])

    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(find, range(8)))


def test_without_opencv_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingPartError, match=r"pip install 'opencv-python-headless>=4.10,<5'"):
        CascadeFaces()


def test_a_version_without_cascades_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    too_new = ModuleType("cv2")
    too_new.__version__ = "5.0.0"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv2", too_new)
    with pytest.raises(MissingPartError, match=r"OpenCV 5\.0\.0 has no cascades"):
        CascadeFaces()
