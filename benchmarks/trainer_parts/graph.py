"""A small graph network over the skeleton, to compare the key-point MLP with."""

from itertools import pairwise

import torch
from torch import nn

from train_reference.models.keypoints import N_POINTS, NUMBERS
from train_reference.models.sequence import SequenceTransformer

_BODY = [(0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (0, 15), (0, 16), (15, 17), (16, 18)]
_BODY += [
    (8, 9),
    (9, 10),
    (10, 11),
    (8, 12),
    (12, 13),
    (13, 14),
    (11, 22),
    (22, 23),
    (11, 24),
    (14, 19),
    (19, 20),
    (14, 21),
]
_LINES = [(0, 17), (17, 22), (22, 27), (27, 31), (31, 36)]  # jaw, brows, bridge and base of the nose
_RINGS = [(36, 42), (42, 48), (48, 60), (60, 68)]  # eyes, outer and inner lips


def bones() -> list[tuple[int, int]]:
    """Pairs of points that are neighbours: a body, a face's outlines, fingers, and what joins them."""
    face = [(25 + a, 25 + a + 1) for first, end in _LINES for a in range(first, end - 1)]
    face += [
        (25 + a, 25 + (a + 1 - first) % (end - first) + first)
        for first, end in _RINGS
        for a in range(first, end)
    ]
    face += [
        (25 + 68, 25 + 36),
        (25 + 69, 25 + 42),
        (25 + 30, 25 + 33),
        (25 + 27, 25 + 21),
        (25 + 27, 25 + 22),
    ]
    face += [
        (25 + 33, 25 + 51),
        (25 + 8, 25 + 57),
        (0, 25 + 30),
        (15, 25 + 36),
        (16, 25 + 45),
        (17, 25),
        (18, 25 + 16),
    ]
    hands = [
        (first + (0 if joint == 0 else 4 * finger + joint), first + 4 * finger + joint + 1)
        for first in (95, 116)
        for finger in range(5)
        for joint in range(4)
    ]
    return [*_BODY, *face, *hands, (7, 95), (4, 116)]


class GraphEncoder(nn.Module):
    """Spatial graph convolutions over the points of a frame, then over time as the MLP's frames are.

    Each point takes in a learned mix of itself and of its neighbours' mean, layer
    by layer; the mean over points goes on to the same encoder over time.

    Source:
        Yan, Xiong & Lin (2018), ST-GCN, section 3, https://arxiv.org/abs/1801.07455; made small.
    """

    neighbours: torch.Tensor

    def __init__(
        self, width: int, depth: int, n_heads: int, patch: int, dropout: float, n_layers: int = 3
    ) -> None:
        """Arguments as of `KeypointEncoder`."""
        super().__init__()
        near = torch.zeros(N_POINTS, N_POINTS)
        for one, other in bones():
            near[one, other] = near[other, one] = 1
        self.register_buffer("neighbours", near / near.sum(dim=1, keepdim=True).clamp(min=1))
        widths = [NUMBERS, *[width] * n_layers]
        pairs = list(pairwise(widths))
        self.own = nn.ModuleList([nn.Linear(before, after) for before, after in pairs])
        self.others = nn.ModuleList([nn.Linear(before, after, bias=False) for before, after in pairs])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in pairs])
        self.which = nn.Parameter(
            torch.zeros(N_POINTS, width)
        )  # which point it is, as no point is like another
        self.dropping = nn.Dropout(dropout)
        self.over_time = SequenceTransformer(width, width, depth, n_heads, patch, dropout)

    def forward(self, values: torch.Tensor, lengths: torch.Tensor, *, is_full: bool = False) -> torch.Tensor:
        """Shape (n_clips, width) from values (n_clips, n_steps, 137 * 5)."""
        points = values.reshape(*values.shape[:2], N_POINTS, NUMBERS)
        for layer, (own, others, norm) in enumerate(zip(self.own, self.others, self.norms, strict=True)):
            mixed = own(points) + others(torch.einsum("pq,ctqn->ctpn", self.neighbours, points))
            mixed = self.dropping(nn.functional.gelu(norm(mixed if layer else mixed + self.which)))
            points = points + mixed if layer else mixed
        found: torch.Tensor = self.over_time(points.mean(dim=2), lengths, is_full=is_full)
        return found
