"""One step: the same numbers on one process or several, at once or in parts."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import nn

from train_reference.curriculum.arms import Arm
from train_reference.curriculum.targets import Targets
from train_reference.data.batch import Batch
from train_reference.losses import Loss, elr


@dataclass(frozen=True, slots=True)
class Stepper:
    """What a step needs that stays the same over a phase."""

    accelerator: Accelerator
    model: nn.Module
    optimiser: torch.optim.Optimizer
    loss: Loss
    arm: Arm
    targets: Targets
    weights: torch.Tensor
    """Shape (n_clips,), of each clip in the loss."""
    only: str | None
    clip_norm: float

    def step(
        self, parts: Sequence[Batch], whole_weight: float, progress: float, *, counts: bool = True
    ) -> torch.Tensor:
        """Take one step; this process's part of the mean loss, on the device.

        Every process works on its share of a batch, in parts; what it finds is
        divided by the weight of the whole batch, which all processes know, so
        that neither their number nor that of the parts changes the gradient.

        Args:
            parts: This process's share of the clips, at least one part.
            whole_weight: Sum of the weights of the clips of all processes.
            progress: Of the phase, 0 to 1.
            counts: False where the batch had no clip left for this process: what it was given is another's.
        """
        scale = counts / whole_weight
        found: list[torch.Tensor] = []
        said: list[torch.Tensor] = []
        for part in parts[:-1]:
            with self.accelerator.no_sync(self.model):
                self._backward(part, scale, progress, found, said)
        self._backward(parts[-1], scale, progress, found, said)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self._remember(parts, said, counts=counts)
        return torch.stack(found).sum()

    def _backward(
        self,
        part: Batch,
        scale: float,
        progress: float,
        found: list[torch.Tensor],
        said: list[torch.Tensor],
    ) -> None:
        with self.accelerator.autocast():
            logits = self.model(part.inputs, self.only)
        logits = logits.float()
        probabilities = self.loss.probabilities(logits)
        losses = self.loss(logits, self.targets.of(part.rows, progress))
        if self.arm.is_regularised:
            losses = elr(losses, probabilities, self.targets.average(part.rows))
        value = (self.weights[part.rows] * losses).sum() * scale
        # Gradients of several processes are averaged: what is wanted is their sum.
        self.accelerator.backward(value * self.accelerator.num_processes)
        found.append(value.detach())
        said.append(probabilities.detach())

    def _remember(self, parts: Sequence[Batch], said: list[torch.Tensor], *, counts: bool) -> None:
        """Every process keeps the averages of all clips."""
        if not (self.arm.is_refined or self.arm.is_regularised):
            return
        rows, probabilities = torch.cat([part.rows for part in parts]), torch.cat(said)
        if self.accelerator.num_processes > 1:
            rows = rows if counts else torch.full_like(rows, -1)
            rows, probabilities = _of_all(self.accelerator, rows, probabilities)
        self.targets.update(rows, probabilities)


def _of_all(
    accelerator: Accelerator, rows: torch.Tensor, probabilities: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Shares may differ in length by one: they are filled up with row -1, which is nobody's."""
    rows, probabilities = (
        accelerator.gather(accelerator.pad_across_processes(one, dim=0, pad_index=pad))
        for one, pad in ((rows, -1), (probabilities, 0))
    )
    real = rows >= 0
    return rows[real], probabilities[real]
