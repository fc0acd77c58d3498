"""Transformer blocks with rotary positions, for sequences of any length."""

import torch
from torch import nn
from torch.nn import functional

_BASE = 10_000.0


class Block(nn.Module):
    """Attention and a feed-forward part, each added to what came in after a norm (pre-norm).

    Source:
        Vaswani et al. (2017), Attention is all you need, section 3, https://arxiv.org/abs/1706.03762;
        pre-norm: Xiong et al. (2020), https://arxiv.org/abs/2002.04745
    """

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        """Weights as torch draws them.

        Raises:
            ValueError: The width of a head, `width / n_heads`, is not an even whole number.
        """
        super().__init__()
        if width % (2 * n_heads):
            raise ValueError(f"width {width} must be a multiple of twice n_heads, which is {2 * n_heads}")
        self.n_heads = n_heads
        self.norm_attention, self.norm_mixing = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_heads = nn.Linear(width, 3 * width, bias=False)
        self.from_heads = nn.Linear(width, width, bias=False)
        self.mixing = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.dropping = nn.Dropout(dropout)

    def forward(self, tokens: torch.Tensor, turns: "Turns", allowed: torch.Tensor | None) -> torch.Tensor:
        """Shape of `tokens`: (n_clips, n_tokens, width); of `allowed`: (n_clips, 1, 1, n_tokens), bool."""
        tokens = tokens + self.dropping(self._attended(self.norm_attention(tokens), turns, allowed))
        mixed: torch.Tensor = tokens + self.dropping(self.mixing(self.norm_mixing(tokens)))
        return mixed

    def _attended(self, tokens: torch.Tensor, turns: "Turns", allowed: torch.Tensor | None) -> torch.Tensor:
        n_clips, n_tokens, width = tokens.shape
        heads = self.to_heads(tokens).view(n_clips, n_tokens, 3, self.n_heads, width // self.n_heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # each (n_clips, n_heads, n_tokens, width of a head)
        # Nothing is dropped within: no fused kernel of CPUs can, and then all scores are kept in memory.
        found = functional.scaled_dot_product_attention(
            turned(query, turns), turned(key, turns), value, attn_mask=allowed
        )
        joined: torch.Tensor = self.from_heads(found.transpose(1, 2).reshape(n_clips, n_tokens, width))
        return joined


Turns = tuple[torch.Tensor, torch.Tensor]
"""Cosines and sines, each of shape (n_tokens, width of a head / 2)."""


def rotary_turns(n_tokens: int, head_width: int, device: torch.device) -> Turns:
    """By which angles each pair of numbers of a head is turned at each place.

    The product of a query and a key then depends on how far they are apart, not on where they are.

    Source:
        Su et al. (2021), RoFormer, section 3.2, https://arxiv.org/abs/2104.09864
    """
    speeds = _BASE ** -(torch.arange(0, head_width, 2, device=device, dtype=torch.float32) / head_width)
    angles = torch.outer(torch.arange(n_tokens, device=device, dtype=torch.float32), speeds)
    return angles.cos(), angles.sin()


def turned(heads: torch.Tensor, turns: Turns) -> torch.Tensor:
    """Heads of shape (n_clips, n_heads, n_tokens, width of a head) with their pairs turned by place."""
    cosines, sines = (each.to(heads.dtype) for each in turns)
    first, second = heads.chunk(2, dim=-1)
    return torch.cat([first * cosines - second * sines, second * cosines + first * sines], dim=-1)
