"""What finds faces or people in a picture, behind one small interface."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from curate.frames.people.boxes import Box, covered, overlap

_SAME_OVERLAP = 0.3
_SAME_COVERED = 0.7


@dataclass(frozen=True, slots=True)
class Detection:
    """One face or person that was found."""

    box: Box
    """In pixels of the picture; may reach beyond its edges."""
    score: float
    """0 to 1, by the finder's own measure; not the same between two finders."""


class Finder(Protocol):
    """Finds faces or people; safe to use from several threads.

    The same pictures give the same findings, whatever was asked before and
    whatever other threads ask.
    """

    @property
    def name(self) -> str:
        """What finds, with its version or revision."""
        ...

    def find(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        """What is in each of some upright RGB pictures, none twice; an empty list is an ordinary answer."""
        ...


def distinct(found: Iterable[Detection]) -> list[Detection]:
    """Each thing once, by falling score: of two boxes of the same thing the higher score stays.

    They are of the same thing if they overlap by more than 0.3 (intersection
    over union), or the lower one is covered by more than 0.7: a finder that
    looks several times, at several scales, often finds a part beside the whole.
    """
    kept: list[Detection] = []
    for one in sorted(found, key=_falling):
        if not any(_same(one.box, other.box) for other in kept):
            kept.append(one)
    return kept


def _falling(one: Detection) -> tuple[float, ...]:
    """By score; then by place, so that the order in which they were found does not matter."""
    return (-one.score, one.box.left, one.box.top, one.box.right, one.box.bottom)


def _same(lower: Box, higher: Box) -> bool:
    return overlap(lower, higher) > _SAME_OVERLAP or covered(lower, higher) > _SAME_COVERED
