"""Looks of a camera that moves, as if it stood still: pure arithmetic (ours)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Looks = NDArray[np.float32]
"""Shape (n_looks, height, width): grey levels."""
Look = NDArray[np.float32]
"""Shape (height, width)."""
Places = NDArray[np.float64]
"""Shape (n_looks, 2): how far each look has to be moved down and right [px]."""

_MOVING = 0.2
"""The camera moves if shifts explain so much of what differs from look to look. On drawn clips it is 0.44 and
more with a camera in a hand, 0.055 and less with noise, coarse compression or a head that sways."""
_LEAST_PX = 24
"""Smaller looks are not registered: a quarter of their size would be mostly edge."""
_EDGE_PX = 3
"""Nothing is known of beyond the edges: so much of them does not count."""
_MOST_PX = 12.0
_BLUR_PX = 0.7
_FLOOR_LEVELS = 0.3
"""Differences below it [grey levels] are rounding."""


@dataclass(frozen=True, slots=True)
class _Level:
    """One of the sizes at which shifts are sought, coarse to fine."""

    shrunk_by: int
    blur_px: float
    steps: int


_LEVELS = (_Level(4, 1.0, 4), _Level(2, 1.0, 3))


def is_moving(looks: Looks) -> bool:
    """Whether the camera moves: whether steps from look to look are those of a shift of the whole (R²).

    Of looks that are smaller than 24 x 24 that is not asked.
    """
    if min(looks.shape[1:]) < _LEAST_PX:
        return False
    steps = np.diff(looks, axis=0).reshape(len(looks) - 1, -1)
    down, right = np.gradient(np.median(looks, axis=0))
    slopes, _ = np.linalg.qr(np.stack([right.ravel(), down.ravel()], axis=1))  # (n_points, 2)
    total = float((steps**2).sum())
    return total > 0 and float(((steps @ slopes) ** 2).sum()) > _MOVING * total


def registered(looks: Looks) -> Looks:
    """Each look moved to the median of all, slightly blurred; what lay beyond the picture is the median.

    Moved by the phases of its Fourier transform, as interpolation would leave
    at every edge what a short change leaves.
    """
    places = shifts(looks)
    moved = _spectrally(looks, _BLUR_PX, places)
    usual = np.median(moved[::3], axis=0)
    begins = _EDGE_PX + np.ceil(np.maximum(places, 0)).astype(int)
    ends = np.array(usual.shape) - _EDGE_PX - np.ceil(np.maximum(-places, 0)).astype(int)
    for look, (top, left), (bottom, right) in zip(moved, begins, ends, strict=True):
        look[:top], look[bottom:] = usual[:top], usual[bottom:]
        look[:, :left], look[:, right:] = usual[:, :left], usual[:, right:]
    return moved


def departures(looks: Looks, base: Looks) -> Looks:
    """What differs from the base looks; less where a whole look does, as one that could not be placed."""
    found = looks - base
    off = np.median(np.abs(found[:, ::2, ::2]), axis=(1, 2)) + _FLOOR_LEVELS  # (n_looks,)
    least = float(np.median(off))
    return np.asarray(found / np.maximum(1, off / least)[:, None, None], dtype=np.float32)


def shifts(looks: Looks) -> Places:
    """How far each look has to be moved to lie on the median of all.

    Gauss-Newton steps of all looks at once against one look, and then against
    the median of looks so moved, with weights that hardly count what moves by
    itself (Cauchy's): Lucas and Kanade (1981), An Iterative Image Registration
    Technique with an Application to Stereo Vision.
    """
    places: Places = np.zeros((len(looks), 2))
    for number, level in enumerate(_LEVELS):
        small = _spectrally(_shrunk(looks, level.shrunk_by), level.blur_px)
        few = _linearly(small[::3], places[::3] / level.shrunk_by)
        mark = np.median(few, axis=0) if number else small[len(looks) // 2]
        for _ in range(level.steps):
            moved = _linearly(small, places / level.shrunk_by)
            step = level.shrunk_by * _step(moved, np.asarray(mark, dtype=np.float32))
            places = np.clip(places + step, -_MOST_PX, _MOST_PX)
    return np.asarray(places - np.median(places, axis=0))


def halved(looks: Looks | NDArray[np.float16]) -> Looks:
    """Looks of half the size, each point the mean of four; as they are if they have but one row or column."""
    small = _shrunk(looks, 2) if min(looks.shape[1:]) > 1 else looks
    return small.astype(np.float32, copy=False)


def _step(looks: Looks, mark: Look) -> Places:
    """One Gauss-Newton step of each look towards `mark` [px]."""
    inner = slice(_EDGE_PX, -_EDGE_PX)
    slopes = np.asarray(np.gradient(mark))  # (2, height, width)
    down, right = slopes[:, inner, inner].reshape(2, -1)
    off = (looks - mark)[:, inner, inner].reshape(len(looks), -1)  # (n_looks, n_points)
    off -= np.median(off[:, ::3], axis=1, keepdims=True)  # light may change as well
    scale = 2 * np.median(np.abs(off[:, ::3]), axis=1, keepdims=True) + _FLOOR_LEVELS
    weights = 1 / (1 + (off / scale) ** 2)
    a, b, c = (weights @ np.stack([down**2, down * right, right**2], 1)).astype(np.float64).T
    u, v = ((weights * off) @ np.stack([down, right], 1)).astype(np.float64).T
    held = 1e-3 * (a + c) + 1e-6  # a picture without edges in one direction is not moved along it
    a, c = a + held, c + held
    return np.asarray(np.stack([c * u - b * v, a * v - b * u], 1) / (a * c - b * b)[:, None])


def _shrunk(looks: Looks | NDArray[np.float16], by: int) -> Looks:
    n, height, width = looks.shape
    cut = looks[:, : height // by * by, : width // by * by]
    parts = cut.reshape(n, height // by, by, width // by, by)
    return np.asarray(parts.mean(axis=(2, 4), dtype=np.float32))


def _spectrally(looks: Looks, blur_px: float, places: Places | None = None) -> Looks:
    """Blurred and moved by exact fractions of a pixel; edges wrap around."""
    height, width = looks.shape[1:]
    down, right = np.fft.fftfreq(height), np.fft.rfftfreq(width)  # turns a pixel
    squares = down[:, None] ** 2 + right**2
    spectra = np.fft.rfft2(looks) * np.exp(-2 * (np.pi * blur_px) ** 2 * squares)
    if places is not None:
        spectra *= np.exp(-2j * np.pi * places[:, 0, None] * down)[:, :, None]
        spectra *= np.exp(-2j * np.pi * places[:, 1, None] * right)[:, None, :]
    return np.asarray(np.fft.irfft2(spectra, s=(height, width)), dtype=np.float32)


def _linearly(looks: Looks, places: Places) -> Looks:
    """Moved by fractions of a pixel, each look by its own; edges go on."""
    moved = np.empty_like(looks)
    rows, columns = np.arange(-1, looks.shape[1]), np.arange(-1, looks.shape[2])
    parts = zip(np.floor(places).astype(int), (places % 1).tolist(), strict=True)
    for i, ((below, beside), (down, right)) in enumerate(parts):
        row = np.clip(rows - below, 0, looks.shape[1] - 1)
        at = looks[i][row][:, np.clip(columns - beside, 0, looks.shape[2] - 1)]
        at = at[1:] + down * (at[:-1] - at[1:])
        moved[i] = at[:, 1:] + right * (at[:, :-1] - at[:, 1:])
    return moved
