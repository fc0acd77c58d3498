"""The tables that stages hand on: read, checked against schemas/, written atomically."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, cast

import numpy as np
import pandera.errors
import pandera.polars as pa
import polars as pl

from curate.errors import Problem, TableError
from curate.files import replaced
from curate.resources import resource

TableName = Literal[
    "answers",
    "calls",
    "cautions",
    "changes",
    "certificates",
    "clips",
    "confusions",
    "context",
    "cross_check",
    "decisions",
    "embeddings",
    "evidence",
    "features",
    "frames",
    "gold",
    "instruments",
    "keypoints",
    "labels",
    "leakage",
    "media",
    "probabilities",
    "problems",
    "quality",
    "reasons",
    "release_clips",
    "splits",
    "ties",
    "votes",
]

_LABEL_COLUMNS = ("label", "label_given", "label_refined", "pseudo_label")
_DISTRIBUTIONS = ("posterior", "soft_label")
_MOST_CASES = 5


def schema(name: TableName) -> pa.DataFrameSchema:
    """The contract of one table, as schemas/ declares it."""
    return cast(pa.DataFrameSchema, _read_schema(name))


@cache
def _read_schema(name: TableName) -> object:
    return pa.DataFrameSchema.from_yaml(resource(f"schemas/{name}.yaml"))


def dtypes(name: TableName) -> dict[str, pl.DataType]:
    """Column name to polars type, in order; pattern columns are left out."""
    columns = schema(name).columns.items()
    return {column: spec.dtype.type for column, spec in columns if not spec.regex}


def empty(name: TableName) -> pl.DataFrame:
    """A table of that name with no rows."""
    return pl.DataFrame(schema=dtypes(name))


def table(name: TableName, rows: Sequence[dict[str, object]]) -> pl.DataFrame:
    """Rows as a table of that name, its columns in order; missing keys become null."""
    return pl.DataFrame(list(rows), schema=dtypes(name), orient="row")


def validate(name: TableName, frame: pl.DataFrame, classes: Sequence[str] | None = None) -> pl.DataFrame:
    """Check a table against its contract, and against the recipe's classes if given.

    Args:
        name: Which contract.
        frame: The table; returned as it is.
        classes: The recipe's class names, in order. Labels must be among them
            (or positions in them, where labels are integers), and distributions
            must have one probability a class, summing to 1 within 1e-6.

    Raises:
        TableError: Every breach at once, with column, what was found and expected.
    """
    problems = _contract_problems(name, frame)
    if classes is not None and not problems:
        problems = _class_problems(frame, classes)
    if problems:
        raise TableError(f"table {name}", problems)
    return frame


def write(name: TableName, frame: pl.DataFrame, path: Path, classes: Sequence[str] | None = None) -> None:
    """Check a table and write it as Parquet, whole or not at all.

    The same rows give the same bytes: no timestamps, one row-group layout.
    """
    validate(name, frame, classes)
    with replaced(path) as partial:
        frame.write_parquet(partial, compression="zstd", statistics=True, row_group_size=100_000)


def read(name: TableName, path: Path, classes: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a table that `write` wrote, and check it again."""
    return validate(name, pl.read_parquet(path), classes)


def _contract_problems(name: TableName, frame: pl.DataFrame) -> list[Problem]:
    try:
        schema(name).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases.group_by("column", "check", maintain_order=True).agg(
            "failure_case", "index"
        )
        return [_breach(*row) for row in cases.iter_rows()]
    return []


def _breach(column: str, check: str, cases: list[str], rows: list[int | None]) -> Problem:
    where = ", ".join(str(row) for row in rows[:_MOST_CASES] if row is not None)
    found = ", ".join(repr(case) for case in dict.fromkeys(cases[:_MOST_CASES]))
    at = f" at row {where}" if where else ""
    return Problem(column, f"found {found}{at} ({len(cases)} in all), expected {check}")


def _class_problems(frame: pl.DataFrame, classes: Sequence[str]) -> list[Problem]:
    labels = [_unknown_labels(frame[column], classes) for column in _LABEL_COLUMNS if column in frame.columns]
    sums = [_bad_sums(frame[column], len(classes)) for column in _DISTRIBUTIONS if column in frame.columns]
    return [problem for problem in (*labels, *sums) if problem]


def _unknown_labels(column: pl.Series, classes: Sequence[str]) -> Problem | None:
    known: Sequence[object] = range(len(classes)) if column.dtype.is_integer() else classes
    unknown = sorted(set(column.drop_nulls().unique()) - set(known))
    if not unknown:
        return None
    return Problem(column.name, f"found {unknown[:_MOST_CASES]}, expected one of {list(known)}")


def _bad_sums(column: pl.Series, n_classes: int) -> Problem | None:
    present = column.drop_nulls()
    if (present.list.len() != n_classes).any():
        return Problem(column.name, f"found rows of other lengths, expected {n_classes} probabilities a row")
    rows = (
        present.cast(pl.Array(pl.Float64, n_classes)).to_numpy() if len(present) else np.ones((0, n_classes))
    )
    bad = np.flatnonzero(~(np.abs(rows.sum(axis=1) - 1) <= 1e-6) | (rows < 0).any(axis=1))
    if not len(bad):
        return None
    return Problem(
        column.name, f"row {bad[0]} is {rows[bad[0]].tolist()} ({len(bad)} such), expected a sum of 1"
    )
