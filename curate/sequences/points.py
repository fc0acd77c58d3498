"""The 137 points of a person, and how they are scaled to be kept in 16 bits; pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.errors import MediaError

N_POINTS = 137

BODY = slice(0, 25)
FACE = slice(25, 95)
LEFT_HAND = slice(95, 116)
RIGHT_HAND = slice(116, 137)

NECK = 1
"""Of the body: the middle between the shoulders."""

_FARTHEST_PX = 1e6

Points = NDArray[np.float32]
"""Shape (..., 137, 3): x, y [px from the upper left corner] and confidence; 0, 0, 0 where not found."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Points of a clip as table keypoints keeps them."""

    values: NDArray[np.float16]
    """Shape (n_frames, 137, 3): x and y from the origin, in longer sides of the picture; confidence."""
    origin_x: int
    """In pixels from the left edge."""
    origin_y: int
    """In pixels from the upper edge."""


def placed(points: Points, width: int, height: int) -> Placed:
    """Scale points so that 16 bits keep small movements (ours).

    A number of 16 bits has a relative, not an absolute error: what is d pixels
    from the origin along an axis is kept to within d / 2048. So the origin lies
    on the person, where face and hands move by tenths of a pixel, and not in a
    corner of the picture. It is one place for the whole clip: one that followed
    the person would take away their movement, and bring in the noise of the
    point that it followed. The unit does not matter to precision.

    Args:
        points: Shape (n_frames, 137, 3), finite.
        width: Of the picture [px].
        height: Of the picture [px].

    Returns:
        The origin is the median place of the neck; where it was never found,
        that of all points; where there are none, the middle of the picture.

    Raises:
        MediaError: A point is so far away that 16 bits cannot say it.
    """
    found = points[..., 2] > 0
    origin = _origin(points, found, width, height)
    scaled = np.concatenate([(points[..., :2] - origin) / max(width, height), points[..., 2:]], axis=-1)
    with np.errstate(over="ignore"):  # looked for below
        values = np.where(found[..., None], scaled, 0).astype(np.float16)
    if not np.isfinite(values).all() or np.abs(origin).max() > _FARTHEST_PX:
        raise MediaError("has key points that are far outside of any picture")
    values[values[..., 2] == 0] = 0  # too small a confidence for 16 bits
    return Placed(values, int(origin[0]), int(origin[1]))


def in_pixels(placed: Placed, width: int, height: int) -> Points:
    """Points as they were, but for rounding: (n_frames, 137, 3)."""
    points = placed.values.astype(np.float32)
    points[..., :2] = points[..., :2] * max(width, height) + (placed.origin_x, placed.origin_y)
    points[points[..., 2] == 0] = 0
    return points


def _origin(points: Points, found: NDArray[np.bool_], width: int, height: int) -> NDArray[np.float64]:
    """Whole pixels: (x, y)."""
    necks, all_found = points[:, NECK, :2][found[:, NECK]], points[..., :2][found]
    for places in (necks, all_found):
        if len(places):
            return np.rint(np.median(places.astype(np.float64), axis=0))
    return np.rint(np.array([width, height]) / 2)
