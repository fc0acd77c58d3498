"""Rows of tables that may be large, some at a time, and compared by their hashes."""

import functools
import operator
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features

from curate.release.features import to_arrow

BATCH_ROWS = 150_000
"""Read, checked and written at a time: of answers some 50 MB."""


def batches(path: Path) -> Iterator[pl.DataFrame]:
    """The rows of a Parquet file in order, `BATCH_ROWS` at a time; one batch even if there are none."""
    rows = pl.scan_parquet(path)
    for begin in range(0, max(1, pq.read_metadata(path).num_rows), BATCH_ROWS):
        yield rows.slice(begin, BATCH_ROWS).collect()


def hash_of(*values: pl.Expr) -> pl.Expr:
    """A number for some values of a row, the same within one process.

    Among five million rows two get the same one by chance once in a million tables.
    """
    hashes = (value.hash(place) for place, value in enumerate(values))
    return functools.reduce(operator.add, hashes)


def hashes(path: Path, *where: pl.Expr, **numbers: pl.Expr) -> pl.DataFrame:
    """Numbers made of the rows of a Parquet file, which are not held in memory.

    Args:
        path: The file.
        where: Which rows; all if left out.
        numbers: By the name of the column that they become, from `hash_of`.
    """
    return pl.scan_parquet(path).filter(*where).select(**numbers).collect(engine="streaming")


def write_rows(path: Path, frame: pl.DataFrame, features: Features) -> None:
    """Write a table as Parquet, `BATCH_ROWS` at a time."""
    write_batches(path, frame.iter_slices(BATCH_ROWS) if frame.height else [frame], features)


def write_batches(path: Path, parts: Iterable[pl.DataFrame], features: Features) -> None:
    """Write a table as Parquet from its parts, of which one is in memory at a time."""
    with open_writer(path, features) as writer:
        for part in parts:
            writer.write_table(to_arrow(part, features))


def open_writer(path: Path, features: Features) -> pq.ParquetWriter:
    """A writer of one Parquet file.

    Content-defined pages let the Hub store what two versions have in common once;
    checksums of pages tell which column was damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return pq.ParquetWriter(
        path,
        features.arrow_schema,
        compression="zstd",
        # Numbers that hardly ever repeat gain nothing by a dictionary.
        use_dictionary=[field.name for field in features.arrow_schema if pa.types.is_string(field.type)],
        use_content_defined_chunking=True,
        write_page_checksum=True,
    )


def beside(rows: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Rows by rising clip id, with the columns of another table in which each clip stands at most once.

    Where that table tells nothing of a clip its columns are null. As a rule both are of
    the same clips, and then nothing has to be looked up.
    """
    ordered = other if other["clip_id"].is_sorted() else other.sort("clip_id")
    if not ordered["clip_id"].equals(rows["clip_id"]):
        return rows.join(ordered, on="clip_id", how="left", maintain_order="left")
    return rows.hstack(ordered.drop("clip_id"))
