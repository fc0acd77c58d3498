"""Clips with random labels and sequences of random numbers: what is timed does not look at them."""

import numpy as np

from train_reference.data.clips import NO_LABEL, Clips
from train_reference.data.sequences import Sequences

SHORTEST, LONGEST = 8, 64


def drawn_clips(n_clips: int, n_classes: int) -> Clips:
    """All of train."""
    rng = np.random.default_rng(0)
    labels = rng.integers(n_classes, size=n_clips)
    nothing = np.full(n_clips, NO_LABEL)
    return Clips(
        tuple(f"class {k}" for k in range(n_classes)),
        False,
        tuple(f"{k:016x}" for k in range(n_clips)),
        np.full(n_clips, "train"),
        np.array([f"subject {k}" for k in range(n_clips)]),
        labels,
        labels,
        np.eye(n_classes, dtype=np.float32)[labels],
        rng.random(n_clips, dtype=np.float32),
        rng.random(n_clips) < 0.5,
        nothing,
        np.full(n_clips, np.nan, dtype=np.float32),
        np.zeros(n_clips, dtype=np.bool_),
        (None,) * n_clips,
    )


def drawn_sequences(n_clips: int, width: int, shortest: int = SHORTEST, longest: int = LONGEST) -> Sequences:
    """In memory."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(shortest, longest + 1, size=n_clips)
    starts = np.concatenate([[0], lengths.cumsum()[:-1]])
    values = rng.standard_normal((int(lengths.sum()), width), dtype=np.float32)
    return Sequences(values, np.stack([starts, lengths], axis=1))
