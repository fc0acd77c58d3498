"""Where clips, labels, votes, gold and classifiers' probabilities come from."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from curate.recipe.fields import FolderOrId, Name
from curate.recipe.sequences import FeatureFiles, KeypointFiles
from curate.sections import Section


class LabelFile(Section):
    """A CSV file with one row a clip."""

    file: Path
    """The CSV file."""

    clip: str = "file"
    """Column that names the clip: its path within the folder, its file name or its stem."""

    label: str | None = "label"
    """Column of the given label; null if the file has none."""

    group: str | None = None
    """Column of the subject, or of what else must stay on one side of a split."""

    recording: str | None = None
    """Column of the recording that a clip was cut from."""

    start_s: str | None = None
    """Column that says where in the recording a clip begins, in seconds."""

    end_s: str | None = None
    """Column that says where in the recording a clip ends, in seconds."""

    recorded_at: str | None = None
    """Column that says when a clip was recorded, as ISO 8601; UTC where no zone is named."""

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


class ClassifierFile(Section):
    """A table with a classifier's probabilities: one row a clip, one column a class."""

    file: Path
    """The CSV file."""

    name: Name = "classifier"
    """Name of the classifier, as it appears among the instruments."""

    clip: str = "file"
    """Column that names the clip."""


def _names_differ(classifiers: tuple[ClassifierFile, ...]) -> tuple[ClassifierFile, ...]:
    names = [classifier.name for classifier in classifiers]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{repeated} name more than one classifier. Give each its own name")
    return classifiers


Classifiers = Annotated[tuple[ClassifierFile, ...], AfterValidator(_names_differ)]


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

    classifiers: Classifiers = ()
    """Out-of-sample probabilities of classifiers."""

    keypoints: KeypointFiles | None = None
    """Key points of each clip."""

    features: FeatureFiles | None = None
    """Features of each clip: gaze, head pose, action units."""


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
    """Column of the subject, or of what else must stay on one side of a split."""

    recording: str | None = None
    """Column of the recording that a clip was cut from."""

    start_s: str | None = None
    """Column that says where in the recording a clip begins, in seconds."""

    end_s: str | None = None
    """Column that says where in the recording a clip ends, in seconds."""

    recorded_at: str | None = None
    """Column that says when a clip was recorded, as ISO 8601; UTC where no zone is named."""

    transcript: str | None = None
    """Column of what is said."""

    votes: VoteFile | None = None
    """Several people's labels, by clip name."""

    gold: GoldFile | None = None
    """Adjudicated labels, by clip name."""

    classifiers: Classifiers = ()
    """Out-of-sample probabilities of classifiers, by clip name."""

    keypoints: KeypointFiles | None = None
    """Key points of each clip, by clip name."""

    features: FeatureFiles | None = None
    """Features of each clip, by clip name: gaze, head pose, action units."""


Clips = Annotated[FolderClips | DatasetClips, Field(discriminator="source")]
