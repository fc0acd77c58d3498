"""Numbers brought to one scale, as they are in train; kept with the weights."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from train_reference.data.sequences import Sequences

_LEAST = 1e-6


class Scaling(nn.Module):
    """(x - mean) / standard deviation, number by number; what does not vary becomes 0."""

    mean: torch.Tensor
    factor: torch.Tensor

    def __init__(self, width: int) -> None:
        """Changes nothing until it is fitted."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("factor", torch.ones(width))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Shape (…, width) in and out."""
        return (values - self.mean) * self.factor

    def fit(self, sequences: Sequences, rows: NDArray[np.int64]) -> None:
        """Take mean and deviation over all steps of some clips, one clip at a time."""
        n, total, squares = 0, np.zeros(len(self.mean)), np.zeros(len(self.mean))
        for row in rows:
            steps = sequences.of(int(row)).astype(np.float64)
            n, total, squares = n + len(steps), total + steps.sum(axis=0), squares + (steps**2).sum(axis=0)
        if not n:
            return
        mean = total / n
        deviation = np.sqrt(np.maximum(squares / n - mean**2, 0))
        self.mean.copy_(torch.from_numpy(mean))
        self.factor.copy_(
            torch.from_numpy(np.where(deviation > _LEAST, 1 / np.maximum(deviation, _LEAST), 0))
        )
