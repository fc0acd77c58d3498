"""Clips of which a vision model makes nearly the same."""

import numpy as np
from numpy.typing import NDArray

from curate.splits.pairs import BAND_BITS, candidates

_N_BANDS = 24
_BLOCK = 65_536
_SEED = 0


def alike(vectors: NDArray[np.float64], least: float) -> list[tuple[int, int, float]]:
    """Pairs whose cosine is at least `least`.

    Candidates agree in 16 consecutive signs of random projections somewhere
    among 384: of pairs at cosine .98 one in 30,000 is missed, at .95 one in 120
    (each sign differs with probability angle / pi).

    Args:
        vectors: (n_clips, n_columns).
        least: Of cosine.

    Returns:
        Places of both, the smaller first, and the cosine.

    Source:
        Charikar 2002, Similarity estimation techniques from rounding algorithms,
        section 3; banding as in `curate.splits.pairs`.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    planes = np.random.default_rng(_SEED).standard_normal((vectors.shape[1], _N_BANDS * BAND_BITS))
    seen = np.flatnonzero(lengths[:, 0] > 0)
    pairs = candidates(unit[seen] @ planes > 0, seen)
    found = list[tuple[int, int, float]]()
    for begin in range(0, len(pairs), _BLOCK):
        block = pairs[begin : begin + _BLOCK]
        cosine = np.einsum("ij,ij->i", unit[block[:, 0]], unit[block[:, 1]])
        for place in np.flatnonzero(cosine >= least):
            found.append((int(block[place, 0]), int(block[place, 1]), min(1.0, float(cosine[place]))))
    return found
