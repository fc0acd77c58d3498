"""The split of labelled clips into those whose given label can be relied on and the rest."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.labels.evidence import Floats, Ints

HIGH, LOW = "high", "low"


def split_by_threshold(reliability: Floats, threshold: float) -> pl.Series:
    """High where reliability is at least `threshold`.

    Args:
        reliability: P(given label is right), nan without one: (n_clips,).
        threshold: Between 0 and 1.

    Returns:
        "high" or "low", null where reliability is nan: (n_clips,). A higher
        threshold never makes a clip high.
    """
    return named(reliability >= threshold, ~np.isnan(reliability))


def split_by_quota(reliability: Floats, given: Ints, clip_ids: tuple[str, ...], quota: float) -> pl.Series:
    """High for the top share of every given class, so that no class is left out.

    A threshold keeps mostly the classes on which everybody agrees, often the
    most common one; the quota keeps the mix of classes as it was given.

    Args:
        reliability: P(given label is right), nan without one: (n_clips,).
        given: Class of the given label, -1 without one: (n_clips,).
        clip_ids: Break ties: the smaller id is preferred. (n_clips,).
        quota: Share of each class that is to be high, between 0 and 1.

    Returns:
        "high" or "low", null without a given label: (n_clips,). Of a class with
        n clips, ceil(quota * n) are high.
    """
    labelled = pl.DataFrame(
        {"row": np.arange(len(given)), "given": given, "reliability": reliability, "clip_id": list(clip_ids)},
        schema_overrides={"clip_id": pl.String},
    ).filter(pl.col("given") >= 0)
    ranked = labelled.sort("reliability", "clip_id", descending=[True, False]).with_columns(
        pl.int_range(pl.len()).over("given").alias("rank"), pl.len().over("given").alias("size")
    )
    # 1e-9: 0.1 * 30 is 3.0000000000000004, of which the ceiling would be 4.
    top = ranked.filter(pl.col("rank") < (quota * pl.col("size") - 1e-9).ceil())
    high = np.zeros(len(given), dtype=bool)
    high[top["row"].to_numpy()] = True
    return named(high, given >= 0)


def named(high: NDArray[np.bool_], labelled: NDArray[np.bool_]) -> pl.Series:
    """Name the sides: high or low for labelled clips, null for others: (n_clips,)."""
    names = pl.select(
        pl.when(pl.Series(labelled)).then(pl.when(pl.Series(high)).then(pl.lit(HIGH)).otherwise(pl.lit(LOW)))
    )
    return names.to_series().alias("reliability_split").cast(pl.String)
