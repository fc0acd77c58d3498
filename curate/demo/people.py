"""Who is drawn: a subject's looks, which say nothing about the class."""

from dataclasses import dataclass

import numpy as np

from curate.demo.pen import Colour

SKINS: tuple[Colour, ...] = (
    (255, 224, 196),
    (246, 205, 170),
    (228, 178, 138),
    (198, 140, 98),
    (156, 104, 70),
    (112, 74, 52),
)
HAIRS: tuple[Colour, ...] = (
    (38, 30, 34),
    (66, 42, 32),
    (104, 62, 38),
    (164, 104, 52),
    (214, 168, 92),
    (176, 74, 46),
    (150, 150, 156),
)
SHIRTS: tuple[Colour, ...] = (
    (66, 122, 178),
    (210, 92, 84),
    (92, 158, 120),
    (236, 184, 84),
    (128, 104, 172),
    (64, 148, 156),
    (232, 232, 226),
    (70, 78, 98),
)
WALLS: tuple[Colour, ...] = (
    (214, 230, 238),
    (240, 226, 208),
    (220, 234, 214),
    (236, 220, 230),
    (226, 224, 242),
    (198, 214, 220),
)
DESKS: tuple[Colour, ...] = ((120, 84, 62), (96, 108, 120), (240, 236, 228), (84, 124, 122), (176, 128, 88))

HAIRCUTS = ("short", "long", "bun", "curly", "bob", "bald")
PATTERNS = ("plain", "stripes", "collar", "hood")
ROOMS = ("window", "shelf", "pictures", "plant", "plain")


@dataclass(frozen=True, slots=True)
class Person:
    """A subject: what stays the same in every clip of one person."""

    skin: Colour
    hair: Colour
    haircut: str
    eye: Colour
    width: float
    """Half the width of the face, units."""
    height: float
    """Half the height of the face, units."""
    beard: bool
    glasses: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """One clip's clothes and room."""

    shirt: Colour
    pattern: str
    wall: Colour
    desk: Colour
    room: str
    cover: Colour
    """Colour of a cap, mask or scarf."""
    flip: int
    """+1 or -1: which side things lean to."""


def draw_person(rng: np.random.Generator) -> Person:
    """Draw one subject."""
    return Person(
        skin=_jitter(SKINS[rng.integers(len(SKINS))], 8, rng),
        hair=_jitter(HAIRS[rng.integers(len(HAIRS))], 10, rng),
        haircut=str(rng.choice(HAIRCUTS, p=(0.24, 0.22, 0.16, 0.14, 0.16, 0.08))),
        eye=_jitter(((52, 38, 34), (38, 70, 96), (48, 84, 60))[rng.integers(3)], 8, rng),
        width=float(rng.uniform(11.0, 12.6)),
        height=float(rng.uniform(12.6, 14.0)),
        beard=bool(rng.random() < 0.14),
        glasses=bool(rng.random() < 0.18),
    )


def draw_setting(rng: np.random.Generator) -> Setting:
    """Draw one clip's clothes and room."""
    return Setting(
        shirt=_jitter(SHIRTS[rng.integers(len(SHIRTS))], 14, rng),
        pattern=str(rng.choice(PATTERNS)),
        wall=_jitter(WALLS[rng.integers(len(WALLS))], 10, rng),
        desk=_jitter(DESKS[rng.integers(len(DESKS))], 8, rng),
        room=str(rng.choice(ROOMS)),
        cover=_jitter(SHIRTS[rng.integers(len(SHIRTS))], 14, rng),
        flip=1 if rng.random() < 0.5 else -1,
    )


def _jitter(colour: Colour, spread: int, rng: np.random.Generator) -> Colour:
    red, green, blue = (int(np.clip(c + rng.integers(-spread, spread + 1), 0, 255)) for c in colour)
    return (red, green, blue)
