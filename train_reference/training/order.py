"""Which clips, in which order: a pure function of the seed, the phase and the epoch."""

import numpy as np
from numpy.typing import NDArray

from train_reference.data.buckets import batches
from train_reference.data.samplers import class_balanced, draw, square_root
from train_reference.settings import Schedule

Rows = NDArray[np.int64]

_WINDOW = 16
"""Batches among which clips of similar length are put together."""


def epoch_order(
    rows: Rows,
    labels: NDArray[np.int64],
    lengths: NDArray[np.int64],
    schedule: Schedule,
    seed: tuple[int, ...],
) -> list[Rows]:
    """The batches of one epoch.

    Args:
        rows: Clips that are in, shape (n_in,).
        labels: Shape (n_clips,): what samplers balance.
        lengths: Shape (n_clips,): steps of the longest modality.
        schedule: Sampler and size of a batch.
        seed: Of the run, the phase and the epoch.
    """
    rng = np.random.default_rng(seed)
    weights = {"natural": None, "class_balanced": class_balanced, "square_root": square_root}[
        schedule.sampler
    ]
    drawn = draw(weights(labels[rows]) if weights else None, len(rows), rng)
    return batches(rows[drawn], lengths, schedule.batch_size, rng, _WINDOW)
