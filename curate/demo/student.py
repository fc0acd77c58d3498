"""The demo's model while it learns: with two throwaway heads, and optimisers to match."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from curate.demo.cues import OPTIONS
from curate.demo.lessons import N_PLACES, Lesson
from curate.demo.packing import PICTURE_TOKENS, Eyes, patches_of, read
from curate.demo.tiny_vlm import HIDDEN_SIZE, make_model, make_tokenizer

_ROTATION_RATE, _ADAM_RATE = 0.015, 1.5e-3


class Student(nn.Module):
    """A Qwen3-VL, a head that names what one picture shows, and one that judges options."""

    def __init__(self, seed: int) -> None:
        """Start from random weights."""
        super().__init__()
        self.tokenizer = make_tokenizer()
        self.model: Any = make_model(self.tokenizer, seed)
        self.eyes = Eyes(self.model.model.visual)
        self.sizes = [len(options) + 1 for options in OPTIONS.values()] + [N_PLACES]
        self.cue_head = nn.Linear(PICTURE_TOKENS * HIDDEN_SIZE, sum(self.sizes))
        self.option_head = nn.Linear(HIDDEN_SIZE, 1)

    def see(self, lesson: Lesson) -> tuple[Tensor, list[Tensor], Tensor]:
        """Picture tokens, deeper tokens, and the loss of naming what each picture shows."""
        tokens, deeper = self.eyes(patches_of(lesson.pixels.flatten(0, 1)))
        *cues, place = self.cue_head(tokens.flatten(1)).float().split(self.sizes, dim=1)
        shown = lesson.cues.flatten(0, 1)  # (n * m, items)
        losses = [functional.cross_entropy(scores, shown[:, k]) for k, scores in enumerate(cues)]
        # A batch without any person has no place to name: its mean is 0 / 0.
        where = functional.cross_entropy(place, lesson.places.flatten(), ignore_index=-100)
        return tokens, deeper, torch.stack([*losses, torch.nan_to_num(where)]).mean()

    def answer(self, lesson: Lesson, tokens: Tensor, deeper: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the answer and of what follows it, (n, q, words), and of each option's holding."""
        hidden = read(self.model, lesson.packed, tokens, deeper)
        clip = torch.arange(len(hidden))
        answer = self.model.lm_head(hidden[clip[:, None], lesson.packed.ends]).float()
        after = self.model.lm_head(hidden[clip[:, None], lesson.packed.ends + 1]).float()
        holding = self.option_head(hidden[clip[:, None, None], lesson.packed.option_ends])[..., 0]
        return answer, after, holding.float()

    def answer_loss(
        self, lesson: Lesson, tokens: Tensor, deeper: list[Tensor]
    ) -> tuple[Tensor, float, float]:
        """What answering costs; the letters' part of it; the share of right letters."""
        answer, after, holding = self.answer(lesson, tokens, deeper)
        letters = functional.cross_entropy(answer.flatten(0, 1), lesson.right.flatten())
        stop = torch.full_like(lesson.right, int(self.tokenizer.eos_token_id))
        stops = functional.cross_entropy(after.flatten(0, 1), stop.flatten())
        there = lesson.holds >= 0
        options = functional.binary_cross_entropy_with_logits(holding[there], lesson.holds[there].float())
        right = (answer.argmax(-1) == lesson.right).float().mean().item()
        return letters + options + 0.1 * stops, letters.item(), right


class Optimisers:
    """Muon for the matrices inside the towers, AdamW for embeddings, heads, biases and norms.

    After the same 200 steps of the vision tower, the loss was 0.89 with Muon
    inside and 1.06 with AdamW alone, at the same time a step (one run each).
    """

    def __init__(self, student: Student) -> None:
        """Sort the weights."""
        inner: list[nn.Parameter] = []
        outer: list[nn.Parameter] = []
        for name, weight in student.named_parameters():
            (inner if weight.ndim == 2 and "embed" not in name and "head" not in name else outer).append(
                weight
            )
        rotation: torch.optim.Optimizer = torch.optim.Muon(
            inner, lr=_ROTATION_RATE, weight_decay=0.05, momentum=0.95
        )
        groups = [
            {"params": [weight for weight in outer if weight.ndim > 1], "weight_decay": 0.05},
            {"params": [weight for weight in outer if weight.ndim <= 1], "weight_decay": 0.0},
        ]
        self.both: tuple[torch.optim.Optimizer, ...] = (
            rotation,
            torch.optim.AdamW(groups, lr=_ADAM_RATE, betas=(0.9, 0.98)),
        )

    def step(self, loss: Tensor, weights: list[nn.Parameter], pace: float) -> None:
        """Follow the loss downhill, at `pace` times the highest learning rates."""
        for optimiser, rate in zip(self.both, (_ROTATION_RATE, _ADAM_RATE), strict=True):
            optimiser.zero_grad()
            for group in optimiser.param_groups:
                group["lr"] = rate * pace
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        for optimiser in self.both:
            optimiser.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """Both optimisers' states."""
        return [optimiser.state_dict() for optimiser in self.both]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Go on from both optimisers' states."""
        for optimiser, state in zip(self.both, states, strict=True):
            optimiser.load_state_dict(state)
