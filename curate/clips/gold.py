"""Adjudicated labels from a CSV file."""

from dataclasses import dataclass

from curate.clips.classes import Classes, agreed_label
from curate.clips.finding import Finding
from curate.clips.names import ClipNames
from curate.clips.rows import asked_columns, rows_by_clip
from curate.clips.sheet import read_sheet
from curate.recipe import GoldFile


@dataclass(frozen=True, slots=True)
class Gold:
    """An adjudicated label."""

    label: str
    by: str | None


def read_gold(file: GoldFile, names: ClipNames, classes: Classes) -> tuple[dict[int, Gold], list[Finding]]:
    """Gold by the clip's position; an empty label is no gold.

    Raises:
        InputError: The file, a column or every clip's name is not there.
    """
    sheet = read_sheet(file.file, asked_columns([file.clip, file.label, file.by]), "gold")
    by_clip, findings = rows_by_clip(sheet, file.clip, names, "gold")
    gold = {}
    for position, rows in by_clip.items():
        label, odd = agreed_label(sheet, rows, file.label, ("",), classes, names.names[position], "gold")
        findings += odd
        if label is not None:
            by = (row.values[file.by] for row in rows if file.by and row.values[file.label] == label)
            gold[position] = Gold(label, next(filter(None, by), None))
    return gold, [*sheet.findings, *findings]
