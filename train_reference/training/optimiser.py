"""AdamW, with weights that do not decay and text encoders that learn slowly set apart."""

import torch
from torch import nn

from train_reference.settings import Optimiser


def make_optimiser(model: nn.Module, settings: Optimiser) -> torch.optim.AdamW:
    """AdamW over three groups: matrices, which decay; vectors, which do not; a text encoder trained before.

    Source:
        Loshchilov & Hutter (2019), Decoupled weight decay, https://arxiv.org/abs/1711.05101;
        that biases and norms do not decay is common practice.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = settings.text_learning_rate if ".text.encoder." in f".{name}" else settings.learning_rate
            decay = settings.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": several, "lr": rate, "full_lr": rate, "weight_decay": decay}
            for (rate, decay), several in groups.items()
        ],
        betas=(0.9, 0.98),
        fused=True,
    )


def set_rate(optimiser: torch.optim.Optimizer, share: float) -> None:
    """Set each group to a share of its full learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = share * group["full_lr"]
