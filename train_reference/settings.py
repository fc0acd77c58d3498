"""What can be set, as `key=value`; every key has a default that trains."""

import difflib
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from train_reference.errors import Problem, TrainError

Modality = Literal["images", "keypoints", "features", "text"]
MODALITIES: tuple[Modality, ...] = ("images", "keypoints", "features", "text")

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Several = BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
"""One is written without brackets."""


class Section(BaseModel):
    """A part of the settings: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Images(Section):
    """Frame embeddings, for releases that bring none."""

    model: str = "facebook/dinov2-base"
    """A vision model of transformers, by id or folder. A release that has embeddings is taken at its word."""
    revision: str | None = None
    """Of that model on the Hub."""
    fps: Positive = 2.0
    """Frames a second that are embedded."""
    batch_size: Count = 32
    """Frames that are embedded at once."""


class Text(Section):
    """Transcripts."""

    model: str = "google-bert/bert-base-uncased"
    """A text encoder of transformers, by id or folder."""
    revision: str | None = None
    """Of that model on the Hub."""
    most_tokens: Annotated[int, Field(ge=8, le=512)] = 256
    """Longer transcripts are cut."""


class Features(Section):
    """Ready sequences such as OpenFace's."""

    columns: Annotated[tuple[str, ...], Several] = ("gaze", "pose_R", "AU")
    """Names, or beginnings of names, of the columns that are used."""
    segments: Count = 50
    """A clip is resampled to so many segments, as EngageNet's baseline does."""
    student: Literal["transformer", "tcn"] = "transformer"
    """What encodes them."""


class Keypoints(Section):
    """137 points a frame."""

    every: Count = 1
    """1 takes every frame, 2 every other one."""


class Model(Section):
    """Sizes of the student."""

    width: Count = 128
    """Of tokens and vectors; a multiple of twice `n_heads`."""
    depth: Annotated[int, Field(ge=0)] = 2
    """Transformer blocks over time for each modality."""
    n_heads: Count = 4
    """Attention heads of a block."""
    patch: Count = 1
    """Neighbouring steps that are one token."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Probability."""

    saves_memory: bool = False
    """Compute blocks a second time on the way back rather than keep what they made."""

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Self:
        if self.width % (2 * self.n_heads):
            raise ValueError(
                f"width {self.width} must be a multiple of twice n_heads, which is {2 * self.n_heads}"
            )
        return self


class Optimiser(Section):
    """AdamW with warm-up and a cosine."""

    learning_rate: Positive = 1e-3
    """The largest, after warm-up."""
    text_learning_rate: Positive = 2e-5
    """Of a text encoder that was trained before."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    """Of matrices; vectors do not decay."""
    warm_up: Share = 0.1
    """Share of a phase's steps."""
    clip_norm: Positive = 1.0
    """Longer gradients are shortened to it."""
    accumulate: Count = 1
    """Parts that a batch is worked on in, so that it fits into memory."""


class Schedule(Section):
    """How long, and which clips how often."""

    batch_size: Count = 32
    """Clips of all processes together."""
    epochs: Positive = 30.0
    """Of joint training, in clips of train with a label, whatever the arm: all take the same steps."""
    alone_epochs: Annotated[float, Field(ge=0)] = 10.0
    """Of each modality alone before that, where there are several."""
    sampler: Literal["natural", "class_balanced", "square_root"] = "natural"
    """Which clips are drawn how often."""
    evaluate_every: Count = 1
    """Epochs between looks at validation."""
    patience: Count | None = None
    """Looks at validation without a better one after which training ends; never if left out."""


class Curriculum(Section):
    """Stage one on the high-reliability split; stage two brings in the rest."""

    pacing: Literal["linear", "root", "step"] = "root"
    """How the doubtful clips come in."""
    begins: Share = 0.2
    """Progress of a phase at which stage two begins."""
    ends: Share = 0.7
    """Progress from which on everything is in."""
    most: Share = 0.5
    """Weight of the model's own average prediction at the end, for a clip of reliability 0."""
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Of that average."""


class Settings(Section):
    """Everything that can be set."""

    arm: str = "curriculum"
    """What is learned: given, refined-hard, high-only, random-split, soft, curriculum, elr; see docs."""
    config: str = "default"
    """Of the release: default, high_reliability or low_reliability."""
    revision: str | None = None
    """Of a release on the Hub."""
    modalities: Annotated[tuple[Modality, ...], Several] = MODALITIES
    """Those that are used, as far as the release has them."""
    images: Images = Images()
    keypoints: Keypoints = Keypoints()
    features: Features = Features()
    text: Text = Text()
    model: Model = Model()
    loss: Literal["soft_cross_entropy", "corn", "squared_emd"] = "soft_cross_entropy"
    """The last two are for ordered classes."""
    adjust: Literal["none", "class_balanced", "logit_adjusted"] = "none"
    """For rare classes."""
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    curriculum: Curriculum = Curriculum()
    seed: int = 0
    """Of weights, order, dropout and random splits."""
    precision: Literal["auto", "no", "bf16"] = "auto"
    """auto: bf16 on a GPU, float32 on a CPU."""
    compile: Literal["auto", "on", "off"] = "auto"
    """torch.compile; auto compiles on a GPU."""
    threads: Count | None = None
    """Of torch on a CPU; small models are fastest with one. Torch's own choice if left out."""
    drop: bool = False
    """Leave out clips that have no modality at all, rather than refuse the release."""


def read_settings(pairs: Sequence[str]) -> Settings:
    """Settings from `key=value`, keys with dots, values as YAML has them.

    Raises:
        TrainError: A key is unknown or a value out of range; all of them at once.
    """
    raw: dict[str, Any] = {}
    problems: list[Problem] = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if equals:
            _put(raw, key.strip().split("."), _value(value))
        else:
            problems.append(Problem(pair, "is no setting", "Write key=value, such as schedule.epochs=10"))
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        problems += [_problem(found["loc"], found["type"], found["msg"]) for found in error.errors()]
    if problems:
        raise TrainError("settings", problems)
    return settings


def _put(raw: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        inner = raw.setdefault(key, {})
        if not isinstance(inner, dict):
            inner = raw[key] = {}
        raw = inner
    raw[keys[-1]] = value


def _value(text: str) -> Any:
    if "," in text and not text.startswith(("[", "{")):
        return [part.strip() for part in text.split(",")]
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    # YAML 1.1 reads 1e-3 as text, and on and off as truth values.
    if isinstance(value, bool) and text in ("on", "off", "no", "yes"):
        return text
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _problem(loc: tuple[int | str, ...], kind: str, message: str) -> Problem:
    where = ".".join(str(part) for part in loc if not str(part).startswith(("tuple", "literal")))
    if kind != "extra_forbidden":
        return Problem(where, message[0].lower() + message[1:])
    near = difflib.get_close_matches(where, [*Settings.model_fields, *keys()], n=1)
    return Problem(where, "unknown setting", f"Did you mean {near[0]}?" if near else "See docs/trainer.md")


def keys(section: type[BaseModel] = Settings, before: str = "") -> list[str]:
    """All settings, with dots."""
    found: list[str] = []
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            found += keys(inner, f"{before}{name}.")
        else:
            found.append(before + name)
    return found
