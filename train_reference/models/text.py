"""Transcripts: a text encoder of transformers."""

from typing import Any, cast

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PretrainedConfig

from train_reference.errors import Problem, TrainError, in_short


class TextEncoder(nn.Module):
    """One vector for a transcript: the mean over tokens of what BERT, or the like, makes of them."""

    def __init__(self, config: dict[str, Any], width: int) -> None:
        """Weights as drawn; `load_text_weights` puts in those of a model that was trained before.

        Args:
            config: Of the transformers model, as its `to_dict` gives it.
            width: Of the vector that comes out.
        """
        super().__init__()
        self.encoder = AutoModel.from_config(text_config(config))  # type: ignore[no-untyped-call]
        self.to_width = nn.Linear(self.encoder.config.hidden_size, width)

    def forward(self, tokens: torch.Tensor, lengths: torch.Tensor, *, is_full: bool = False) -> torch.Tensor:
        """Shape (n_clips, width) from token ids (n_clips, n_tokens); zeros where there is no token."""
        is_token = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        # A clip without text has its first place looked at: nothing to look at would be NaN.
        looked_at = is_token.clone()
        looked_at[:, 0] = True
        found = self.encoder(input_ids=tokens, attention_mask=looked_at.long()).last_hidden_state
        weights = is_token.to(found.dtype) / is_token.sum(dim=1, keepdim=True).clamp(min=1)
        mean = torch.einsum("cts,ct->cs", found, weights)
        return cast(torch.Tensor, self.to_width(mean) * (lengths > 0)[:, None])


def text_config(config: dict[str, Any]) -> PretrainedConfig:
    """From the dictionary that is kept in checkpoints."""
    return AutoConfig.for_model(**config)


def read_text_config(model: str, revision: str | None) -> dict[str, Any]:
    """The configuration of a text model, by id or folder.

    Raises:
        TrainError: It is not at hand.
    """
    try:
        config = AutoConfig.from_pretrained(model, revision=revision, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise _not_at_hand(model, error) from error
    return cast(dict[str, Any], config.to_dict())


def load_text_weights(encoder: TextEncoder, model: str, revision: str | None) -> None:
    """Put the weights of a model by id or folder in; only safetensors are read.

    Raises:
        TrainError: They are not at hand.
    """
    try:
        trained = AutoModel.from_pretrained(
            model, revision=revision, trust_remote_code=False, use_safetensors=True
        )
    except (OSError, ValueError) as error:
        raise _not_at_hand(model, error) from error
    encoder.encoder.load_state_dict(trained.state_dict())


def _not_at_hand(model: str, error: Exception) -> TrainError:
    what = f"{model} cannot be loaded ({in_short(error)})"
    fix = (
        "Name a folder or an id that can be reached, or leave text out: modalities=images,keypoints,features"
    )
    return TrainError("settings", [Problem("text.model", what, fix)])
