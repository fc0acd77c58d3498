"""CSV files as people write them: read where the meaning is plain, refused where it is not."""

import codecs
import csv
import difflib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from curate.clips.finding import Finding, Kind
from curate.errors import InputError, Problem

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file."""

    line: int
    """Line number in the file, from 1."""
    values: Mapping[str, str]
    """Asked-for column to text, without spaces around it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The asked-for columns of a CSV file; every value is text."""

    file: Path
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    """What was put right in reading, and rows that are set aside."""

    def where(self, row: Row) -> str:
        """The row's place, for a person."""
        return f"{self.file.name}, line {row.line}"


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    cells: tuple[str, ...]


def read_sheet(file: Path, columns: Sequence[str], kind: Kind) -> Sheet:
    """Read some columns of a CSV file.

    Read all the same, with a finding: a byte-order mark, text that is not
    UTF-8, another separator than the comma, spaces around names and values.

    Args:
        file: The file.
        columns: Names of the columns that must be there.
        kind: Kind of the findings.

    Raises:
        InputError: There is no such file, it is no CSV file, or columns are missing.
    """
    text, coding = _decoded(_bytes(file))
    separator = _separator(text, columns)
    header, *records = _records(file, text, separator)
    places = _places(file, header, columns)
    remarks = [coding, _separator_remark(separator), *_header_remarks(header, places)]
    rows, ragged = _rows(file, header, records, places, kind)
    remarks += _space_remarks(records, places)
    said = [Finding(file.name, None, kind, remark, "read") for remark in remarks if remark]
    return Sheet(file, rows, (*said, *ragged))


def columns_of(file: Path, wanted: Sequence[str]) -> list[str]:
    """The names in a CSV file's first line, as far as it can be read.

    Args:
        file: The file.
        wanted: Columns that it may have, by which the separator is told.

    Raises:
        InputError: There is no such file.
    """
    text, _ = _decoded(_bytes(file))
    lines = [line for line in text.splitlines() if line.strip()][:1]
    heads = [[name.strip() for name in _head(lines, mark)] for mark in _SEPARATORS]
    return max(heads, key=lambda names: len(set(names) & set(wanted)), default=[])


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        reason = (
            "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        )
        raise InputError(str(file), [Problem(str(file), reason, "Check the path")]) from error


def _decoded(raw: bytes) -> tuple[str, str]:
    """Text, and what had to be put right to read it."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace"), "it is written in UTF-16, expected UTF-8"
    body = raw.removeprefix(codecs.BOM_UTF8)
    mark = "it begins with a byte-order mark" if len(body) < len(raw) else ""
    try:
        return body.decode("utf-8"), mark
    except UnicodeDecodeError:
        coding = "it is not UTF-8; it is read as Windows-1252"
        return _western(body), f"{mark}, and {coding}" if mark else coding


def _western(body: bytes) -> str:
    # Windows-1252 leaves five bytes undefined; latin-1 gives every byte a meaning.
    try:
        return body.decode("cp1252")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _separator(text: str, columns: Sequence[str]) -> str:
    """The comma, unless exactly one other separator gives all the columns."""
    lines = [line for line in text.splitlines() if line.strip()][:1]
    heads = {mark: _head(lines, mark) for mark in _SEPARATORS}
    fitting = [mark for mark, head in heads.items() if set(columns) <= {name.strip() for name in head}]
    if not fitting:
        return max(heads, key=lambda mark: len(heads[mark]))
    return fitting[0] if "," in fitting or len(fitting) == 1 else ","


def _head(lines: Sequence[str], mark: str) -> list[str]:
    # A long line may be no header by one separator and a sound one by another; if by none, reading says so.
    try:
        return next(csv.reader(lines, delimiter=mark), [])
    except csv.Error:
        return []


def _separator_remark(separator: str) -> str:
    return "" if separator == "," else f"columns are separated by {_SEPARATORS[separator]}, expected commas"


def _records(file: Path, text: str, separator: str) -> list[_Record]:
    """The lines that say anything, header first; a quoted value may run over several lines."""
    # strict: a quote that is never closed would swallow the rest of the file without a word.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records, line = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append(_Record(line, tuple(cells)))
            line = reader.line_num + 1
    except csv.Error as error:
        problem = Problem(f"{file.name}, line {line}", f"cannot be read as CSV: {error}", "Mend this line")
        raise InputError(str(file), [problem]) from error
    if not records:
        problem = Problem(file.name, "it is empty, expected a line of column names and a line a clip")
        raise InputError(str(file), [problem])
    return records


def _places(file: Path, header: _Record, columns: Sequence[str]) -> dict[str, int]:
    """Position of each asked-for column."""
    names = [cell.strip() for cell in header.cells]
    problems = [_column_problem(file, names, column) for column in columns if names.count(column) != 1]
    if problems:
        raise InputError(str(file), problems)
    return {column: names.index(column) for column in columns}


def _column_problem(file: Path, names: Sequence[str], column: str) -> Problem:
    if column in names:
        return Problem(file.name, f"{names.count(column)} columns are called {column!r}, expected one")
    near = difflib.get_close_matches(column, names, n=1)
    fix = f"Did you mean {near[0]!r}?" if near else "Name another column in the recipe"
    return Problem(file.name, f"no column {column!r}; found {', '.join(map(repr, names))}", fix)


def _header_remarks(header: _Record, places: Mapping[str, int]) -> list[str]:
    written = [header.cells[place] for column, place in places.items() if header.cells[place] != column]
    return [f"column name {cell!r} has spaces around it" for cell in written]


def _rows(
    file: Path, header: _Record, records: Sequence[_Record], places: Mapping[str, int], kind: Kind
) -> tuple[tuple[Row, ...], list[Finding]]:
    """Rows, and a finding for each line whose cells cannot be told apart."""
    rows, ragged = [], []
    last = max(places.values(), default=-1)
    for record in records:
        cells = record.cells
        if len(cells) <= last or any(cell.strip() for cell in cells[len(header.cells) :]):
            what = f"{len(cells)} values found, expected {len(header.cells)}"
            where = f"{file.name}, line {record.line}"
            ragged.append(Finding(where, None, kind, what, fix="Quote values that hold a separator"))
        else:
            rows.append(Row(record.line, {column: cells[place].strip() for column, place in places.items()}))
    return tuple(rows), ragged


def _space_remarks(records: Sequence[_Record], places: Mapping[str, int]) -> list[str]:
    """One remark a column, however many values have spaces around them."""
    remarks = []
    for column, place in places.items():
        lines = [
            record.line
            for record in records
            if len(record.cells) > place and record.cells[place] != record.cells[place].strip()
        ]
        if lines:
            remarks.append(
                f"column {column!r}: {len(lines)} values have spaces around them, from line {lines[0]}"
            )
    return remarks
