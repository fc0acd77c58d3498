"""Several people's labels from a CSV file."""

from dataclasses import dataclass

from curate.clips.classes import Classes, class_finding
from curate.clips.finding import Finding
from curate.clips.names import ClipNames
from curate.clips.rows import asked_columns, matched_rows
from curate.clips.sheet import Row, Sheet, read_sheet
from curate.recipe import VoteFile


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's label for one clip."""

    position: int
    """Of the clip in its source."""
    annotator: str
    label: str
    asked_at: str | None


def read_votes(file: VoteFile, names: ClipNames, classes: Classes) -> tuple[list[Vote], list[Finding]]:
    """Votes in file order; a person may vote for a clip more than once.

    An abstention is no vote, and nothing is said of it.

    Raises:
        InputError: The file, a column or every clip's name is not there.
    """
    columns = asked_columns([file.clip, file.annotator, file.label, file.asked_at])
    sheet = read_sheet(file.file, columns, "votes")
    found, findings = matched_rows(sheet, file.clip, names, "votes")
    abstained = {word.strip() for word in file.abstained}
    cast = [(position, row) for position, row in found if row.values[file.label] not in abstained]
    odd = [_finding(sheet, row, file, classes, names.names[position]) for position, row in cast]
    votes = [
        _vote(position, row, file) for (position, row), wrong in zip(cast, odd, strict=True) if not wrong
    ]
    return votes, [*sheet.findings, *findings, *(finding for finding in odd if finding)]


def _vote(position: int, row: Row, file: VoteFile) -> Vote:
    asked_at = row.values[file.asked_at] if file.asked_at else ""
    return Vote(position, row.values[file.annotator], row.values[file.label], asked_at or None)


def _finding(sheet: Sheet, row: Row, file: VoteFile, classes: Classes, name: str) -> Finding | None:
    if not row.values[file.annotator]:
        what = f"column {file.annotator} is empty, expected who voted"
        return Finding(sheet.where(row), name, "votes", what)
    return class_finding(sheet.where(row), name, "votes", row.values[file.label], classes)
