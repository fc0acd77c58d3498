"""Rows whose values are arrays, as an Arrow table: no value becomes a Python number on the way."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from curate import tables
from curate.tables import TableName

Row = dict[str, object]
"""Column to value; a list column may hold an array of as many dimensions as the column is deep."""


def arrow_table(name: TableName, rows: Sequence[Row]) -> pa.Table:
    """Rows as a table of that name, its columns in order.

    Args:
        name: Which contract.
        rows: Values of a list column are either all arrays or all sequences; an
            array's last axes must have the sizes that the contract fixes.

    Raises:
        KeyError: A row lacks a column.
        ValueError: An array is of another shape than the contract's.
    """
    columns = {column: [row[column] for row in rows] for column in tables.dtypes(name)}
    arrays = {
        column: _column(values, dtype)
        for (column, values), dtype in zip(columns.items(), tables.dtypes(name).values(), strict=True)
    }
    return pa.table(arrays)


def n_bytes(row: Row) -> int:
    """Size of a row's arrays in memory."""
    return sum(value.nbytes for value in row.values() if isinstance(value, np.ndarray))


def _column(values: Sequence[object], dtype: pl.DataType) -> pa.Array:
    arrays = [value for value in values if isinstance(value, np.ndarray)]
    if len(arrays) == len(values) and isinstance(dtype, pl.List):
        return _lists(arrays, dtype)
    return pa.array(values, type=_arrow_type(dtype))


def _lists(arrays: Sequence[NDArray[np.generic]], dtype: pl.List) -> pa.Array:
    """A list column of arrays of shape (n, ...)."""
    offsets = np.cumsum([0, *(len(array) for array in arrays)], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), _entries(arrays, dtype.inner))


def _entries(arrays: Sequence[NDArray[np.generic]], dtype: object) -> pa.Array:
    """The entries of all arrays along their first axis, one after the other."""
    if isinstance(dtype, pl.Array):
        return _fixed(arrays, dtype)
    if isinstance(dtype, pl.List):
        return _lists([row for array in arrays for row in array], dtype)
    flat = np.concatenate(arrays) if arrays else np.zeros(0)
    return pa.array(flat).cast(_arrow_type(dtype), safe=False)


def _fixed(arrays: Sequence[NDArray[np.generic]], dtype: pl.Array) -> pa.Array:
    found = {array.shape[1:] for array in arrays} - {dtype.shape}
    if found:
        raise ValueError(f"entries of shape {found.pop()}, expected {dtype.shape}")
    nested = pa.array(np.concatenate([array.ravel() for array in arrays]) if arrays else np.zeros(0, "f2"))
    for size in reversed(dtype.shape):
        nested = pa.FixedSizeListArray.from_arrays(nested, size)
    return nested


def _arrow_type(dtype: object) -> pa.DataType:
    """The plain Arrow type: what `datasets` reads as List, where polars writes its large kinds."""
    if isinstance(dtype, pl.List):
        return pa.list_(_arrow_type(dtype.inner))
    if isinstance(dtype, pl.Array):
        return pa.list_(_arrow_type(dtype.inner), dtype.size)
    if dtype == pl.String:
        return pa.string()
    return pl.Series([], dtype=dtype).to_arrow().type  # type: ignore[arg-type]
