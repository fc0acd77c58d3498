"""Key points: an MLP over three streams, then over time."""

from typing import cast

import torch
from torch import nn

from train_reference.models.sequence import SequenceTransformer

N_POINTS = 137
NUMBERS = 5
"""Of a point: x, y, confidence, and how far it moved since the frame before, in x and y."""
WIDTH = N_POINTS * NUMBERS
STREAMS = {"body": slice(0, 25), "face": slice(25, 95), "hands": slice(95, 137)}


class KeypointEncoder(nn.Module):
    """One vector for a sequence of OpenPose's 137 points.

    Body, face and hands each go through an MLP, frame by frame, in place of a
    graph network (arXiv 2602.08057); what comes out is joined and encoded over
    time. Sizes and norms are ours.
    """

    def __init__(
        self,
        width: int,
        depth: int,
        n_heads: int,
        patch: int,
        dropout: float,
        *,
        saves_memory: bool = False,
    ) -> None:
        """Weights as torch draws them; arguments as of `SequenceTransformer`."""
        super().__init__()
        self.streams = nn.ModuleDict(
            {
                name: _stream((part.stop - part.start) * NUMBERS, width, dropout)
                for name, part in STREAMS.items()
            }
        )
        self.over_time = SequenceTransformer(
            len(STREAMS) * width, width, depth, n_heads, patch, dropout, saves_memory=saves_memory
        )

    def forward(self, values: torch.Tensor, lengths: torch.Tensor, *, is_full: bool = False) -> torch.Tensor:
        """Shape (n_clips, width) from values (n_clips, n_steps, 137 * 5), point by point."""
        points = values.reshape(*values.shape[:2], N_POINTS, NUMBERS)
        parts = [
            stream(points[:, :, STREAMS[name]].flatten(2)) for name, stream in self.streams.items()
        ]  # each (n_clips, n_steps, width)
        return cast(torch.Tensor, self.over_time(torch.cat(parts, dim=-1), lengths, is_full=is_full))


def _stream(width_in: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width_in, 2 * width),
        nn.LayerNorm(2 * width),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(2 * width, width),
        nn.LayerNorm(width),
        nn.GELU(),
    )
