"""Whether labels are among the classes, and whether a clip's rows agree on one."""

import difflib
from collections.abc import Sequence

from curate.clips.finding import Finding, Kind
from curate.clips.sheet import Row, Sheet

Classes = Sequence[str] | None
"""The recipe's classes; None while they are not known, when any label will do."""


def class_finding(where: str, clip: str, kind: Kind, label: str, classes: Classes) -> Finding | None:
    """What is to be said of a label that is none of the classes; None if it is one."""
    if classes is None or label in classes:
        return None
    folded = {name.casefold(): name for name in classes}
    near = difflib.get_close_matches(label.casefold(), folded, n=1)
    what = f"label {label!r} is none of the classes {', '.join(classes)}"
    return Finding(where, clip, kind, what, fix=f"Did you mean {folded[near[0]]}?" if near else "")


def agreed_label(
    sheet: Sheet,
    rows: Sequence[Row],
    column: str,
    unlabelled: Sequence[str],
    classes: Classes,
    name: str,
    kind: Kind,
) -> tuple[str | None, list[Finding]]:
    """The label that all of a clip's rows agree on.

    Args:
        sheet: The file.
        rows: All rows about the clip.
        column: Where their labels are.
        unlabelled: Values that mean "no label".
        classes: What a label may be.
        name: The clip's name.
        kind: Kind of the findings.

    Returns:
        The label, or None: without labels, or when they contradict each other,
        for then none is better than another. And a finding for each row that is
        set aside, or that says again what another said.
    """
    empty = {word.strip() for word in unlabelled}
    labelled = [row for row in rows if row.values[column] not in empty]
    said = [class_finding(sheet.where(row), name, kind, row.values[column], classes) for row in labelled]
    findings = [finding for finding in said if finding]
    sound = [row for row, finding in zip(labelled, said, strict=True) if not finding]
    labels = {row.values[column] for row in sound}
    if len(labels) > 1:
        return None, findings + _contradictions(sheet, sound, column, name, kind)
    if len(sound) > 1:
        findings.append(_repeated(sheet, sound, name, kind))
    return next(iter(labels), None), findings


def _contradictions(sheet: Sheet, rows: Sequence[Row], column: str, name: str, kind: Kind) -> list[Finding]:
    said = ", ".join(f"{row.values[column]!r} (line {row.line})" for row in rows)
    what = f"labels contradict each other: {said}; none of them is used"
    return [Finding(sheet.where(row), name, kind, what, fix="Keep one of them") for row in rows]


def _repeated(sheet: Sheet, rows: Sequence[Row], name: str, kind: Kind) -> Finding:
    lines = ", ".join(str(row.line) for row in rows[:-1])
    what = f"the clip is labelled more than once with the same label (also line {lines})"
    return Finding(sheet.where(rows[-1]), name, kind, what, "read")
