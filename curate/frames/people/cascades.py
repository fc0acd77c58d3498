"""Faces by the cascades that come with OpenCV: nothing is downloaded, and a CPU is enough."""

import threading
from collections.abc import Iterator, Sequence
from math import cos, radians, sin
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.frames.people.boxes import Box
from curate.frames.people.finder import Detection, distinct
from curate.frames.people.opencv import load_cv2

_FRONTAL = "haarcascade_frontalface_default.xml"
_PROFILE = "haarcascade_profileface.xml"

_SIDE_PX = 320
"""Longest side of the grey picture that is searched. At 480 px the frontal cascade found 67 instead of 64 of
99 faces of the test clips, with six times the false alarms and 1.7 times the work."""
_THOROUGH_SIDE_PX = 400
"""The same if thorough: 81 instead of 78 of 99, and half as many false alarms as at 480 px."""
_LEAST_PX = 24
"""Side of the smallest face that is searched for, in that picture: the size the cascades were trained at."""
_STEP = 1.1
_NEIGHBOURS = 3
_TILTS = (25, -25)
"""Degrees by which a picture is turned, as the cascade knows upright faces only."""
_HALF = 2.8
"""Weight of the last stage that is given the score 1/2: no false alarm on the test clips had more."""


class CascadeFaces:
    """Viola and Jones' detector, as trained by Lienhart.

    Frontal faces upright, then tilted, then profiles to both sides: each only
    where nothing was found before, or always if `thorough`. Of 99 faces in 163
    pictures of the test clips 70 were found at a score of 1/2 or more, with 3
    false alarms, and 81 at 0.3 or more if thorough, with 22; hardly any that
    was smaller than 1/13 of the picture's longest side.

    Source:
        Viola & Jones (2001), Rapid object detection using a boosted cascade of
        simple features, https://doi.org/10.1109/CVPR.2001.990517
    """

    def __init__(self, *, thorough: bool = False) -> None:
        """Nothing is loaded yet but OpenCV.

        Raises:
            MissingPartError: OpenCV is not installed, or too new.
        """
        self._cv2 = load_cv2()
        self._thorough = thorough
        # A cascade keeps the picture it looks at: each thread needs its own.
        self._own = threading.local()

    @property
    def name(self) -> str:
        """opencv@version."""
        return f"opencv@{self._cv2.__version__}"

    def find(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        """Faces of each picture, by falling score."""
        return [self._find(image) for image in images]

    def _find(self, image: Image.Image) -> list[Detection]:
        grey = _grey(image, _THOROUGH_SIDE_PX if self._thorough else _SIDE_PX)
        scale = max(image.size) / max(grey.shape)
        found: list[Detection] = []
        for look in self._looks(grey):
            found += look
            if found and not self._thorough:
                break
        return distinct(Detection(each.box.scaled(scale, scale), each.score) for each in found)

    def _looks(self, grey: NDArray[np.uint8]) -> Iterator[list[Detection]]:
        """What each way of looking finds, in pixels of the grey picture; dearer ones last."""
        yield self._search(_FRONTAL, grey)
        yield [each for degrees in _TILTS for each in self._tilted(grey, degrees)]
        yield self._search(_PROFILE, grey) + self._mirrored(grey)

    def _search(self, cascade: str, grey: NDArray[np.uint8]) -> list[Detection]:
        places, _, weights = self._cascade(cascade).detectMultiScale3(
            grey,
            scaleFactor=_STEP,
            minNeighbors=_NEIGHBOURS,
            minSize=(_LEAST_PX, _LEAST_PX),
            outputRejectLevels=True,
        )
        return [
            Detection(Box(float(x), float(y), float(x + width), float(y + height)), _score(float(weight)))
            for (x, y, width, height), weight in zip(places, np.ravel(weights), strict=True)
        ]

    def _mirrored(self, grey: NDArray[np.uint8]) -> list[Detection]:
        """Profiles to the other side than the cascade was trained on."""
        width = grey.shape[1]
        found = self._search(_PROFILE, np.ascontiguousarray(grey[:, ::-1]))
        return [
            Detection(Box(width - box.right, box.top, width - box.left, box.bottom), each.score)
            for each in found
            for box in (each.box,)
        ]

    def _tilted(self, grey: NDArray[np.uint8], degrees: float) -> list[Detection]:
        """Frontal faces in the picture turned about its middle, each in an upright box."""
        turned = np.asarray(Image.fromarray(grey).rotate(degrees, Image.Resampling.BILINEAR))
        middle = (grey.shape[1] / 2, grey.shape[0] / 2)
        return [
            Detection(_turned_back(each.box, degrees, middle), each.score)
            for each in self._search(_FRONTAL, turned)
        ]

    def _cascade(self, name: str) -> Any:
        cascades: dict[str, Any] = self._own.__dict__.setdefault("cascades", {})
        if name not in cascades:
            cascades[name] = self._cv2.CascadeClassifier(str(Path(self._cv2.data.haarcascades) / name))
        return cascades[name]


def _score(weight: float) -> float:
    """Weight of the last stage on a scale from 0 to 1 (ours)."""
    return max(0.0, weight) / (max(0.0, weight) + _HALF)


def _grey(image: Image.Image, side_px: int) -> NDArray[np.uint8]:
    """Shape (height, width), the longer of them `side_px`."""
    scale = side_px / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Pillow's scaler gives the same bytes on every machine.
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2).convert("L"))


def _turned_back(box: Box, degrees: float, middle: tuple[float, float]) -> Box:
    """The box of a picture that was turned against the clock, where it lies in the picture itself."""
    (x, y), turn = box.centre, radians(degrees)
    x, y = x - middle[0], y - middle[1]
    # y points down: Pillow turns against the clock as it is seen, and this turns back.
    back_x = middle[0] + x * cos(turn) - y * sin(turn)
    back_y = middle[1] + x * sin(turn) + y * cos(turn)
    half_width, half_height = box.width / 2, box.height / 2
    return Box(back_x - half_width, back_y - half_height, back_x + half_width, back_y + half_height)
