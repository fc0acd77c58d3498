"""Clips that show nearly the same: copies that were compressed, scaled or cut again, parts of a recording."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from curate.splits.looks import ClipBits, Looks
from curate.splits.pairs import candidates

LEAST_ALIKE = 0.95
"""Correlation of two pictures that show the same. On real clips the median over pictures was .979 and more
for parts of one recording and .54 and less for others; on drawings of people in like rooms .93 and less."""
MOST_BITS = 10
"""Of 64, that may differ. On real clips the median was 6 and less for parts of one recording, 21 and more
for others."""


def near_duplicates(seen: ClipBits, looks_of: Callable[[int], Looks]) -> Iterator[tuple[int, int, float]]:
    """Pairs of clips of which half the pictures of the one with fewer are found again in the other.

    Args:
        seen: Hashes of all clips.
        looks_of: Looks of a clip's pictures, (n_pictures, 32 * 32), by its place; asked
            for only where hashes are alike.

    Returns:
        Places of both clips, the smaller first, and the median correlation of
        each picture with the likeliest of the other clip's.

    Source:
        Ours.
    """
    first = np.searchsorted(seen.clip, np.arange(seen.clip.max(initial=-1) + 2))
    for one, other in candidates(seen.bits, seen.clip):
        mine, theirs = (seen.bits[first[place] : first[place + 1]] for place in (one, other))
        apart = (mine[:, None] != theirs[None]).sum(axis=2)
        if _typical(-apart) < -MOST_BITS:
            continue
        strength = _typical(looks_of(int(one)) @ looks_of(int(other)).T)
        if strength >= LEAST_ALIKE:
            yield int(one), int(other), min(1.0, strength)


def _typical(alike: NDArray[np.generic]) -> float:
    """Median over the pictures of the clip with fewer of the best that the other has, from (n, n_others)."""
    over = 1 if len(alike) <= alike.shape[1] else 0
    return float(np.median(alike.max(axis=over)))
