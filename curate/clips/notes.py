"""What the label files say about a source's clips."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from curate.clips.classes import Classes
from curate.clips.finding import Finding
from curate.clips.gold import Gold, read_gold
from curate.clips.labels import read_labels
from curate.clips.names import ClipNames, clip_names
from curate.clips.probabilities import Probabilities, read_probabilities
from curate.clips.raw import Given, RawClip
from curate.clips.votes import Vote, read_votes
from curate.errors import InputError, Problem
from curate.recipe import Clips, FolderClips, GoldFile

File = TypeVar("File")
Said = TypeVar("Said")


@dataclass(slots=True)
class Notes:
    """Labels, votes and gold by the clip's position in its source."""

    given: dict[int, Given]
    votes: list[Vote] = field(default_factory=list)
    gold: dict[int, Gold] = field(default_factory=dict)
    truth: dict[int, Gold] = field(default_factory=dict)
    classifiers: dict[str, dict[int, Probabilities]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    broken: list[Problem] = field(default_factory=list)
    """Why a file could not be used at all."""


def read_notes(clips: Clips, raw: tuple[RawClip, ...], classes: Classes, truth: GoldFile | None) -> Notes:
    """Read every label file, each by itself: a broken one does not hide the faults of the next.

    Args:
        clips: The recipe's section.
        raw: The source's clips; without any, only faults of the files themselves can be told.
        classes: What a label may be.
        truth: Labels to measure against.
    """
    notes = Notes(given={position: clip.given for position, clip in enumerate(raw)})
    folder = clips.path.name if isinstance(clips, FolderClips) else ""
    names = clip_names((clip.name for clip in raw), folder)
    if isinstance(clips, FolderClips):
        notes.given |= _read(notes, read_labels, clips.labels, names, classes) or {}
    notes.votes = _read(notes, read_votes, clips.votes, names, classes) or []
    notes.gold = _read(notes, read_gold, clips.gold, names, classes) or {}
    notes.truth = _read(notes, read_gold, truth, names, classes) or {}
    for file in clips.classifiers:
        notes.classifiers[file.name] = _read(notes, read_probabilities, file, names, classes) or {}
    return notes


def _read(
    notes: Notes,
    reader: Callable[[File, ClipNames, Classes], tuple[Said, list[Finding]]],
    file: File | None,
    names: ClipNames,
    classes: Classes,
) -> Said | None:
    """What one file says; None if there is none, or it cannot be used."""
    if file is None:
        return None
    try:
        said, findings = reader(file, names, classes)
    except InputError as error:
        notes.broken += error.problems
        return None
    notes.findings += findings
    return said
