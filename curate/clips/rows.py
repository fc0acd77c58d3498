"""The rows of a label file, each matched to the clip that it is about."""

from collections.abc import Iterable

from curate.clips.finding import Finding, Kind
from curate.clips.names import ClipNames
from curate.clips.sheet import Row, Sheet
from curate.errors import InputError, Problem


def asked_columns(columns: Iterable[str | None]) -> list[str]:
    """Each column that the recipe names, once."""
    return list(dict.fromkeys(column for column in columns if column))


def rows_by_clip(
    sheet: Sheet, column: str, names: ClipNames, kind: Kind
) -> tuple[dict[int, list[Row]], list[Finding]]:
    """`matched_rows`, a list a clip, clips in the order of their first rows."""
    found, findings = matched_rows(sheet, column, names, kind)
    rows: dict[int, list[Row]] = {}
    for position, row in found:
        rows.setdefault(position, []).append(row)
    return rows, findings


def matched_rows(
    sheet: Sheet, column: str, names: ClipNames, kind: Kind
) -> tuple[list[tuple[int, Row]], list[Finding]]:
    """The rows of a file with the position of the clip that each is about.

    Returns:
        (position, row) in file order, and a finding for every row that names no
        clip, or more than one.

    Raises:
        InputError: Not one row names a clip, though there are clips: the file
            names them in another way altogether.
    """
    asked = [(names.find(row.values[column]), row) for row in sheet.rows]
    found = [(positions[0], row) for positions, row in asked if len(positions) == 1]
    if sheet.rows and names.names and not any(positions for positions, _ in asked):
        raise InputError(str(sheet.file), [_no_clip_named(sheet, column, names)])
    lost = [
        _lost(sheet, row, column, positions, names, kind) for positions, row in asked if len(positions) != 1
    ]
    return found, lost


def _no_clip_named(sheet: Sheet, column: str, names: ClipNames) -> Problem:
    what = (
        f"none of its {len(sheet.rows)} rows names a clip: column {column!r} holds "
        f"{sheet.rows[0].values[column]!r}, the clips are called {names.names[0]!r} and so on"
    )
    return Problem(sheet.file.name, what, "Name the column that holds the clips' names in the recipe")


def _lost(
    sheet: Sheet, row: Row, column: str, positions: tuple[int, ...], names: ClipNames, kind: Kind
) -> Finding:
    text = row.values[column]
    if not positions:
        what = f"no clip is called {text!r}" if text else f"column {column} is empty, expected a clip's name"
        return Finding(sheet.where(row), text or None, kind, what, fix=names.near(text))
    meant = ", ".join(names.names[position] for position in positions[:3])
    what = f"{text!r} can mean {len(positions)} clips: {meant}"
    return Finding(sheet.where(row), text, kind, what, fix="Name the clip by its path within the folder")
