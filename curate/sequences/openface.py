"""The table that OpenFace writes of a clip: CSV, a row a frame."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.errors import MediaError

_FRAME, _TIMESTAMP, _FACE = "frame", "timestamp", "face_id"
_SURE = ("confidence", "success")
"""Kept whatever columns are asked for: they tell which frames failed."""
_LARGEST = float(np.finfo(np.float32).max)
_NOT_A_NUMBER = {"", "nan", "-nan", "-nan(ind)", "nan(ind)", "1.#qnan", "-1.#ind", "1.#ind"}
"""What C++ programs write where there is no value; by Windows' library, too."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenFaceTable:
    """The kept columns of one clip."""

    names: tuple[str, ...]
    values: NDArray[np.float32]
    """Shape (n_frames, n_columns); NaN where there is no value."""
    frames: NDArray[np.float64] | None
    """Shape (n_frames,): numbers of the frames, by the file; None if it has none."""
    times_s: NDArray[np.float64] | None
    """Shape (n_frames,): by the file; None if it has none."""
    n_faces: int
    """In the file; of several, only the one that was found best is here."""


def openface_table(content: bytes, columns: Sequence[str] = ()) -> OpenFaceTable:
    """Read a table of OpenFace, or one with fewer of its columns.

    Spaces around names and values do not count; upper and lower case do. Of
    several faces (column face_id), the one with the largest sum of confidence
    is kept.

    Args:
        content: The file's bytes.
        columns: Names or beginnings of names of columns to keep, besides
            confidence and success; all if empty.

    Raises:
        MediaError: It is no such table; its words begin with a verb.
    """
    # utf-8-sig: a byte-order mark is no part of the first name.
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig", errors="replace")), strict=True)
    try:
        names = _names(next(lines, []))
        kept = _kept(names, columns)
        keys = [name for name in (_FRAME, _TIMESTAMP, _FACE) if name in names]
        wanted = [names.index(name) for name in (*keys, *kept)]
        rows = list(_rows(lines, names, wanted))
    except csv.Error as error:
        raise MediaError(f"is no CSV file ({error})") from error
    if not rows:
        raise MediaError("has no frame")
    return _table(keys, kept, np.stack(rows))


def _table(keys: Sequence[str], kept: Sequence[str], table: NDArray[np.float64]) -> OpenFaceTable:
    """Of numbers of shape (n_rows, n_keys + n_kept)."""
    faces = table[:, keys.index(_FACE)] if _FACE in keys else np.zeros(len(table))
    values = table[:, len(keys) :]
    best = faces == _best_face(faces, values, kept)
    told = {key: table[best, place] for place, key in enumerate(keys)}
    return OpenFaceTable(
        names=tuple(kept),
        values=values[best].astype(np.float32),
        frames=told.get(_FRAME),
        times_s=told.get(_TIMESTAMP),
        n_faces=len(np.unique(faces)),
    )


def _names(header: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in header]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise MediaError(f"has more than one column {repeated[0]!r}")
    return names


def _kept(names: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Columns to keep, in the file's order: a name that is a column means that one only."""
    values = [name for name in names if name not in (_FRAME, _TIMESTAMP, _FACE) and name]
    asked = [name for name in values if not columns or any(_means(one, name, values) for one in columns)]
    if not asked:
        said = (
            f"no column that is called or begins with {', '.join(columns)}"
            if columns
            else "no column of values"
        )
        raise MediaError(f"has {said}")
    return [name for name in values if name in asked or name in _SURE]


def _means(asked: str, name: str, names: Sequence[str]) -> bool:
    return name == asked or (asked not in names and name.startswith(asked))


def _rows(
    lines: Iterator[list[str]], names: Sequence[str], wanted: Sequence[int]
) -> Iterator[NDArray[np.float64]]:
    """Numbers of the wanted columns, a line at a time: text takes many times the memory."""
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            raise MediaError(f"has {len(cells)} values in line {number}, expected {len(names)}")
        try:
            row = np.array([cells[place] for place in wanted], dtype=np.float64)
        except ValueError:
            row = np.array([_number(cells[place], names[place], number) for place in wanted])
        if (np.abs(row) > _LARGEST).any():
            raise MediaError(f"has a number in line {number} that is infinite, or too large")
        yield row


def _number(cell: str, name: str, line: int) -> float:
    text = cell.strip().lower()
    if text in _NOT_A_NUMBER:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise MediaError(f"has {cell.strip()!r} in line {line}, column {name}, expected a number") from None


def _best_face(faces: NDArray[np.float64], values: NDArray[np.float64], names: Sequence[str]) -> float:
    """The id of the face that was found most surely, the lowest of equals."""
    sure = values[:, names.index(_SURE[0])] if _SURE[0] in names else np.ones(len(values))
    ids, place = np.unique(faces, return_inverse=True)
    return float(ids[np.bincount(place, weights=np.nan_to_num(sure)).argmax()])
