"""People, or faces, by a YOLO model of the optional package ultralytics.

Its licence is AGPL-3.0, so that it is no dependency: who names it in a recipe
installs it. Its weights as .pt files are pickles, which run code when they are
read, and the package fetches those it knows by name: name a file that you
trust, or one exported as .onnx.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from PIL import Image

from curate.errors import InputError, MissingPartError, Problem
from curate.frames.people.boxes import Box
from curate.frames.people.finder import Detection, distinct

_WEAKEST = 0.05
"""Findings below it are not even listed."""


@dataclass(frozen=True, slots=True)
class YoloDetector:
    """A loaded model; one call at a time."""

    name: str
    """ultralytics:NAME@version of the package."""
    label: int
    """Of the class that is looked for."""
    network: Any
    # The package keeps the settings of a call in the model.
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def find(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        """What is in each picture, by falling score."""
        if not images:
            return []  # the package would look at a sample picture of its own
        with self._one_at_a_time:
            results = self.network.predict(
                list(images), conf=_WEAKEST, classes=[self.label], verbose=False, save=False
            )
            return [distinct(_detections(result.boxes)) for result in results]


def load_yolo(weights: str, label: str) -> YoloDetector:
    """Load a model by the name that ultralytics gives it, or from a file.

    Raises:
        MissingPartError: ultralytics is not installed.
        InputError: There is no such model, or it does not know the class.
    """
    try:
        import ultralytics
    except ImportError as error:
        raise MissingPartError(
            f"detector ultralytics:{weights} needs the package ultralytics ({error}). "
            "Install it with: pip install ultralytics (its licence is AGPL-3.0)"
        ) from error
    return yolo_of(ultralytics, weights, label)


def yolo_of(package: Any, weights: str, label: str) -> YoloDetector:
    """A model of the package as it is handed over.

    Raises:
        InputError: There is no such model, or it does not know the class.
    """
    try:
        network = package.YOLO(weights)
        names = dict(network.names)
    # The package raises what it likes, down to plain Exception, for a file that is no model.
    except Exception as error:
        raise _unfit(weights, f"cannot be loaded ({type(error).__name__}: {error})") from error
    for number, name in sorted(names.items()):
        if str(name).lower() == label:
            return YoloDetector(f"ultralytics:{weights}@{_version()}", int(number), network)
    raise _unfit(
        weights, f"knows no class {label!r}, only {', '.join(map(str, list(names.values())[:5]))}, …"
    )


def _detections(boxes: Any) -> list[Detection]:
    """Of one picture: xyxy of shape (n, 4) in pixels, conf (n,)."""
    rows = zip(boxes.xyxy.tolist(), boxes.conf.tolist(), strict=True)
    return [Detection(Box(*corners), float(score)) for corners, score in rows]


def _version() -> str:
    try:
        return version("ultralytics")
    except PackageNotFoundError:
        return "unknown"


def _unfit(weights: str, what: str) -> InputError:
    return InputError("recipe", [Problem("frames.detector", f"ultralytics:{weights} {what}")])
