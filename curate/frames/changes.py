"""What changes in a clip, told from small grey looks of it: pure arithmetic (ours)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.frames.steady import departures, halved, is_moving, registered

Looks = NDArray[np.float32]
"""Shape (n_looks, height, width): grey levels, each the mean of the frames of one window of time."""
_Kept = NDArray[np.float16]
"""Looks that wait to be worked on: half precision rounds them to an eighth of a level at most."""

_Evidence = NDArray[np.float32]
"""Shape (n_looks, 2 * n_points): how far each point is above, and below, what it is before and after."""

WINDOW_S = 0.12
"""A look is the mean of so long: whatever lasts 0.25 s holds one whole window, wherever they begin."""

BRIEF = 4
"""Looks; a change of up to this length (0.48 s) is brief."""
LONG = 16
"""Looks; longer changes that are told as well, up to 1.92 s. What is longer still is met by even spacing."""

VISIBLE = 5.0
"""A change is visible where some point differs by so many times its noise from before and after."""
LEAST_LEVELS = 0.5
"""Noise is taken to be at least so much [grey levels], which is what rounding makes."""

_AROUND = 41
"""Looks whose median is the base look: more than twice the longest change, so that it is no part of it."""
_EVERY, _APART = 12, 3
"""Looks that share a base look, which hardly moves in a second; the median is over every third one."""
_NOISE_QUANTILE, _NORMAL_QUANTILE = 0.7, 1.0364
"""Of steps from look to look: above the median, as what moves now and then, such as an edge under a
shaking camera, is noise too. The other is the same quantile of |N(0, 1)|."""
_SAME_LEAST, _SAME_MOST = 0.25, 2.0
"""A neighbouring look shows the same change where points differ by so many times as much."""
_MOST = 64
"""Changes of one kind in one stretch; in what moves all the time there is no end of them."""
_STRIP_ROWS = 12
"""Rows of a picture that are worked on at once: what is in between stays small, and in the cache."""
_STRETCH, _MARGIN = 128, 24
"""Looks that are worked on at once (15 s), and those on both sides that are looked at for them:
memory does not grow with a clip."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that differs for a while from what is before and after it."""

    onset: int
    """Frame at its beginning."""
    apex: int
    """Frame where it is clearest; it lies inside."""
    strength: float
    """How many times its noise the clearest point differs."""
    is_brief: bool


class Windows:
    """Gathers small looks into windows of time, and tells changes stretch by stretch."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._sum: NDArray[np.float32] | None = None
        self._looks: _Kept | None = None
        self._indices: list[int] = []
        self._found: list[Change] = []
        self._window, self._n = -1, 0
        self._skipped = 0  # looks at the beginning that an earlier stretch has told about

    def add(self, t_s: float, index: int, look: NDArray[np.uint8], *, stands_for_window: bool) -> None:
        """Add a frame, by rising time.

        Args:
            t_s: When it is shown.
            index: Of the frame.
            look: Shape (height, width), the same for all.
            stands_for_window: Whether this frame is shown when its window is chosen.
        """
        window = int(t_s / WINDOW_S + 1e-6)
        if self._sum is None:
            self._sum = np.zeros(look.shape, dtype=np.float32)
            self._looks = np.empty((_STRETCH + 2 * _MARGIN, *look.shape), dtype=np.float16)
        if window != self._window:
            self._close()
            self._window = window
            self._indices.append(index)
        self._sum += look
        self._n += 1
        if stands_for_window:
            self._indices[-1] = index

    def changes(self) -> tuple[Change, ...]:
        """All changes, in no order; nothing can be added afterwards."""
        self._end_look()
        self._tell(len(self._indices))
        return tuple(self._found)

    def _close(self) -> None:
        self._end_look()
        if len(self._indices) - self._skipped == _STRETCH + _MARGIN:
            self._tell(self._skipped + _STRETCH)

    def _end_look(self) -> None:
        if self._n and self._sum is not None and self._looks is not None:
            self._looks[len(self._indices) - 1] = self._sum / self._n
            self._sum[:] = 0
            self._n = 0

    def _tell(self, end: int) -> None:
        """Tell the changes from `_skipped` to `end`, and forget what no later stretch needs."""
        n = len(self._indices)
        if self._looks is not None:
            found = changes(self._looks[:n], self._indices)
            apexes = set(self._indices[self._skipped : end])
            self._found += [change for change in found if change.apex in apexes]
            kept = max(0, end - _MARGIN)
            self._looks[: n - kept] = self._looks[kept:n].copy()
            self._skipped = end - kept
            self._indices = self._indices[kept:]


def changes(looks: Looks | _Kept, indices: Sequence[int]) -> list[Change]:
    """The visible changes of a clip, or of a stretch of one.

    At every point of the picture a change is what is brighter, or darker, than
    before and after: what a temporal opening, or closing, by its length takes
    away (a top-hat transform), and no more than it differs from the median of
    some seconds around. Divided by the noise of that point, as steps from look
    to look tell it. The clearest point names a change; neighbouring looks in
    which the same points differ alike are part of it, and it is taken out
    before the next is sought.

    What is guaranteed: a change by at least `VISIBLE` times the noise at one
    point, that lasts 0.25 s to 1.92 s and then goes back, is among them, and
    its apex lies inside. What does not go back is no change in this sense: it
    begins a new calm stretch, where even spacing finds it.

    Args:
        looks: Of consecutive windows.
        indices: Shape (n_looks,): the frame that stands for each.

    Returns:
        Changes, brief ones first, each kind by falling strength; none of fewer than three looks.
    """
    if len(looks) < 3:
        return []
    looks, base = _standing_still(looks)
    noise = _noise(looks)
    found, taken = [], set[int]()
    for first, apex, last, strength in _pursued(_evidence(looks, base, noise, BRIEF)):
        found.append(Change(indices[first], indices[apex], strength, is_brief=True))
        taken.update(range(first - 1, last + 2))
    long = _evidence(looks, base, noise, LONG)
    long[[row for row in taken if 0 <= row < len(long)]] = 0
    for first, apex, _, strength in _pursued(long):
        found.append(Change(indices[first], indices[apex], strength, is_brief=False))
    return found


def _standing_still(looks: Looks | _Kept) -> tuple[Looks, Looks]:
    """Looks without what the camera did, and the base look of each."""
    coarse = halved(looks)
    if not is_moving(coarse):
        return coarse, _base(coarse)
    # At full size: what a shift by a fraction of a pixel leaves at an edge is smaller there.
    moved = registered(looks.astype(np.float32, copy=False))
    found = departures(moved, _base(moved))
    return found, np.zeros_like(found)


def _noise(looks: Looks) -> NDArray[np.float32]:
    """Shape (height, width): standard deviation of a look's grey levels."""
    steps = np.quantile(np.abs(np.diff(looks, axis=0)), _NOISE_QUANTILE, axis=0)
    return np.asarray(np.hypot(steps / _NORMAL_QUANTILE / np.sqrt(2), LEAST_LEVELS), dtype=np.float32)


def _evidence(looks: Looks, base: Looks, noise: NDArray[np.float32], length: int) -> _Evidence:
    """What rises above, and falls below, what is before and after for up to `length` looks."""
    found = np.zeros((len(looks), 2, *noise.shape), dtype=np.float32)
    if length < len(looks):
        for top in range(0, noise.shape[0], _STRIP_ROWS):
            rows = slice(top, top + _STRIP_ROWS)
            here, usual = looks[:, rows], base[:, rows]
            found[:, 0, rows] = np.minimum(here - _opened(here, length + 1), here - usual)
            found[:, 1, rows] = np.minimum(-_opened(-here, length + 1) - here, usual - here)
        np.maximum(found, 0, out=found)
        found /= noise
    flat = found.reshape(len(looks), -1)
    flat[[0, -1]] = 0  # of the ends nobody knows what is before, or after
    return flat


def _base(looks: Looks) -> Looks:
    """The median of the looks around each, shape as `looks`."""
    n, found = len(looks), np.empty_like(looks)
    for first in range(0, n, _EVERY):
        begin = max(0, min(first + _EVERY // 2 - _AROUND // 2, n - _AROUND))
        found[first : first + _EVERY] = np.median(looks[begin : begin + _AROUND : _APART], axis=0)
    return found


def _opened(looks: Looks, size: int) -> Looks:
    """Without what is brighter than before and after for fewer than `size` looks.

    The highest of the lowest of all `size` looks in a row that a look is one of.
    """
    lowest = _running(looks, size, np.minimum)
    beyond = np.full((size - 1, *looks.shape[1:]), -np.inf, dtype=np.float32)
    return _running(np.concatenate([beyond, lowest, beyond]), size, np.maximum)


def _running(looks: Looks, size: int, choose: np.ufunc) -> Looks:
    """The least, or greatest, of every `size` looks in a row: (n_looks - size + 1, …). By doubling."""
    found, width = looks, 1
    while width < size:
        step = min(width, size - width)
        found, width = choose(found[:-step], found[step:]), width + step
    return found


def _pursued(evidence: _Evidence) -> Iterator[tuple[int, int, int, float]]:
    """First, clearest and last look of each change, with its strength; takes them out of `evidence`."""
    clearest = evidence.max(axis=1)  # (n_looks,)
    for _ in range(_MOST):
        apex = int(np.argmax(clearest))
        strength = float(clearest[apex])
        if strength < VISIBLE:
            return
        pattern = evidence[apex].copy()
        last = _taken_out(evidence, clearest, pattern, range(apex + 1, len(evidence)), apex)
        first = _taken_out(evidence, clearest, pattern, range(apex - 1, -1, -1), apex)
        evidence[apex], clearest[apex] = 0, 0
        yield first, apex, last, strength


def _taken_out(
    evidence: _Evidence, clearest: NDArray[np.float32], pattern: _Evidence, looks: range, apex: int
) -> int:
    """The last of some looks, one after the other, in which points of a pattern differ alike."""
    same, reached = pattern > 0, apex
    for look in looks:
        here = evidence[look]
        same &= (here > _SAME_LEAST * pattern) & (here < _SAME_MOST * pattern)
        if not same.any():
            break
        here[same] = 0
        clearest[look], reached = here.max(), look
    return reached
