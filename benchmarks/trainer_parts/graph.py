"""A small graph network over key points: the kind that paper B put a three-stream MLP in place of."""

from collections.abc import Iterable
from itertools import pairwise
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from train_reference.models.keypoints import N_POINTS, NUMBERS, STREAMS

_KERNEL = 9
"""Steps that a point sees of itself in a block, as in the source."""

_BODY = "0-1 1-2-3-4 1-5-6-7 1-8 8-9-10-11 8-12-13-14 0-15-17 0-16-18 11-22-23 11-24 14-19-20 14-21"
_FACE = (
    "0-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16 17-18-19-20-21 22-23-24-25-26 27-28-29-30 "
    "31-32-33-34-35 36-37-38-39-40-41-36 42-43-44-45-46-47-42 "
    "48-49-50-51-52-53-54-55-56-57-58-59-48 60-61-62-63-64-65-66-67-60 36-68-39 42-69-45 "
    # So that the parts of a face hang together: jaw, brows, nose, eyes, mouth.
    "0-17 16-26 21-27-22 27-39 27-42 30-33-51-62 8-57"
)
_HAND = "0-1-2-3-4 0-5-6-7-8 0-9-10-11-12 0-13-14-15-16 0-17-18-19-20"
_BETWEEN = [(0, 25 + 30), (7, 95), (4, 116)]
"""Nose of body and face; wrists of body and hands, left and right."""


class GraphEncoder(nn.Module):
    """One vector for a sequence of OpenPose's 137 points, by convolutions along the skeleton and over time.

    Source:
        Yan, Xiong & Lin (2018), ST-GCN, sections 3.2 to 3.5, with the distance
        partitioning of 3.3 and the edge weights of 3.4, https://arxiv.org/abs/1801.07455.
        Smaller (`depth` blocks of one width, no striding), and with layer norm,
        which padding does not change, for batch norm.
    """

    def __init__(self, width: int, channels: int, depth: int, dropout: float) -> None:
        """Weights as torch draws them.

        Args:
            width: Of the vector that comes out.
            channels: Numbers a point between blocks.
            depth: Number of blocks.
            dropout: Probability.
        """
        super().__init__()
        self.to_channels = nn.Linear(NUMBERS, channels)
        self.blocks = nn.ModuleList([_Block(channels, dropout) for _ in range(depth)])
        self.norm = nn.LayerNorm(channels)
        self.to_width = nn.Linear(channels, width)

    def forward(self, values: torch.Tensor, lengths: torch.Tensor, *, is_full: bool = False) -> torch.Tensor:
        """Shape (n_clips, width) from values (n_clips, n_steps, 137 * 5); zeros where there is no step."""
        is_step = torch.arange(values.shape[1], device=values.device) < lengths[:, None]
        real = is_step[..., None, None].to(values.dtype)  # (n_clips, n_steps, 1, 1)
        points = self.to_channels(values.reshape(*values.shape[:2], N_POINTS, NUMBERS) * real)
        for block in self.blocks:
            points = block(points, real)
        steps = (self.norm(points) * real).mean(dim=2)  # (n_clips, n_steps, channels)
        mean = steps.sum(dim=1) / lengths.clamp(min=1)[:, None]
        return cast(torch.Tensor, self.to_width(mean) * (lengths > 0)[:, None])


class _Block(nn.Module):
    """A convolution along the skeleton, then one over time, added to what came in."""

    linked: torch.Tensor
    mean: torch.Tensor

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        linked, mean = neighbours()
        self.register_buffer("linked", linked, persistent=False)
        self.register_buffer("mean", mean, persistent=False)
        self.importance = nn.Parameter(torch.ones(len(mean)))
        self.norm_points, self.norm_steps = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.own, self.others = nn.Linear(channels, channels), nn.Linear(channels, channels, bias=False)
        self.over_time = nn.Conv2d(channels, channels, (_KERNEL, 1), padding=(_KERNEL // 2, 0))
        self.dropping = nn.Dropout(dropout)

    def forward(self, points: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Shape of `points`: (n_clips, n_steps, 137, channels); of `real`: (n_clips, n_steps, 1, 1)."""
        before = self.norm_points(points)
        around = torch.matmul(self._adjacency(), before)
        spread = functional.gelu(self.norm_steps(self.own(before) + self.others(around))) * real
        moved = self.over_time(spread.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return cast(torch.Tensor, points + self.dropping(functional.gelu(moved)))

    def _adjacency(self) -> torch.Tensor:
        """Shape (137, 137): takes the mean over neighbours, each edge weighted by what was learned."""
        empty = self.mean.new_zeros(N_POINTS, N_POINTS)
        return empty.index_put((self.linked[0], self.linked[1]), self.mean * self.importance)


def neighbours() -> tuple[torch.Tensor, torch.Tensor]:
    """Points and their neighbours, shape (2, n), each edge both ways; 1 / number of those, shape (n,)."""
    one_way = torch.tensor(edges()).T
    linked = torch.cat([one_way, one_way.flip(0)], dim=1)
    return linked, 1 / torch.bincount(linked[0], minlength=N_POINTS)[linked[0]]


def edges() -> list[tuple[int, int]]:
    """Pairs of points that are linked."""
    body, face, hands = (STREAMS[name].start for name in ("body", "face", "hands"))
    return [
        *_along(_BODY, body),
        *_along(_FACE, face),
        *_along(_HAND, hands),
        *_along(_HAND, hands + 21),
        *_BETWEEN,
    ]


def _along(paths: str, start: int) -> Iterable[tuple[int, int]]:
    for path in paths.split():
        points = [start + int(point) for point in path.split("-")]
        yield from pairwise(points)
