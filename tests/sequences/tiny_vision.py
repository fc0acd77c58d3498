"""Vision models of a true architecture and random weights, small enough for a test."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import (
    CLIPConfig,
    CLIPModel,
    ConvNextConfig,
    ConvNextModel,
    Dinov2Config,
    Dinov2Model,
    PreTrainedModel,
    ViTConfig,
    ViTForImageClassification,
    ViTMAEModel,
)
from transformers.models.bit import BitImageProcessorPil

_SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}


def dinov2(folder: Path, **processing: object) -> Path:
    """DINOv2: its class token is normalised, and is the pooled output."""
    return _saved(folder, Dinov2Model, Dinov2Config(**_SMALL, image_size=28, patch_size=14), **processing)


def clip(folder: Path) -> Path:
    """CLIP, both towers; 16 dimensions are shared by pictures and words."""
    text = {**_SMALL, "vocab_size": 99, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = CLIPConfig(
        text_config=text, vision_config={**_SMALL, "image_size": 28, "patch_size": 14}, projection_dim=16
    )
    return _saved(folder, CLIPModel, config)


def classifier(folder: Path) -> Path:
    """A ViT that was trained to classify: there are no weights for the pooler of its bare network."""
    return _saved(folder, ViTForImageClassification, ViTConfig(**_SMALL, image_size=28, patch_size=14))


def convolutions(folder: Path) -> Path:
    """A network whose hidden state is a map; each of its stages halves a side."""
    config = ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1])
    return _saved(folder, ConvNextModel, config, crop_size={"height": 64, "width": 64})


def masked(folder: Path) -> Path:
    """A masked autoencoder, which draws the patches that it looks at."""
    config = ViTMAEModel.config_class(**_SMALL, image_size=28, patch_size=7)
    return _saved(folder, ViTMAEModel, config)


def picture(seed: int, width: int = 40, height: int = 30) -> bytes:
    """A JPEG file of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def _saved(folder: Path, kind: Any, config: object, **processing: object) -> Path:
    torch.manual_seed(0)
    network: PreTrainedModel = kind(config)
    network.save_pretrained(folder)
    settings = {"size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28}, **processing}
    BitImageProcessorPil(**settings).save_pretrained(folder)
    return folder
