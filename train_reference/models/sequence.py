"""The Transformer over long sequences."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from train_reference.models.attention import Block, rotary_turns


class SequenceTransformer(nn.Module):
    """One vector for a sequence of up to many thousand steps.

    Neighbouring steps are joined into tokens (`patch`), which go through
    Transformer blocks; the mean over tokens is the vector. Steps that are
    padding change nothing. With `depth` 0 it is the mean over steps of a linear
    map.

    The paper names an "ultra-long-sequence Transformer" (arXiv 2602.08057); that
    it is made so is our reconstruction.
    """

    def __init__(
        self,
        width_in: int,
        width: int,
        depth: int,
        n_heads: int,
        patch: int,
        dropout: float,
        *,
        saves_memory: bool = False,
    ) -> None:
        """Weights as torch draws them.

        Args:
            width_in: Numbers a step.
            width: Of tokens, and of the vector that comes out.
            depth: Number of blocks.
            n_heads: Attention heads of each.
            patch: Steps that are one token.
            dropout: Probability.
            saves_memory: Compute blocks a second time on the way back rather than keep what they made.
        """
        super().__init__()
        self.patch, self.n_heads, self.width, self.saves_memory = patch, n_heads, width, saves_memory
        self.to_tokens = nn.Linear(patch * width_in, width)
        self.blocks = nn.ModuleList([Block(width, n_heads, dropout) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)

    def forward(self, values: torch.Tensor, lengths: torch.Tensor, *, is_full: bool = False) -> torch.Tensor:
        """Encode sequences.

        Args:
            values: Shape (n_clips, n_steps, width_in).
            lengths: Shape (n_clips,): real steps; the rest may hold anything finite.
            is_full: All steps of all clips are real: attention then needs no mask.

        Returns:
            Shape (n_clips, width); zeros where there is no step.
        """
        n_steps = values.shape[1]
        is_step = torch.arange(n_steps, device=values.device) < lengths[:, None]  # (n_clips, n_steps)
        tokens = self.to_tokens(_joined(values * is_step[..., None], self.patch))
        n_tokens = tokens.shape[1]
        is_token = torch.arange(n_tokens, device=values.device) * self.patch < lengths[:, None]
        if self.blocks:
            tokens = self._through_blocks(tokens, None if is_full else _looked_at(is_token))
        return _mean(self.norm(tokens), is_token)

    def _through_blocks(self, tokens: torch.Tensor, allowed: torch.Tensor | None) -> torch.Tensor:
        turns = rotary_turns(tokens.shape[1], self.width // self.n_heads, tokens.device)
        for block in self.blocks:
            step = partial(block, turns=turns, allowed=allowed)
            if self.saves_memory and self.training:
                tokens = checkpoint(step, tokens, use_reentrant=False)
            else:
                tokens = step(tokens)
        return tokens


def _looked_at(is_token: torch.Tensor) -> torch.Tensor:
    """Shape (n_clips, 1, 1, n_tokens): the real tokens, or the first where none is, as no token gives NaN."""
    first = torch.zeros_like(is_token)
    first[:, 0] = True
    return (is_token | first)[:, None, None]


def _joined(values: torch.Tensor, patch: int) -> torch.Tensor:
    """Every `patch` steps as one, the last filled up with zeros: (n_clips, n_tokens, patch * width_in)."""
    n_clips, n_steps, width_in = values.shape
    filled = functional.pad(values, (0, 0, 0, -n_steps % patch))
    return filled.reshape(n_clips, -1, patch * width_in)


def _mean(tokens: torch.Tensor, is_token: torch.Tensor) -> torch.Tensor:
    """Over the real tokens of each clip; zeros where there are none."""
    weights = is_token.to(tokens.dtype) / is_token.sum(dim=1, keepdim=True).clamp(min=1)
    return torch.einsum("cts,ct->cs", tokens, weights)
