"""Students of engagement features: gaze, head pose and action units, resampled to some fifty segments."""

from typing import cast

import torch
from torch import nn
from torch.nn import functional

_KERNEL = 3


class TemporalConvolutions(nn.Module):
    """Dilated convolutions over time, each added to what came in; one vector for a sequence.

    A step sees 1 + 2 * (2^depth - 1) steps around itself. Not causal: the whole clip is known.

    Source:
        Bai, Kolter & Koltun (2018), section 3, https://arxiv.org/abs/1803.01271
    """

    def __init__(self, width_in: int, width: int, depth: int, dropout: float) -> None:
        """Weights as torch draws them."""
        super().__init__()
        self.to_width = nn.Linear(width_in, width)
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(width, width, _KERNEL, padding=2**level, dilation=2**level) for level in range(depth)]
        )
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(depth)])
        self.dropping = nn.Dropout(dropout)

    def forward(self, values: torch.Tensor, lengths: torch.Tensor, *, is_full: bool = False) -> torch.Tensor:
        """Shape (n_clips, width) from values (n_clips, n_steps, width_in); zeros where there is no step."""
        is_step = torch.arange(values.shape[1], device=values.device) < lengths[:, None]
        real = is_step[..., None].to(values.dtype)  # (n_clips, n_steps, 1)
        steps = self.to_width(values * real)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            # Padding is kept at zero, so that it is to a convolution what lies beyond the end.
            around = convolution((norm(steps) * real).transpose(1, 2)).transpose(1, 2)
            steps = steps + self.dropping(functional.gelu(around))
        return cast(torch.Tensor, (steps * real).sum(dim=1) / lengths.clamp(min=1)[:, None])
