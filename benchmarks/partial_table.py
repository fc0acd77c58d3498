"""A table from some of its columns: what benchmarks draw, where only sizes matter."""

import numpy as np
import polars as pl

from curate import tables


def partial_table(name: tables.TableName, /, **columns: object) -> pl.DataFrame:
    """A table from some of its columns; the others are null."""
    dtypes = tables.dtypes(name)
    made = pl.DataFrame({key: pl.Series(key, value) for key, value in columns.items()})  # type: ignore[arg-type]
    absent = [pl.lit(None, dtype).alias(key) for key, dtype in dtypes.items() if key not in columns]
    return made.with_columns(absent).select([pl.col(key).cast(dtype) for key, dtype in dtypes.items()])


def drawn_clips(
    ids: pl.Series,
    label_given: np.ndarray,
    split: np.ndarray,
    rng: np.random.Generator,
    *,
    least_frames: int = 25,
) -> pl.DataFrame:
    """Table clips: videos of 5,000 subjects."""
    n = len(ids)
    return partial_table(
        "clips",
        clip_id=ids,
        name=[f"{number}.mp4" for number in range(n)],
        uri=[f"{number}.mp4" for number in range(n)],
        sha256=[f"{number:016x}" + "0" * 48 for number in range(n)],
        media=["video"] * n,
        label_given=label_given,
        split=split,
        group=[f"subject {number % 5000}" for number in range(n)],
        duration_s=rng.uniform(1, 10, n),
        fps=[25.0] * n,
        n_frames=rng.integers(least_frames, 250, n),
        width=[640] * n,
        height=[480] * n,
    )
