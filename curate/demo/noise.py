"""How people mislabel the clips: neighbours are confused far more than distant classes.

Every matrix has a row for each true class and a column for each label given,
in the order of `cues.CLASSES`; rows sum to 1.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from curate.demo.cues import CLASSES

Chances = tuple[tuple[float, float, float, float], ...]

CLASS_SHARES = (0.20, 0.27, 0.31, 0.22)
"""How common each class is."""

GIVEN: Chances = (
    (0.80, 0.15, 0.04, 0.01),
    (0.20, 0.60, 0.17, 0.03),
    (0.03, 0.17, 0.64, 0.16),
    (0.01, 0.03, 0.14, 0.82),
)
"""The labels that come with the data: right for 0.70 of the clips."""

UNLABELLED = 0.15
"""Share of clips without a given label."""

ANNOTATORS: Mapping[str, Chances] = MappingProxyType(
    {
        "careful": (
            (0.86, 0.12, 0.01, 0.01),
            (0.14, 0.70, 0.15, 0.01),
            (0.01, 0.13, 0.73, 0.13),
            (0.01, 0.02, 0.10, 0.87),
        ),
        "lenient": (  # sees more engagement than there is
            (0.66, 0.25, 0.07, 0.02),
            (0.05, 0.62, 0.28, 0.05),
            (0.01, 0.04, 0.70, 0.25),
            (0.01, 0.01, 0.06, 0.92),
        ),
        "careless": (
            (0.66, 0.20, 0.09, 0.05),
            (0.22, 0.52, 0.19, 0.07),
            (0.07, 0.20, 0.54, 0.19),
            (0.06, 0.08, 0.16, 0.70),
        ),
    }
)
"""Three people who vote: right for 0.78, 0.72 and 0.59 of the clips."""

VOTES = 0.70
"""Share of clips that each annotator votes on."""


def draw_classes(n_clips: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """True classes, shape (n_clips,): positions in `CLASSES`."""
    return rng.choice(len(CLASSES), size=n_clips, p=CLASS_SHARES)


def mislabel(true: NDArray[np.int64], chances: Chances, rng: np.random.Generator) -> NDArray[np.int64]:
    """One noisy label for each true class; `true` and the result have shape (n_clips,)."""
    edges = np.cumsum(np.array(chances), axis=1)[true]  # (n_clips, n_classes)
    thrown = rng.random(len(true))[:, None] * edges[:, -1:]
    return np.asarray((thrown >= edges).sum(axis=1), dtype=np.int64)


def right_share(chances: Chances) -> float:
    """Expected share of right labels, between 0 and 1, when classes are as common as `CLASS_SHARES`."""
    return float(np.dot(CLASS_SHARES, np.diag(np.array(chances))))
