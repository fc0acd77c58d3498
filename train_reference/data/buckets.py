"""Batches of clips of similar length, so that little is padding: pure."""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def batches(
    order: Rows, lengths: NDArray[np.int64], batch_size: int, rng: np.random.Generator, window: int
) -> list[Rows]:
    """Cut a random order into batches of similar length.

    The order is cut into windows of `window` batches; within each, clips are
    sorted by length and cut, and the batches of all windows are shuffled: so
    that which clips meet in a batch stays mostly random.

    Args:
        order: Shape (n,): rows in the order in which they were drawn.
        lengths: Shape (n_clips,).
        batch_size: Clips of a batch; the last of a window may have fewer.
        rng: Shuffles.
        window: Batches that are sorted together.

    Returns:
        Every row of `order` once, as often as it was there.
    """
    found: list[Rows] = []
    for first in range(0, len(order), window * batch_size):
        near = order[first : first + window * batch_size]
        near = near[np.argsort(lengths[near], kind="stable")]
        found += [near[begin : begin + batch_size] for begin in range(0, len(near), batch_size)]
    return [found[place] for place in rng.permutation(len(found))]
