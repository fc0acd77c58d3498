"""Object detection with the documented architecture: a tiny one of random weights."""

import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from curate.errors import InputError, MissingPartError
from curate.frames.people.object_detection import load_object_detector, object_detector_problems


def test_findings_are_in_pixels_of_each_picture(tiny_detector: Path) -> None:
    detector = load_object_detector(str(tiny_detector), None, "person")
    assert detector.label == 1
    assert detector.name.startswith("rtdetr-tiny@sha256:")
    sizes = [(90, 60), (30, 40)] * 5  # more than one pass takes
    images = [Image.effect_noise(size, 50).convert("RGB") for size in sizes]
    found = detector.find(images)
    assert len(found) == len(images)
    assert any(found)
    for image, here in zip(images, found, strict=True):
        for one in here:
            assert 0 <= one.score <= 1
            assert -image.width <= one.box.left <= one.box.right <= 2 * image.width
    assert detector.find(images) == found
    assert detector.find([]) == []


def test_only_the_class_that_is_looked_for_is_listed(tiny_detector: Path) -> None:
    images = [Image.effect_noise((64, 64), 90).convert("RGB")]
    dogs, people = (
        load_object_detector(str(tiny_detector), None, label).find(images)[0] for label in ("dog", "person")
    )
    assert not {one.score for one in dogs} & {one.score for one in people}


def test_a_class_that_it_does_not_know_is_told_before_it_is_loaded(tiny_detector: Path) -> None:
    (problem,) = object_detector_problems(str(tiny_detector), None, "face")
    assert problem.where == "frames.detector"
    assert problem.what.endswith("knows no class 'face', only dog, person, …")
    assert object_detector_problems(str(tiny_detector), None, "person") == []


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    (problem,) = object_detector_problems(str(tmp_path), None, "person")
    assert "cannot be loaded" in problem.what
    with pytest.raises(InputError, match=r"frames\.detector: .* cannot be loaded"):
        load_object_detector(str(tmp_path), None, "person")


def test_weights_that_are_no_safetensors_are_not_read(tiny_detector: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(tiny_detector, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_object_detector(str(folder), None, "person")


def test_without_transformers_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingPartError, match="pip install torch transformers"):
        load_object_detector("anything", None, "person")
