"""A YOLO model as ultralytics hands it over: a plain object with the same attributes in its place."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from curate.errors import InputError, MissingPartError
from curate.frames.people.boxes import Box
from curate.frames.people.finder import Detection
from curate.frames.people.yolo import load_yolo, yolo_of


@dataclass
class Boxes:
    xyxy: NDArray[np.float32]
    conf: NDArray[np.float32]


@dataclass
class Result:
    boxes: Boxes


@dataclass
class Model:
    weights: str
    names: dict[int, str] = field(default_factory=lambda: {0: "dog", 1: "Person"})
    asked: list[dict[str, Any]] = field(default_factory=list)

    def predict(
        self, images: Sequence[Image.Image], *, conf: float, classes: list[int], verbose: bool, save: bool
    ) -> list[Result]:
        self.asked.append({"conf": conf, "classes": classes, "verbose": verbose, "save": save})
        return [
            Result(Boxes(np.array([[1, 2, image.width, image.height]], np.float32), np.array([0.75])))
            for image in images
        ]


class Package:
    """What `import ultralytics` gives, as far as it is used."""

    @staticmethod
    def YOLO(weights: str) -> Model:  # the package's name
        if weights != "yolo11x.pt":
            raise FileNotFoundError(weights)
        return Model(weights)


def test_only_the_class_that_is_looked_for_is_asked_for() -> None:
    detector = yolo_of(Package, "yolo11x.pt", "person")
    images = [Image.new("RGB", (30, 40)), Image.new("RGB", (50, 60))]
    expected = [[Detection(Box(1, 2, 30, 40), 0.75)], [Detection(Box(1, 2, 50, 60), 0.75)]]
    assert detector.find(images) == expected
    assert detector.find([]) == []
    assert detector.network.asked == [{"conf": 0.05, "classes": [1], "verbose": False, "save": False}]
    assert detector.name == "ultralytics:yolo11x.pt@unknown"


def test_a_model_that_is_not_there_or_knows_no_such_class_is_told() -> None:
    with pytest.raises(InputError, match=r"ultralytics:nothing\.pt cannot be loaded \(FileNotFoundError"):
        yolo_of(Package, "nothing.pt", "person")
    with pytest.raises(InputError, match=r"knows no class 'face', only dog, Person"):
        yolo_of(Package, "yolo11x.pt", "face")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(MissingPartError, match=r"pip install ultralytics \(its licence is AGPL-3\.0\)"):
        load_yolo("yolo11x.pt", "person")
