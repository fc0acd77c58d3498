"""What the contracts of the sequence tables cannot say: which lists of a row belong together."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.errors import Problem

SequenceName = Literal["keypoints", "features", "embeddings"]
"""Tables of which a row holds all frames of one clip."""

SEQUENCES: tuple[SequenceName, ...] = get_args(SequenceName)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which of a table's list columns are held to what."""

    a_frame: tuple[str, ...]
    """An entry a frame, as `t_s` has."""
    rising: tuple[str, ...]
    finite: tuple[str, ...]
    wide: str | None = None
    """Its inner lists are equally long in a row,"""
    names: str | None = None
    """and as long as this column's list."""


_SHAPES: dict[SequenceName, _Shape] = {
    "keypoints": _Shape(a_frame=("points",), rising=("t_s",), finite=("t_s", "points")),
    # A value that OpenFace could not tell is NaN.
    "features": _Shape(a_frame=("values",), rising=("t_s",), finite=("t_s",), wide="values", names="names"),
    "embeddings": _Shape(
        a_frame=("index", "vectors"), rising=("t_s", "index"), finite=("t_s", "vectors"), wide="vectors"
    ),
}


def shape_problems(name: SequenceName, frame: pl.DataFrame) -> Iterator[Problem]:
    """Rows whose lists do not fit each other, one problem a column.

    Args:
        name: Which table.
        frame: Its rows, which keep the table's contract.
    """
    shape, n_frames = _SHAPES[name], frame["t_s"].list.len()
    yield from _told(frame, n_frames == 0, "t_s", "no frame, expected at least one")
    for column in shape.a_frame:
        yield from _told(frame, frame[column].list.len() != n_frames, column, "not as many entries as t_s")
    for column in shape.rising:
        least_step = frame[column].list.diff().list.min()  # null where there is one frame only
        yield from _told(frame, (least_step <= 0).fill_null(value=False), column, "entries that do not rise")
    for column in shape.finite:
        if not np.isfinite(_numbers(frame[column])).all():
            yield Problem(column, "found numbers that are not finite")
    if shape.wide:
        yield from _told(frame, _ragged(frame, shape), shape.wide, "lists of other lengths than one a row")


def _told(frame: pl.DataFrame, wrong: pl.Series, column: str, what: str) -> Iterator[Problem]:
    for clip_id in frame.filter(wrong)["clip_id"].head(1):
        yield Problem(column, f"clip {clip_id} has {what} ({wrong.sum()} such)")


def _numbers(column: pl.Series) -> NDArray[np.floating]:
    """All numbers of a nested column, one after the other; they are not copied."""
    flat: Any = column.to_arrow()
    while hasattr(flat, "flatten"):
        flat = flat.flatten()
    return np.asarray(flat.to_numpy(zero_copy_only=False))


def _ragged(frame: pl.DataFrame, shape: _Shape) -> pl.Series:
    """Rows whose inner lists differ in length, or are not as long as the names."""
    widths = frame[str(shape.wide)].list.eval(pl.element().list.len())
    expected = frame[shape.names].list.len() if shape.names else widths.list.first()
    return ((widths.list.min() != expected) | (widths.list.max() != expected)).fill_null(value=False)
