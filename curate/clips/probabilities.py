"""A classifier's probabilities from a CSV file: a row a clip, a column a class."""

from collections.abc import Sequence

from curate.clips.classes import Classes
from curate.clips.finding import Finding
from curate.clips.names import ClipNames
from curate.clips.rows import asked_columns, rows_by_clip
from curate.clips.sheet import Row, read_sheet
from curate.recipe import ClassifierFile

ROUNDING = 0.02
"""How far from 1 a row may sum and still be rounded probabilities; it is rescaled to 1."""

Probabilities = tuple[float, ...]
"""Shape (n_classes,), in class order; sums to 1."""


def read_probabilities(
    file: ClassifierFile, names: ClipNames, classes: Classes
) -> tuple[dict[int, Probabilities], list[Finding]]:
    """A classifier's probabilities, by the clip's position.

    A clip with two rows that differ keeps neither.

    Raises:
        InputError: The file, a class's column or every clip's name is not there.
    """
    sheet = read_sheet(file.file, asked_columns([file.clip, *(classes or ())]), "classifier")
    by_clip, findings = rows_by_clip(sheet, file.clip, names, "classifier")
    probabilities: dict[int, Probabilities] = {}
    if classes is None:
        return {}, [*sheet.findings, *findings]
    for position, rows in by_clip.items():
        found = [_probabilities(row, classes) for row in rows]
        what = _what_is_wrong(rows, found, classes)
        if what:
            findings += [Finding(sheet.where(row), names.names[position], "classifier", what) for row in rows]
        elif found[0]:
            probabilities[position] = found[0]
    return probabilities, [*sheet.findings, *findings]


def _probabilities(row: Row, classes: Sequence[str]) -> Probabilities | None:
    """One row's probabilities, or None if it holds none."""
    try:
        values = [float(row.values[name]) for name in classes]
    except ValueError:
        return None
    total = sum(values)
    if not (all(0 <= value <= 1 + ROUNDING for value in values) and abs(total - 1) <= ROUNDING):
        return None
    return tuple(value / total for value in values)


def _what_is_wrong(rows: Sequence[Row], found: Sequence[Probabilities | None], classes: Sequence[str]) -> str:
    """Why a clip's rows cannot be used; empty if they can."""
    for row, probabilities in zip(rows, found, strict=True):
        if probabilities is None:
            shown = ", ".join(f"{name} {row.values[name] or 'empty'}" for name in classes)
            return f"found {shown}, expected probabilities that sum to 1"
    if len(set(found)) > 1:
        return f"{len(rows)} rows contradict each other (lines {', '.join(str(row.line) for row in rows)})"
    return ""
