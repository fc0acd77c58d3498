"""Tables that may be larger than memory: folders of Parquet files, a part each, by rising clip id."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from curate import tables
from curate.clips.finding import Finding
from curate.errors import InputError, Problem, TableError
from curate.files import replaced
from curate.sequences.columns import Row, arrow_table, n_bytes
from curate.sequences.shapes import SequenceName, shape_problems

PART_BYTES = 64_000_000
"""Of values in one part, about."""
GROUP_BYTES = 8_000_000
"""Of values in one row group: the least that a reader of a part holds."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing a table."""

    rows: int
    findings: tuple[Finding, ...]
    """What was told beside the rows, in order."""


def write_parts(
    folder: Path, name: SequenceName, results: Iterable[Row | Finding], *, part_bytes: int = PART_BYTES
) -> Written:
    """Write rows to FOLDER/part-00000.parquet and so on, whole or not at all.

    One part is in memory at a time. The same rows give the same bytes. Without
    a row the folder is there and holds nothing.

    Args:
        folder: Takes the place of one that is there, once all is written.
        name: Which table.
        results: Rows by rising clip id, with findings among them.
        part_bytes: Values that a part holds before the next is begun.

    Raises:
        TableError: A row breaks the table's contract, or clips do not rise.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by a run that was killed
    partial.mkdir(parents=True)
    try:
        writer = _Writer(partial, name, part_bytes)
        for result in results:
            writer.add(result)
        writer.end_part()
        _swap(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Written(writer.n_rows, tuple(writer.findings))


def parts_of(folder: Path) -> list[Path]:
    """The parts of a table, in order."""
    return sorted(folder.glob("part-*.parquet"))


def read_parts(folder: Path, name: SequenceName) -> Iterator[pl.DataFrame]:
    """The table part by part, each checked again.

    Raises:
        InputError: The folder is missing.
        TableError: A part breaks the contract.
    """
    if not folder.is_dir():
        problem = Problem(folder.name, "is missing: the run is not finished", "Run it again")
        raise InputError(str(folder.parent), [problem])
    for path in parts_of(folder):
        yield _checked(name, pl.read_parquet(path))


def write_table(table: pa.Table, path: Path) -> None:
    """Write one part."""
    # Numbers that hardly ever repeat gain nothing by a dictionary and minima. Content-defined pages let
    # the Hub store what two versions have in common once.
    texts = [one.name for one in table.schema if pa.types.is_string(one.type)]
    rows = max(1, table.num_rows * GROUP_BYTES // max(1, table.nbytes))
    with replaced(path) as partial:
        pq.write_table(
            table,
            partial,
            row_group_size=rows,
            compression="zstd",
            use_dictionary=texts,
            write_statistics=texts,
            use_content_defined_chunking=True,
        )


@dataclass(slots=True)
class _Writer:
    folder: Path
    name: SequenceName
    part_bytes: int
    findings: list[Finding] = field(default_factory=list)
    n_rows: int = 0
    _n_parts: int = 0
    _rows: list[Row] = field(default_factory=list)
    _held: int = 0
    _last: str = ""

    def add(self, result: Row | Finding) -> None:
        if isinstance(result, Finding):
            self.findings.append(result)
            return
        clip_id = cast(str, result["clip_id"])
        if clip_id <= self._last:
            what = f"{clip_id} comes after {self._last}, expected rising ids, each once"
            raise TableError(f"table {self.name}", [Problem("clip_id", what)])
        self._rows.append(result)
        self._last, self._held, self.n_rows = clip_id, self._held + n_bytes(result), self.n_rows + 1
        if self._held >= self.part_bytes:
            self.end_part()

    def end_part(self) -> None:
        if not self._rows:
            return
        table = arrow_table(self.name, self._rows)
        _checked(self.name, pl.DataFrame(pl.from_arrow(table)))
        write_table(table, self.folder / f"part-{self._n_parts:05d}.parquet")
        self._n_parts, self._rows, self._held = self._n_parts + 1, [], 0


def _checked(name: SequenceName, frame: pl.DataFrame) -> pl.DataFrame:
    if problems := list(shape_problems(name, tables.validate(name, frame))):
        raise TableError(f"table {name}", problems)
    return frame


def _swap(partial: Path, folder: Path) -> None:
    """Put a finished folder in place; the old one goes only once the new one stands."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
