"""A pen that draws in picture units, turned and moved like a sheet of paper."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Self

from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

UNITS = 64
"""A picture is 64 units wide: one unit is one pixel of what the model sees."""


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws shapes whose coordinates are units of a movable sheet, y downwards."""

    draw: ImageDraw.ImageDraw
    pixels: float
    """Canvas pixels a unit."""
    x: float = 0.0
    y: float = 0.0
    cos: float = 1.0
    sin: float = 0.0

    def moved(self, x: float, y: float, degrees: float = 0.0) -> Self:
        """The same pen on a sheet whose origin lies at (x, y), turned clockwise."""
        (px, py), angle = self.at((x, y)), math.radians(degrees)
        cos = self.cos * math.cos(angle) - self.sin * math.sin(angle)
        sin = self.sin * math.cos(angle) + self.cos * math.sin(angle)
        return replace(self, x=px / self.pixels, y=py / self.pixels, cos=cos, sin=sin)

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        """A filled polygon."""
        self.draw.polygon([self.at(point) for point in points], fill=fill)

    def rectangle(self, left: float, top: float, right: float, bottom: float, fill: Colour) -> None:
        """A filled rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill)

    def ellipse(
        self,
        centre: Point,
        radii: Point,
        fill: Colour,
        start: float = 0.0,
        stop: float = 360.0,
    ) -> None:
        """A filled ellipse, or the part of it between two angles, clockwise from the right."""
        self.polygon(arc(centre, radii, start, stop), fill)

    def line(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """A line with round ends and round corners, `width` units wide."""
        at = [self.at(point) for point in points]
        self.draw.line(at, fill=fill, width=max(1, round(width * self.pixels)), joint="curve")
        radius = width * self.pixels / 2
        for x, y in (at[0], at[-1]):
            self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def at(self, point: Point) -> Point:
        """Where a point of the sheet lies on the canvas [pixels]."""
        x, y = point
        return (
            (self.x + x * self.cos - y * self.sin) * self.pixels,
            (self.y + x * self.sin + y * self.cos) * self.pixels,
        )


def arc(centre: Point, radii: Point, start: float, stop: float) -> list[Point]:
    """Points along an ellipse from angle `start` to `stop`, in degrees, clockwise from the right."""
    (cx, cy), (rx, ry) = centre, radii
    return [(cx + rx * c, cy + ry * s) for c, s in _unit_arc(start, stop)]


@cache
def _unit_arc(start: float, stop: float) -> tuple[Point, ...]:
    steps = max(4, round(abs(stop - start) / 9))
    angles = (math.radians(start + (stop - start) * i / steps) for i in range(steps + 1))
    return tuple((math.cos(angle), math.sin(angle)) for angle in angles)


def shade(colour: Colour, factor: float) -> Colour:
    """A colour made darker (factor below 1) or lighter (above 1, towards white)."""
    if factor <= 1:
        return _colour(*(channel * factor for channel in colour))
    return _colour(*(255 - (255 - channel) * (2 - factor) for channel in colour))


def _colour(red: float, green: float, blue: float) -> Colour:
    return (round(red), round(green), round(blue))
