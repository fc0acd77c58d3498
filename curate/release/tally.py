"""Counts and means that several measures share."""

import math
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import polars as pl

from curate.release.content import Metrics
from curate.release.truth import n_true

_DIGITS = 12
"""Kept of a mean: the last ones depend on the order in which threads add up."""


Answers = TypeVar("Answers", pl.DataFrame, pl.LazyFrame)


def base_answers(answers: Answers) -> Answers:
    """The answers that count: each item as written, about the clip itself."""
    return answers.filter(is_base())


def is_base() -> pl.Expr:
    """Whether a row of table answers counts: the item as written, about the clip itself."""
    return (pl.col("variant") == "base") & (pl.col("control") == "none")


def tally(column: pl.Series) -> dict[str, int]:
    """How often each value occurs, by value."""
    return {str(value): n_true(column == value) for value in sorted(column.unique())}


def mean(column: pl.Series) -> float | None:
    """Mean of what is not null; None of nothing."""
    return float(np.mean(column.drop_nulls().to_numpy())) if column.count() else None


def ratio(part: float, whole: float) -> Metrics:
    """A share with what it is a share of; None of nothing."""
    return {"value": part / whole if whole else None, "n": whole}


def plain(row: Mapping[str, object]) -> Metrics:
    """A row as JSON can hold it: no number is None, and so is an infinite one."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: object) -> object:
    if not isinstance(value, float):
        return value
    return round(value, _DIGITS) if math.isfinite(value) else None
