"""What the drawn clips show: cues that depend on the class, and what hides them.

Given the class, the cues are drawn independently of each other. The only tie
between them is sight: sunglasses hide the eyes whatever the eyes do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

CLASSES = ("not engaged", "barely engaged", "engaged", "highly engaged")
"""The classes, in order."""

HIDDEN = -1
"""Stands for an option's position where the cue cannot be seen."""

UNSEEN = "cannot be seen"
"""The answer to an item whose cue is hidden."""

OPTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "gaze": ("never", "some of the time", "all of the time"),
        "eyes": ("closed", "half open", "wide open"),
        "head": ("facing us", "half turned away", "fully turned away"),
        "mouth": ("yawning", "turned down", "straight", "smiling"),
        "brows": ("lowered", "level", "raised"),
        "tilt": ("upright", "a little to one side", "drooping"),
        "hands": ("propping up the head", "lying still", "writing", "raised"),
        "movement": ("hardly", "a little", "a lot"),
    }
)
"""Each item's options, as the questionnaire words them."""

CHANCES: Mapping[str, tuple[tuple[float, ...], ...]] = MappingProxyType(
    {
        "gaze": ((0.03, 0.17, 0.80), (0.14, 0.71, 0.15), (0.66, 0.32, 0.02), (0.96, 0.03, 0.01)),
        "eyes": ((0.36, 0.60, 0.04), (0.07, 0.81, 0.12), (0.02, 0.20, 0.78), (0.01, 0.02, 0.97)),
        "head": ((0.24, 0.52, 0.24), (0.30, 0.65, 0.05), (0.80, 0.18, 0.02), (0.96, 0.03, 0.01)),
        "mouth": (
            (0.66, 0.24, 0.08, 0.02),
            (0.12, 0.60, 0.25, 0.03),
            (0.02, 0.05, 0.76, 0.17),
            (0.01, 0.02, 0.12, 0.85),
        ),
        "brows": ((0.82, 0.16, 0.02), (0.17, 0.73, 0.10), (0.02, 0.40, 0.58), (0.01, 0.05, 0.94)),
        "tilt": ((0.03, 0.16, 0.81), (0.14, 0.72, 0.14), (0.66, 0.32, 0.02), (0.95, 0.04, 0.01)),
        "hands": (
            (0.74, 0.22, 0.03, 0.01),
            (0.28, 0.66, 0.04, 0.02),
            (0.02, 0.22, 0.68, 0.08),
            (0.01, 0.02, 0.32, 0.65),
        ),
        "movement": ((0.04, 0.18, 0.78), (0.15, 0.70, 0.15), (0.64, 0.33, 0.03), (0.94, 0.05, 0.01)),
    }
)
"""Chance of each option given the class: a row a class, a column an option."""

HIDES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sunglasses": ("gaze", "eyes"),
        "fringe": ("gaze", "eyes", "brows"),
        "cap": ("brows",),
        "mask": ("mouth",),
        "scarf": ("mouth",),
        "low camera": ("hands",),
    }
)
"""The items that each cover hides."""

_OVER_EYES = (("", 0.84), ("sunglasses", 0.06), ("fringe", 0.04), ("cap", 0.06))
_OVER_MOUTH = (("", 0.89), ("mask", 0.06), ("scarf", 0.05))
_OVER_HANDS = (("", 0.88), ("low camera", 0.12))


@dataclass(frozen=True, slots=True)
class Cues:
    """What one clip's person does, seen or not."""

    values: Mapping[str, int]
    """Each item's position in its options, also where it is hidden."""

    covers: frozenset[str]
    """What stands in the way: keys of `HIDES`."""

    def seen(self) -> dict[str, int]:
        """Each item's position in its options, `HIDDEN` where nothing shows it."""
        out_of_sight = {item for cover in self.covers for item in HIDES[cover]}
        if self.values["eyes"] == OPTIONS["eyes"].index("closed"):
            out_of_sight |= {"gaze"}
        if self.values["head"] == OPTIONS["head"].index("fully turned away"):
            out_of_sight |= {"gaze", "eyes", "brows", "mouth"}
        return {item: HIDDEN if item in out_of_sight else value for item, value in self.values.items()}

    def answers(self) -> dict[str, str]:
        """The true answer to every item, in words."""
        return {item: answer_of(item, value) for item, value in self.seen().items()}


def answer_of(item: str, value: int) -> str:
    """The words for a position in an item's options."""
    return UNSEEN if value == HIDDEN else OPTIONS[item][value]


def draw_cues(label: int, rng: np.random.Generator) -> Cues:
    """Draw one clip's cues for the class at position `label` of `CLASSES`."""
    values = {item: _pick(np.array(rows[label]), rng) for item, rows in CHANCES.items()}
    return Cues(values, draw_covers(rng))


def draw_covers(rng: np.random.Generator) -> frozenset[str]:
    """Draw what stands in the way, whatever the class."""
    covers = {
        table[_pick(np.array([chance for _, chance in table]), rng)][0]
        for table in (_OVER_EYES, _OVER_MOUTH, _OVER_HANDS)
    }
    return frozenset(covers - {""})


def _pick(chances: NDArray[np.float64], rng: np.random.Generator) -> int:
    return int(rng.choice(len(chances), p=chances / chances.sum()))
