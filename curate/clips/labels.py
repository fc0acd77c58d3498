"""Given labels, groups, splits and transcripts from a CSV file."""

from collections.abc import Sequence
from dataclasses import replace

from curate.clips.classes import Classes, agreed_label
from curate.clips.finding import Finding
from curate.clips.names import ClipNames
from curate.clips.place import PLACE_KEYS, Place, read_place
from curate.clips.raw import Given
from curate.clips.rows import asked_columns, rows_by_clip
from curate.clips.sheet import Row, Sheet, read_sheet
from curate.clips.split_names import split_name
from curate.recipe import LabelFile


def read_labels(
    file: LabelFile, names: ClipNames, classes: Classes
) -> tuple[dict[int, Given], list[Finding]]:
    """What a label file gives, by the clip's position.

    A clip whose rows contradict each other keeps none of their labels; of its
    other values the first of each counts.

    Raises:
        InputError: The file, a column or every clip's name is not there.
    """
    place = [getattr(file, key) for key in PLACE_KEYS]
    columns = asked_columns([file.clip, file.label, file.group, file.split, file.transcript, *place])
    sheet = read_sheet(file.file, columns, "label")
    by_clip, findings = rows_by_clip(sheet, file.clip, names, "label")
    given: dict[int, Given] = {}
    for position, rows in by_clip.items():
        given[position], odd = _given(sheet, rows, file, names.names[position], classes)
        findings += odd
    return given, [*sheet.findings, *findings]


def unknown_split(where: str, clip: str | None, written: str) -> Finding:
    """A split of another name than train, validation and test."""
    what = f"split {written!r} is none of train, validation and test; it counts as train"
    return Finding(where, clip, "label", what, "read")


def _given(
    sheet: Sheet, rows: Sequence[Row], file: LabelFile, name: str, classes: Classes
) -> tuple[Given, list[Finding]]:
    label, findings = None, list[Finding]()
    if file.label:
        label, findings = agreed_label(sheet, rows, file.label, file.unlabelled, classes, name, "label")
    group, group_odd = _first(sheet, rows, file.group, name)
    split, split_odd = _split(sheet, rows, file.split, name)
    transcript, transcript_odd = _first(sheet, rows, file.transcript, name)
    place, place_odd = _place(sheet, rows, file, name)
    said = Given(label, group, split, transcript, **place)
    return said, [*findings, *group_odd, *split_odd, *transcript_odd, *place_odd]


def _first(
    sheet: Sheet, rows: Sequence[Row], column: str | None, name: str
) -> tuple[str | None, list[Finding]]:
    """The first value of a column that is not empty, and the rows that differ from it."""
    filled = [row for row in rows if column and row.values[column]]
    if not column or not filled:
        return None, []
    kept = filled[0].values[column]
    said = f"{kept!r} in line {filled[0].line}, which is kept"
    return kept, [
        Finding(sheet.where(row), name, "label", f"{column} is {row.values[column]!r}, but {said}", "read")
        for row in filled
        if row.values[column] != kept
    ]


def _place(sheet: Sheet, rows: Sequence[Row], file: LabelFile, name: str) -> tuple[Place, list[Finding]]:
    first = {key: _first(sheet, rows, getattr(file, key), name) for key in PLACE_KEYS}
    place, odd = read_place({key: text for key, (text, _) in first.items()}, sheet.where(rows[0]), name)
    return place, [*(finding for _, findings in first.values() for finding in findings), *odd]


def _split(
    sheet: Sheet, rows: Sequence[Row], column: str | None, name: str
) -> tuple[str | None, list[Finding]]:
    if column is None:
        return None, []
    written = [(row, row.values[column]) for row in rows if row.values[column]]
    odd = [unknown_split(sheet.where(row), name, text) for row, text in written if not split_name(text)]
    known = [replace(row, values={column: split_name(text) or ""}) for row, text in written]
    split, findings = _first(sheet, known, column, name)
    return split, [*odd, *findings]
