"""The student: an encoder a modality, joined late."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, cast

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import nn

from train_reference.data.batch import Padded
from train_reference.models.features import TemporalConvolutions
from train_reference.models.keypoints import KeypointEncoder
from train_reference.models.scaling import Scaling
from train_reference.models.sequence import SequenceTransformer
from train_reference.models.text import TextEncoder

Kind = Literal["transformer", "tcn", "keypoints", "text"]


class StudentConfig(BaseModel):
    """What a student is built from; JSON keeps it beside the weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoders: dict[str, Kind]
    """By modality, in the order in which they are joined."""
    widths_in: dict[str, int]
    """Numbers a step, by modality; of text nothing."""
    n_outputs: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=2)] = 128
    depth: Annotated[int, Field(ge=0)] = 2
    n_heads: Annotated[int, Field(ge=1)] = 4
    patch: Annotated[int, Field(ge=1)] = 1
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    saves_memory: bool = False
    text: dict[str, Any] | None = None
    """Configuration of the text encoder."""

    @model_validator(mode="after")
    def _tells_what_encoders_are_given(self) -> Self:
        unknown = [name for name, kind in self.encoders.items() if not self._is_told(name, kind)]
        if unknown:
            raise ValueError(
                f"says nothing of what {', '.join(unknown)} gives: every encoder needs its number "
                "in widths_in, and one of text its configuration"
            )
        return self

    def _is_told(self, name: str, kind: Kind) -> bool:
        return self.text is not None if kind == "text" else name in self.widths_in


class Student(nn.Module):
    """Vectors of all modalities side by side, and an MLP on them (arXiv 2602.08057: late fusion).

    Where a clip lacks a modality, a vector that is learned stands in for it.
    Each modality also has a head of its own, with which it is trained alone.
    """

    def __init__(self, config: StudentConfig) -> None:
        """Weights as torch draws them."""
        super().__init__()
        names, width = list(config.encoders), config.width
        self.scalings = nn.ModuleDict(
            {name: Scaling(config.widths_in[name]) for name in names if config.encoders[name] != "text"}
        )
        self.encoders = nn.ModuleDict({name: _encoder(name, config) for name in names})
        self.stand_ins = nn.ParameterDict({name: nn.Parameter(torch.zeros(width)) for name in names})
        self.heads = nn.ModuleDict({name: nn.Linear(width, config.n_outputs) for name in names})
        self.joint = nn.Sequential(
            nn.Linear(len(names) * width, width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(width, config.n_outputs),
        )

    def forward(self, inputs: Mapping[str, Padded], only: str | None = None) -> torch.Tensor:
        """Logits, shape (n_clips, n_outputs): of all modalities together, or of one `only`."""
        if only is not None:
            return cast(torch.Tensor, self.heads[only](self._encoded(only, inputs[only])))
        parts = [self._encoded(name, inputs[name]) for name in self.encoders]
        return cast(torch.Tensor, self.joint(torch.cat(parts, dim=-1)))

    def _encoded(self, name: str, given: Padded) -> torch.Tensor:
        values = self.scalings[name](given.values) if name in self.scalings else given.values
        vectors = self.encoders[name](values, given.lengths, is_full=given.is_full)  # (n_clips, width)
        return torch.where((given.lengths > 0)[:, None], vectors, self.stand_ins[name].to(vectors.dtype))


def _encoder(name: str, config: StudentConfig) -> nn.Module:
    kind, over_time = config.encoders[name], (config.depth, config.n_heads, config.patch, config.dropout)
    if kind == "keypoints":
        return KeypointEncoder(config.width, *over_time, saves_memory=config.saves_memory)
    if kind == "text":
        return TextEncoder(config.text or {}, config.width)
    if kind == "tcn":
        return TemporalConvolutions(config.widths_in[name], config.width, config.depth, config.dropout)
    return SequenceTransformer(
        config.widths_in[name], config.width, *over_time, saves_memory=config.saves_memory
    )
