"""What a model is shown at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Padded:
    """Sequences of different lengths, filled up with zeros at their ends."""

    values: torch.Tensor
    """Shape (n_clips, n_steps, width) in floating point; of text (n_clips, n_tokens), token ids (int64)."""
    lengths: torch.Tensor
    """Shape (n_clips,), int64: steps that are real; 0 where a clip lacks this modality."""
    is_full: bool = False
    """Whether it is known that there is no padding at all: the quickest kernels know no masks."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some clips."""

    rows: torch.Tensor
    """Shape (n_clips,), int64: rows of `Clips`."""
    inputs: Mapping[str, Padded]
    """By modality: `images`, `keypoints`, `features`, `text`."""
