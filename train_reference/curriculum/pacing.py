"""From reliable to doubtful: which clips are in at which progress; pure."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from train_reference.settings import Curriculum

_STEPS = 3


def share_in(progress: float, settings: Curriculum) -> float:
    """Share of the doubtful clips that are in.

    0 before stage two begins and 1 from where it ends; in between, with u from 0
    to 1: `linear` u, `root` sqrt(u), `step` the next third. That there are two
    stages is paper A's (arXiv 2511.14749); these functions are ours, after
    Hacohen & Weinshall (2019), section 2, https://arxiv.org/abs/1904.03626.

    Args:
        progress: Of the phase, 0 to 1.
        settings: Which function, and where stage two begins and ends.
    """
    if progress < settings.begins:
        return 0.0
    if progress >= settings.ends:
        return 1.0
    u = (progress - settings.begins) / (settings.ends - settings.begins)
    if settings.pacing == "root":
        return sqrt(u)
    return u if settings.pacing == "linear" else (int(_STEPS * u) + 1) / _STEPS


def admitted(
    order_by: NDArray[np.float32], is_high: NDArray[np.bool_], progress: float, settings: Curriculum
) -> NDArray[np.bool_]:
    """Which clips are in, shape (n_clips,): the high split, and the surest of the rest.

    Args:
        order_by: Shape (n_clips,): reliability, or confidence of a pseudo-label; what
            is equal stays in the order of rows.
        is_high: Shape (n_clips,).
        progress: Of the phase, 0 to 1.
        settings: Of the pacing.
    """
    doubtful = np.flatnonzero(~is_high)
    n_in = round(share_in(progress, settings) * len(doubtful))
    surest = doubtful[np.argsort(-order_by[doubtful], kind="stable")[:n_in]]
    found = is_high.copy()
    found[surest] = True
    return found
