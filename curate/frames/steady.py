"""Looks of a camera that moves, as if it stood still: pure arithmetic (ours)."""

import numpy as np
from numpy.typing import NDArray

Looks = NDArray[np.float32]
"""Shape (n_looks, height, width): grey levels."""
Look = NDArray[np.float32]
"""Shape (height, width)."""

_MOVING = 0.2
"""The camera moves if shifts explain so much of what differs from look to look. On drawn clips it is 0.47 and
more with a camera in a hand, 0.05 and less with noise, coarse compression or a head that sways."""
_LEAST_PX = 8
_BLUR_PX = 1.5
"""Edges are blurred by so much: what is left of them at fractions of a pixel is then smooth in the shift."""
_STEPS, _ENOUGH_PX, _MOST_PX = 4, 0.01, 5.0
_KEPT = 0.9
"""Share of the old reference; a camera drifts, and a reference that stays behind would no longer fit."""
_BETTER = 0.8
"""A look is moved if that leaves so little of its difference; else it stays as the one before."""
_TERMS_AT_ONCE = 4
"""Looks that share a base look."""


def is_moving(looks: Looks) -> bool:
    """Whether the camera moves: whether steps from look to look are those of a shift of the whole (R²).

    Of looks that are smaller than 8 x 8 that cannot be told.
    """
    if min(looks.shape[1:]) < _LEAST_PX:
        return False
    steps = np.diff(looks, axis=0).reshape(len(looks) - 1, -1)
    down, right = np.gradient(np.median(looks, axis=0))
    shifts, _ = np.linalg.qr(np.stack([right.ravel(), down.ravel()], axis=1))  # (n_points, 2)
    total = float((steps**2).sum())
    return total > 0 and float(((steps @ shifts) ** 2).sum()) > _MOVING * total


def registered(looks: Looks) -> Looks:
    """Each look, blurred, moved to where a running reference has the same things.

    Shifts are found by Gauss-Newton steps on looks of half the size, weighted
    so that what moves by itself counts little: Lucas and Kanade (1981),
    https://www.ri.cmu.edu/publications/an-iterative-image-registration-technique-with-an-application-to-stereo-vision/
    """
    blurred = _blurred(looks)
    small = halved(blurred)
    moved, reference, place = blurred.copy(), small[0].copy(), np.zeros(2)
    for i in range(1, len(looks)):
        place, fitted = _placed(small[i], reference, place)
        moved[i] = _shifted(blurred[i], 2 * place)
        reference = _KEPT * reference + (1 - _KEPT) * fitted
    return moved


def departures(looks: Looks, base: Looks) -> Looks:
    """What differs from a base look, and is neither light nor a shift by less than a pixel.

    Light and shifts are the base look itself, a constant, and its first and
    second derivatives; how much of each there is, is told by least squares with
    weights that hardly count what differs more (Cauchy's).

    Args:
        looks: Registered.
        base: Of the same shape; the same for every `_TERMS_AT_ONCE` looks.
    """
    found = np.empty_like(looks)
    for first in range(0, len(looks), _TERMS_AT_ONCE):
        terms = _terms(base[first])
        for i in range(first, min(first + _TERMS_AT_ONCE, len(looks))):
            found[i] = _unexplained((looks[i] - base[first]).ravel(), terms).reshape(looks[i].shape)
    return found


def halved(looks: Looks) -> Looks:
    """Looks of half the size, each point the mean of four."""
    n, height, width = looks.shape
    if height < 2 or width < 2:
        return looks
    cut = looks[:, : height // 2 * 2, : width // 2 * 2]
    return np.asarray(cut.reshape(n, height // 2, 2, width // 2, 2).mean(axis=(2, 4)), dtype=np.float32)


def _placed(look: Look, reference: Look, start: NDArray[np.float64]) -> tuple[NDArray[np.float64], Look]:
    """The shift [px] that fits a look best, and the look so shifted."""
    down, right = (np.asarray(slope, dtype=np.float32) for slope in np.gradient(reference))
    stay = _shifted(look, start)
    capped = 4 * float(np.median(np.abs(stay - reference))) + 1
    place, moved = start, stay
    for _ in range(_STEPS):
        step = _step(np.asarray(moved - reference), down, right)
        place = np.clip(place + step, -_MOST_PX, _MOST_PX)
        moved = _shifted(look, place)
        if np.abs(step).max() < _ENOUGH_PX:
            break
    is_better = _cost(moved - reference, capped) < _BETTER * _cost(stay - reference, capped)
    return (place, moved) if is_better else (start, stay)


def _step(off: NDArray[np.float32], down: Look, right: Look) -> NDArray[np.float64]:
    """One Gauss-Newton step (down, right) [px]."""
    scale = 1.5 * float(np.median(np.abs(off))) + 0.3
    weights = 1 / (1 + (off / scale) ** 2)
    weights[:2] = weights[-2:] = weights[:, :2] = weights[:, -2:] = 0  # nothing is known of beyond the edges
    crossed = float((weights * down * right).sum())
    normal = np.array([[(weights * down**2).sum(), crossed], [crossed, (weights * right**2).sum()]])
    normal += 0.02 * weights.sum() * np.eye(2)
    pull = np.array([(weights * down * off).sum(), (weights * right * off).sum()])
    return np.asarray(np.linalg.solve(normal, pull), dtype=np.float64)


def _cost(off: Look, capped: float) -> float:
    return float(np.minimum(np.abs(off[2:-2, 2:-2]), capped).mean()) if min(off.shape) > 4 else 0.0


def _shifted(look: Look, place: NDArray[np.float64]) -> Look:
    """A look moved down and right by fractions of a pixel; its edges go on."""
    whole = np.floor(place).astype(int)
    down, right = (place - whole).tolist()
    rows = np.arange(look.shape[0]) - whole[0]
    columns = np.arange(look.shape[1]) - whole[1]

    def at(rows_back: int, columns_back: int) -> Look:
        row = np.clip(rows - rows_back, 0, look.shape[0] - 1)
        column = np.clip(columns - columns_back, 0, look.shape[1] - 1)
        return np.asarray(look[row[:, None], column], dtype=np.float32)

    upper = (1 - right) * at(0, 0) + right * at(0, 1)
    lower = (1 - right) * at(1, 0) + right * at(1, 1)
    return np.asarray((1 - down) * upper + down * lower, dtype=np.float32)


def _blurred(looks: Looks) -> Looks:
    reach = int(np.ceil(3 * _BLUR_PX))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _BLUR_PX) ** 2)
    kernel /= kernel.sum()
    for axis in (1, 2):
        edges = [(0, 0)] * 3
        edges[axis] = (reach, reach)
        padded, n = np.pad(looks, edges, mode="edge"), looks.shape[axis]
        blurred = np.zeros_like(looks)
        for k, weight in enumerate(kernel.tolist()):
            blurred += weight * padded.take(range(k, k + n), axis=axis)
        looks = blurred
    return looks


def _terms(base: Look) -> NDArray[np.float64]:
    """Shape (n_points, 7): a constant, the look, and its derivatives."""
    down, right = np.gradient(base.astype(np.float64))
    (down_down, down_right), right_right = np.gradient(down), np.gradient(right)[1]
    terms = (np.ones_like(down), base, right, down, right_right, down_down, down_right)
    return np.stack([term.ravel() for term in terms], axis=1)


def _unexplained(off: NDArray[np.float32], terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """What of a difference the terms do not explain: (n_points,)."""
    weights = np.ones_like(off, dtype=np.float64)
    left = np.asarray(off, dtype=np.float64)
    for _ in range(3):
        weighted = terms * weights[:, None]
        normal = weighted.T @ terms + 1e-3 * np.eye(terms.shape[1])
        left = np.asarray(off - terms @ np.linalg.solve(normal, weighted.T @ off), dtype=np.float64)
        weights = 1 / (1 + (left / (2 * np.median(np.abs(left)) + 0.3)) ** 2)
    return left
