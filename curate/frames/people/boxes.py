"""Upright rectangles in a picture, and their geometry; nothing is decoded here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Self

from PIL import Image


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle [px] from the upper left corner of an upright picture; may reach beyond its edges."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Right less left [px]; 0 for a box turned inside out."""
        return max(0.0, self.right - self.left)

    @property
    def height(self) -> float:
        """Bottom less top [px]; 0 for a box turned inside out."""
        return max(0.0, self.bottom - self.top)

    @property
    def area(self) -> float:
        """Width times height [px²]."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """The middle, as (x, y) [px]."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def scaled(self, x: float, y: float) -> Self:
        """The same place in a picture that is `x` times as wide and `y` times as high."""
        return type(self)(self.left * x, self.top * y, self.right * x, self.bottom * y)

    def with_margin(self, share: float) -> Self:
        """Grown on each side by a share of its width and height."""
        x, y = share * self.width, share * self.height
        return type(self)(self.left - x, self.top - y, self.right + x, self.bottom + y)

    def clipped(self, width: float, height: float) -> Self:
        """The part of it inside a picture of that size; without area if it lies outside."""
        left, right = (min(max(edge, 0.0), float(width)) for edge in (self.left, self.right))
        top, bottom = (min(max(edge, 0.0), float(height)) for edge in (self.top, self.bottom))
        return type(self)(left, top, right, bottom)

    def moved_inside(self, width: float, height: float) -> Self:
        """Moved into a picture of that size without a change of shape; what is larger than it is cut off."""
        x = max(0.0, -self.left) - max(0.0, self.right - width)
        y = max(0.0, -self.top) - max(0.0, self.bottom - height)
        moved = type(self)(self.left + x, self.top + y, self.right + x, self.bottom + y)
        return moved.clipped(width, height)

    def intersection(self, other: "Box") -> "Box":
        """What both cover; without area if they do not meet."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Box(left, top, max(left, right), max(top, bottom))

    def union(self, other: "Box") -> "Box":
        """The smallest box that covers both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def squared(self) -> Self:
        """The smallest square around it that has the same centre."""
        (x, y), half = self.centre, max(self.width, self.height) / 2
        return type(self)(x - half, y - half, x + half, y + half)

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Whole pixels of a picture of that size that it touches, as Pillow's `crop` takes them.

        At least one pixel, even for a box without area or outside the picture.
        """
        inside = self.clipped(width, height)
        left, top = min(floor(inside.left), width - 1), min(floor(inside.top), height - 1)
        return left, top, max(left + 1, ceil(inside.right)), max(top + 1, ceil(inside.bottom))


Boxes = Callable[[Sequence[Image.Image], Sequence[float]], list[Box | None]]
"""From upright pictures of one clip and their times [s], rising, to the crop of each, in pixels of that
picture and inside it; None for the whole picture."""


def overlap(first: Box, second: Box) -> float:
    """Intersection over union, 0 to 1; 0 if neither has an area."""
    common = first.intersection(second).area
    together = first.area + second.area - common
    return common / together if together > 0 else 0.0


def covered(inner: Box, outer: Box) -> float:
    """Share of `inner` that `outer` covers, 0 to 1; 0 if it has no area."""
    return inner.intersection(outer).area / inner.area if inner.area > 0 else 0.0


def between(first: Box, second: Box, share: float) -> Box:
    """The box a share of the way from the first (0) to the second (1), edge by edge."""
    return Box(
        first.left + share * (second.left - first.left),
        first.top + share * (second.top - first.top),
        first.right + share * (second.right - first.right),
        first.bottom + share * (second.bottom - first.bottom),
    )
