"""Pairs that may be alike, found without comparing everything with everything."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BAND_BITS = 16
"""Bits that must be the same in one place for two rows to be compared at all."""
_MOST_IN_BUCKET = 2000
"""Rows with the same band beyond which they are compared with their neighbours in it alone."""

Pairs = NDArray[np.int64]
"""(n_pairs, 2), the smaller place first, each pair once, in order."""


def candidates(bits: NDArray[np.bool_], owner: NDArray[np.int64]) -> Pairs:
    """Owners of rows that agree in all bits of at least one band.

    Where more than 2000 rows share a band (empty pictures do), each is paired
    with the next 2000 only: what is alike is then still linked in a chain.

    Args:
        bits: (n_rows, n_bits); n_bits a multiple of 16.
        owner: Whom each row belongs to: (n_rows,).

    Source:
        Banding as for MinHash: Leskovec, Rajaraman, Ullman, Mining of Massive
        Datasets, section 3.4.
    """
    packed = np.packbits(bits, axis=1).view(np.uint16)  # (n_rows, n_bands)
    found = [_in_band(packed[:, band], owner) for band in range(packed.shape[1])]
    return np.unique(np.concatenate([np.zeros((0, 2), np.int64), *found]), axis=0)


def _in_band(band: NDArray[np.uint16], owner: NDArray[np.int64]) -> Pairs:
    once = np.unique(np.stack([band.astype(np.int64), owner], axis=1), axis=0)  # by band, then by owner
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *_near_rows(once)])
    return np.unique(pairs, axis=0)


def _near_rows(once: NDArray[np.int64]) -> Iterator[Pairs]:
    """Owners of each row and the one `step` rows on, as long as any two share a band."""
    for step in range(1, min(_MOST_IN_BUCKET, len(once) - 1) + 1):
        same = once[step:, 0] == once[:-step, 0]
        if not same.any():
            return
        yield np.stack([once[:-step, 1][same], once[step:, 1][same]], axis=1)
