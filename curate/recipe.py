"""The recipe: everything that a person decides about a run, in one YAML file.

Paths in a recipe are relative to the recipe's own folder.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, field_validator, model_validator
from pydantic.fields import FieldInfo

from curate.errors import Problem, RecipeError
from curate.sections import Section, load_yaml

Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=96)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
FOLDER_OR_ID = "a folder if there is one of that name, else an id on the Hub"
FolderOrId = Annotated[str, FOLDER_OR_ID]
AnySection = TypeVar("AnySection", bound=Section)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Task(Section):
    """What the labels mean."""

    classes: tuple[Text, ...] = Field(min_length=2)
    """Class names, lowest first if they are ordered."""

    ordinal: bool = False
    """Whether the classes are ordered."""

    question: str = ""
    """What is judged, in one sentence for the reader of the card."""

    @field_validator("classes")
    @classmethod
    def _classes_differ(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(classes)) < len(classes):
            raise ValueError(f"{list(classes)} repeats a name. Name each class once")
        return classes


class LabelFile(Section):
    """A CSV file with one row a clip."""

    file: Path
    """The CSV file."""

    clip: str = "file"
    """Column that names the clip: its path within the folder, its file name or its stem."""

    label: str | None = "label"
    """Column of the given label; null if the file has none."""

    group: str | None = None
    """Column of the subject or source video."""

    split: str | None = None
    """Column of the split: train, validation (or val, dev), test."""

    transcript: str | None = None
    """Column of what is said."""

    unlabelled: tuple[str, ...] = ("",)
    """Values of the label column that mean "no label"."""


class VoteFile(Section):
    """A CSV file with one row a person and clip."""

    file: Path
    """The CSV file."""

    clip: str = "file"
    """Column that names the clip."""

    annotator: str = "annotator"
    """Column that names the person."""

    label: str = "label"
    """Column of the vote."""

    asked_at: str | None = None
    """Column that says when."""

    abstained: tuple[str, ...] = ("",)
    """Values of the label column that mean "no answer"."""


class GoldFile(Section):
    """A CSV file with adjudicated labels."""

    file: Path
    """The CSV file."""

    clip: str = "file"
    """Column that names the clip."""

    label: str = "label"
    """Column of the label."""

    by: str | None = None
    """Column that says who adjudicated."""


class FolderClips(Section):
    """A folder of videos and images, with CSV files beside it."""

    source: Literal["folder"]
    """folder: media files in a folder."""

    path: Path
    """The folder; searched with its subfolders."""

    labels: LabelFile | None = None
    """Given labels, groups, splits and transcripts."""

    votes: VoteFile | None = None
    """Several people's labels."""

    gold: GoldFile | None = None
    """Adjudicated labels."""


class DatasetClips(Section):
    """A Hugging Face dataset with a Video or Image column."""

    source: Literal["dataset"]
    """dataset: a Hugging Face dataset, by folder or Hub id."""

    path: FolderOrId
    """Folder, or id on the Hub."""

    config: str | None = None
    """Config of the dataset."""

    revision: str | None = None
    """Revision on the Hub; name one, so that a run can be repeated."""

    splits: tuple[str, ...] | None = None
    """Which of its splits to read; all if left out."""

    media: str = "video"
    """Column with the media: of type Video or Image."""

    name: str | None = None
    """Column that names a clip; its split and row if left out."""

    label: str | None = None
    """Column of the given label: text, or ClassLabel."""

    group: str | None = None
    """Column of the subject or source video."""

    transcript: str | None = None
    """Column of what is said."""

    votes: VoteFile | None = None
    """Several people's labels, by clip name."""

    gold: GoldFile | None = None
    """Adjudicated labels, by clip name."""


Clips = Annotated[FolderClips | DatasetClips, Field(discriminator="source")]


class Splits(Section):
    """Whether and how curate makes train, validation and test."""

    make: bool = False
    """false: keep the splits that came with the data (train where there is none).
    true: make new ones, by group."""

    validation: Share = 0.1
    """Share of clips for validation, as near as groups allow."""

    test: Share = 0.1
    """Share of clips for test, as near as groups allow."""

    seed: int = 0
    """Which of the possible splits."""

    @model_validator(mode="after")
    def _leaves_room_for_train(self) -> Self:
        if (held_out := self.validation + self.test) >= 1:
            raise ValueError(
                f"validation + test is {held_out:g}, which leaves nothing to train on. Lower one of them"
            )
        return self


class Frames(Section):
    """Which moments of a clip the model sees."""

    strategy: Literal["uniform"] = "uniform"
    """uniform: evenly spaced moments, each in the middle of its share of the clip."""

    count: int = Field(default=4, ge=1, le=64)
    """How many pictures a clip; a still image gives one."""

    size_px: int = Field(default=448, ge=16, le=4096)
    """Longest side of a picture as sent; never enlarged."""


class OpenAIBackend(Section):
    """Any server that speaks the OpenAI protocol."""

    backend: Literal["openai"]
    """openai: over HTTP."""

    model: Text
    """Name of the model at the server."""

    revision: str = "unknown"
    """Revision of the model, as far as the server's owner tells; part of every call's key."""

    base_url: str = "http://127.0.0.1:8000/v1"
    """Address of the server."""

    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; a local server needs none."""

    concurrency: int = Field(default=8, ge=1, le=1024)
    """Requests under way at once."""

    timeout_s: float = Field(default=120, gt=0)
    """Longest wait for one reply, in seconds."""

    retries: int = Field(default=5, ge=0, le=20)
    """How often a failed request is sent again."""

    temperature: float = Field(default=0, ge=0, le=2)
    """Sampling temperature."""

    seed: int = 0
    """Sampling seed, sent with every request."""


class TransformersBackend(Section):
    """A transformers image-text-to-text model in this process (extra: local)."""

    backend: Literal["transformers"]
    """transformers: in this process."""

    model: FolderOrId
    """Folder or Hub id; `demo` is the small model that ships with curate."""

    revision: str | None = None
    """Revision on the Hub."""

    device: str = "cpu"
    """torch device, such as cpu or cuda:0."""

    batch_size: int = Field(default=16, ge=1, le=1024)
    """Prompts that are answered together."""

    threads: int | None = Field(default=None, ge=1)
    """CPU threads; torch's own choice if left out."""


class ReplayBackend(Section):
    """Answers recorded by an earlier run; asks nobody."""

    backend: Literal["replay"]
    """replay: from a ledger."""

    ledger: Path
    """ledger.sqlite of the run that recorded them."""


Vlm = Annotated[OpenAIBackend | TransformersBackend | ReplayBackend, Field(discriminator="backend")]


class Answers(Section):
    """What is asked about each clip."""

    questionnaire: Path = Path("questionnaire.yaml")
    """The questionnaire's file."""


class ThresholdSplit(Section):
    """High reliability from a level on."""

    rule: Literal["threshold"]
    """threshold: high if the reliability is at least `threshold`."""

    threshold: Share = 0.8
    """Lowest reliability of the high split."""


class QuotaSplit(Section):
    """High reliability for the best share of each class."""

    rule: Literal["quota"]
    """quota: the most reliable share of each given class."""

    quota: Share = 0.5
    """Share of each class that is high."""


Split = Annotated[ThresholdSplit | QuotaSplit, Field(discriminator="rule")]


class Pseudo(Section):
    """Labels for clips that came without one."""

    threshold: Share = 0.9
    """Lowest confidence at which a pseudo-label is accepted."""


class Labels(Section):
    """How evidence becomes labels."""

    split: Split = ThresholdSplit(rule="threshold")
    """Rule of the high and low reliability splits."""

    pseudo: Pseudo = Pseudo()
    """Rule of the pseudo-labels."""


class Release(Section):
    """What is published, and under which terms."""

    version: str = Field(default="1.0.0", pattern=r"^\d+\.\d+\.\d+$")
    """Semantic version of the release."""

    title: str = ""
    """Title on the card; the recipe's name if left out."""

    licence: str | None = None
    """Licence of the published data as the Hub names it, such as cc-by-4.0. Publishing needs one."""

    language: tuple[str, ...] = ()
    """Languages of the transcripts, as ISO 639-1 codes."""

    personal_data: str = ""
    """What a reader must know of the people shown: consent, permitted use."""


class Evaluation(Section):
    """What the result is measured against."""

    truth: GoldFile | None = None
    """Labels known to be right. Only measured against: the label model never sees them."""


class Report(Section):
    """What the report adds for its readers."""

    notice: str = ""
    """Said in the report's and the card's first lines, such as a known limit of the model."""


class Recipe(Section):
    """Everything that a person decides about a run."""

    name: Name
    """Short name of the dataset."""

    task: Task
    """What the labels mean."""

    clips: Clips
    """Where clips, labels, votes and gold come from."""

    splits: Splits = Splits()
    """Train, validation and test."""

    frames: Frames = Frames()
    """Which moments of a clip the model sees."""

    vlm: Vlm
    """Which model answers, and where it runs."""

    answers: Answers = Answers()
    """What is asked about each clip."""

    labels: Labels = Labels()
    """How evidence becomes labels."""

    release: Release = Release()
    """What is published."""

    evaluation: Evaluation = Evaluation()
    """What the result is measured against."""

    report: Report = Report()
    """What the report adds for its readers."""


def load_recipe(path: Path | str) -> Recipe:
    """Read a recipe and make its paths absolute.

    `${NAME}` in a path is filled from the environment, so that a recipe can be
    shared between machines that keep their media in different places.

    Raises:
        RecipeError: All problems at once, each with its key.
    """
    path = Path(path)
    recipe = load_yaml(path, Recipe, RecipeError)
    missing = sorted(
        {name for text in _path_texts(recipe) for name in _VARIABLE.findall(text)} - set(os.environ)
    )
    if missing:
        problems = [
            Problem(f"${{{name}}}", "is not set in the environment", f"export {name}=…") for name in missing
        ]
        raise RecipeError(str(path), problems)
    return _rooted(recipe, path.resolve().parent)


def _path_texts(section: Section) -> list[str]:
    """Every path of a recipe as it was written."""
    values = [(getattr(section, name), field) for name, field in type(section).model_fields.items()]
    inner = [text for value, _ in values if isinstance(value, Section) for text in _path_texts(value)]
    return inner + [str(value) for value, field in values if _is_path(value, field)]


def _rooted(section: AnySection, root: Path) -> AnySection:
    fields = type(section).model_fields.items()
    return section.model_copy(
        update={name: _rooted_value(getattr(section, name), field, root) for name, field in fields}
    )


def _rooted_value(value: object, field: FieldInfo, root: Path) -> object:
    if isinstance(value, Section):
        return _rooted(value, root)
    if not _is_path(value, field):
        return value
    place = Path(os.path.normpath(root / os.path.expandvars(str(value))))
    if isinstance(value, Path) or place.exists():
        return type(value)(place) if isinstance(value, str) else place
    return value


def _is_path(value: object, field: FieldInfo) -> bool:
    return isinstance(value, Path) or (isinstance(value, str) and FOLDER_OR_ID in field.metadata)
