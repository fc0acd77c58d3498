"""Losses on soft targets; each gives one number a clip."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn import functional

LossName = Literal["soft_cross_entropy", "corn", "squared_emd"]
Adjustment = Literal["none", "class_balanced", "logit_adjusted"]

_ELR_WEIGHT = 3.0
"""As Liu et al. use for CIFAR-10."""
_BALANCE = 0.999
"""Of the effective number of clips."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss by name, for a number of clips a class."""

    name: LossName
    n_classes: int
    log_prior: torch.Tensor | None = None
    """Shape (n_classes,): added to logits while training, of `logit_adjusted`."""
    class_weights: torch.Tensor | None = None
    """Shape (n_classes,), of `class_balanced`; their mean over clips is 1."""

    @property
    def n_outputs(self) -> int:
        """Numbers that a student gives for a clip."""
        return self.n_classes - 1 if self.name == "corn" else self.n_classes

    def __call__(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Shape (n_clips,) from logits (n_clips, n_outputs) and targets (n_clips, n_classes)."""
        if self.log_prior is not None:
            logits = logits + self.log_prior.to(logits)
        found = {"soft_cross_entropy": soft_cross_entropy, "corn": corn, "squared_emd": squared_emd}[
            self.name
        ](logits, targets)
        return found if self.class_weights is None else found * (targets @ self.class_weights.to(targets))

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Class probabilities, shape (n_clips, n_classes)."""
        return corn_probabilities(logits) if self.name == "corn" else logits.softmax(dim=-1)


def make_loss(name: LossName, adjust: Adjustment, counts: torch.Tensor) -> Loss:
    """A loss for classes of so many clips each.

    Args:
        name: Of the loss.
        adjust: What is done for rare classes.
        counts: Shape (n_classes,): clips, or sums of soft labels.

    Raises:
        ValueError: `logit_adjusted` with a loss that has no logit a class.
    """
    n_classes = len(counts)
    if adjust == "class_balanced":
        return Loss(name, n_classes, class_weights=class_balanced_weights(counts))
    if adjust == "logit_adjusted":
        if name == "corn":
            raise ValueError("adjust=logit_adjusted needs a logit a class, which loss=corn has not")
        return Loss(name, n_classes, log_prior=(counts.clamp(min=0.5) / counts.sum()).log())
    return Loss(name, n_classes)


def soft_cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """- sum_k t_k log p_k."""
    return -(targets * functional.log_softmax(logits, dim=-1)).sum(dim=-1)


def squared_emd(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Squared earth mover's distance of ordered classes: sum_k (P_k - T_k)^2 of the cumulative sums.

    Source:
        Hou, Yu & Samaras (2016), equation 4, https://arxiv.org/abs/1611.05916
    """
    return ((logits.softmax(dim=-1) - targets).cumsum(dim=-1) ** 2).sum(dim=-1)


def corn(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Conditional ordinal regression: output k tells P(y > k | y >= k).

    With s_k = P(y >= k) of the target, the loss is the sum over k of
    s_{k+1} log(1 + e^-z_k) + (s_k - s_{k+1}) log(1 + e^z_k): for a hard target
    the binary cross-entropies of the tasks that the label takes part in, which
    is the source's; for a soft one their expectation (ours). Summed over tasks,
    where the source averages.

    Args:
        logits: Shape (n_clips, n_classes - 1).
        targets: Shape (n_clips, n_classes).

    Source:
        Shi, Cao & Raschka (2021), section 3.3, https://arxiv.org/abs/2111.08851
    """
    reached = targets.flip(-1).cumsum(-1).flip(-1)  # (n_clips, n_classes): P(y >= k)
    beyond, there = reached[:, 1:], reached[:, :-1] - reached[:, 1:]
    return (beyond * functional.softplus(-logits) + there * functional.softplus(logits)).sum(dim=-1)


def corn_probabilities(logits: torch.Tensor) -> torch.Tensor:
    """P(y = k) = P(y > k-1) (1 - P(y > k | y >= k)), shape (n_clips, n_classes)."""
    goes_on = logits.sigmoid()
    reached = torch.cat([torch.ones_like(goes_on[:, :1]), goes_on.cumprod(dim=-1)], dim=-1)
    return torch.cat([reached[:, :-1] * (1 - goes_on), reached[:, -1:]], dim=-1)


def elr(losses: torch.Tensor, probabilities: torch.Tensor, average: torch.Tensor) -> torch.Tensor:
    """A loss with early-learning regularisation: + weight x log(1 - <p, average>).

    Args:
        losses: Shape (n_clips,): cross-entropy with the noisy labels.
        probabilities: Shape (n_clips, n_classes), with their gradient.
        average: Shape (n_clips, n_classes): of the model's own predictions so far.

    Source:
        Liu et al. (2020), equation 6, https://arxiv.org/abs/2007.00151
    """
    alike = (probabilities * average).sum(dim=-1).clamp(max=1 - 1e-4)
    return losses + _ELR_WEIGHT * torch.log1p(-alike)


def class_balanced_weights(counts: torch.Tensor) -> torch.Tensor:
    """Weight of a class, by the effective number of its clips (1 - b^n) / (1 - b); 1 in the mean over clips.

    Source:
        Cui et al. (2019), section 3, https://arxiv.org/abs/1901.05555
    """
    effective = (1 - _BALANCE ** counts.double()) / (1 - _BALANCE)
    weights = torch.where(counts > 0, 1 / effective.clamp(min=1e-12), torch.zeros_like(effective))
    return (weights * counts.sum() / (weights * counts).sum()).float()
