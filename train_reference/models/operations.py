"""How many floating-point operations a training step takes, by counting."""

from collections.abc import Mapping

import torch
from torch import nn

from train_reference.models.keypoints import N_POINTS, NUMBERS, STREAMS
from train_reference.models.student import StudentConfig
from train_reference.models.text import TextEncoder, text_config

Products = tuple[int, int]
"""Multiplications on the way forward: those of an encoder's first layer, and all others."""


def step_operations(config: StudentConfig, shapes: Mapping[str, tuple[int, int]]) -> int:
    """Floating-point operations of a step of joint training, forward and backward, padding included.

    A product of matrices takes as many additions as multiplications. On the way
    back there are two for each one forward, for the gradients of both factors;
    but nobody asks for the gradient of what an encoder is given. Norms,
    activations, the optimiser, and what is computed twice to save memory do not
    count: these are the operations that the model needs, not those that were made.

    Args:
        config: Of the student.
        shapes: Of each modality's batch: n_clips, n_steps.

    Source:
        Chowdhery et al. (2022), PaLM, appendix B, https://arxiv.org/abs/2204.02311
    """
    n_clips = max(n for n, _ in shapes.values())
    n_together = len(config.encoders) * config.width
    rest = n_clips * (n_together * config.width + config.width * config.n_outputs)
    operations = 2 * 3 * rest
    for name in config.encoders:
        n_clips, n_steps = shapes[name]
        first, rest = _encoder(config, name, n_steps)
        operations += n_clips * 2 * (2 * first + 3 * rest)
    return operations


def _encoder(config: StudentConfig, name: str, n_steps: int) -> Products:
    """Of one clip."""
    kind, width = config.encoders[name], config.width
    if kind == "text":
        return _text(config, n_steps)
    if kind == "tcn":
        return n_steps * config.widths_in[name] * width, n_steps * config.depth * 3 * width**2
    if kind == "keypoints":
        return _keypoints(config, n_steps)
    return _over_time(config, config.widths_in[name], n_steps)


def _keypoints(config: StudentConfig, n_steps: int) -> Products:
    """Of each stream two layers, the first to twice the width."""
    width, n_streams = config.width, len(STREAMS)
    first = n_steps * N_POINTS * NUMBERS * 2 * width
    return first, n_steps * n_streams * 2 * width**2 + sum(_over_time(config, n_streams * width, n_steps))


def _over_time(config: StudentConfig, width_in: int, n_steps: int) -> Products:
    """Twelve matrices of width x width a block: four of attention, eight around the activation."""
    width, n_tokens = config.width, -(-n_steps // config.patch)
    first = n_tokens * config.patch * width_in * width
    return first, config.depth * (n_tokens * 12 * width**2 + _attention(n_tokens, width))


def _attention(n_tokens: int, width: int) -> int:
    """Each query by each key, and each weight by each value."""
    return 2 * n_tokens**2 * width


def _text(config: StudentConfig, n_tokens: int) -> Products:
    """Of its linear layers but the pooler, which is not used; embeddings are looked up."""
    told = text_config(config.text or {})
    with torch.device("meta"):
        encoder = TextEncoder(config.text or {}, config.width).encoder
    n_weights = sum(
        module.weight.numel()
        for name, module in encoder.named_modules()
        if isinstance(module, nn.Linear) and not name.startswith("pooler")
    )
    attention = told.num_hidden_layers * _attention(n_tokens, told.hidden_size)
    return 0, n_tokens * n_weights + attention + told.hidden_size * config.width
