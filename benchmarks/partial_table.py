"""A table from some of its columns: what benchmarks draw, where only sizes matter."""

import polars as pl

from curate import tables


def partial_table(name: tables.TableName, /, **columns: object) -> pl.DataFrame:
    """A table from some of its columns; the others are null."""
    dtypes = tables.dtypes(name)
    made = pl.DataFrame({key: pl.Series(key, value) for key, value in columns.items()})  # type: ignore[arg-type]
    absent = [pl.lit(None, dtype).alias(key) for key, dtype in dtypes.items() if key not in columns]
    return made.with_columns(absent).select([pl.col(key).cast(dtype) for key, dtype in dtypes.items()])
