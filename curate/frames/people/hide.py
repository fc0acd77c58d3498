"""Pixels under a box made unrecognisable; pure."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.frames.people.boxes import Box

CELLS = 4
"""Flat cells along the longer side of a hidden box, however large it is: with the margin round a face, the
face itself has two to three. Nobody's mouth or eyes are left in so few."""


def hide(plane: NDArray[np.uint8], box: Box, size: tuple[float, float]) -> None:
    """Replace what is under a box by a few flat cells, smoothed into each other. In place.

    Each cell is the mean of what it covers; between the cells' middles the
    values are interpolated, so that no edges are left that a viewer would take
    for content. The same for every plane: a plane of colours of half size is
    hidden over the same part of the picture.

    Args:
        plane: Shape (height, width) of one channel, or (height, width, channels).
        box: In pixels of a picture of that size; what lies outside is left out.
        size: Width and height of the picture that the box refers to [px].
    """
    height, width = plane.shape[:2]
    inside = box.scaled(width / size[0], height / size[1]).clipped(width, height)
    if inside.area <= 0:
        return
    left, top, right, bottom = inside.pixels(width, height)
    part = Image.fromarray(np.ascontiguousarray(plane[top:bottom, left:right]))
    flat = part.resize(_cells(part.size), Image.Resampling.BOX)
    plane[top:bottom, left:right] = np.asarray(flat.resize(part.size, Image.Resampling.BILINEAR))


def _cells(size: tuple[int, int]) -> tuple[int, int]:
    longer = max(size)
    width, height = (max(1, min(side, round(CELLS * side / longer))) for side in size)
    return width, height
