"""Leakage: clips on two sides of a split that tell of each other."""

from collections.abc import Iterator

import polars as pl

from curate import tables
from curate.recipe import Splits

_WHAT = {
    "near_duplicate": "nearly the same pictures",
    "embedding": "nearly the same to a vision model",
    "window": "neighbouring windows of one recording",
}
_LATER = "recorded after a clip that is to be foretold"
_COLUMNS = ("kind", "clip_id", "split", "other", "other_split", "strength", "what")


def leakage(clips: pl.DataFrame, ties: pl.DataFrame, sides: pl.DataFrame, splits: Splits) -> pl.DataFrame:
    """Table `leakage`: every tie across sides, and each clip that is not on the side of its group's first.

    Args:
        clips: Table clips.
        ties: Table ties.
        sides: Table splits.
        splits: In order of time, a clip of train that was recorded after the
            first of validation or test leaks as well.
    """
    split = sides.select("clip_id", "split")
    parts = [*_tied(ties, split), *_shared(clips, split)]
    if splits.order == "time":
        parts += _later(clips, split)
    found = pl.concat([tables.empty("leakage"), *parts])
    return tables.validate("leakage", found.sort("kind", "clip_id", "other"))


def _tied(ties: pl.DataFrame, split: pl.DataFrame) -> Iterator[pl.DataFrame]:
    what = pl.col("kind").replace_strict(_WHAT, return_dtype=pl.String)
    yield _across(ties.with_columns(what=what), split)


def _shared(clips: pl.DataFrame, split: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Clips that are not on the side of the first of their group, or recording: each with that first one."""
    for column in ("group", "recording"):
        mine = clips.select("clip_id", shared=column).drop_nulls().sort("clip_id")
        first = mine.group_by("shared", maintain_order=True).agg(pl.col("clip_id").first().alias("first"))
        pairs = mine.join(first, on="shared").select(
            clip_id="first",
            other="clip_id",
            kind=pl.lit(column),
            strength=pl.lit(None, pl.Float64),
            what=pl.format("both of {} {}", pl.lit(column), "shared"),
        )
        yield _across(pairs, split)


def _later(clips: pl.DataFrame, split: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Clips of train, each with the earliest that it was recorded after."""
    recorded = clips.select("clip_id", "recorded_at").join(split, on="clip_id").sort("recorded_at", "clip_id")
    held_out = recorded.filter(pl.col("split") != "train")
    if held_out.is_empty():
        return
    earliest = held_out.row(0, named=True)
    late = recorded.filter(pl.col("split") == "train", pl.col("recorded_at") > earliest["recorded_at"])
    pairs = late.select(
        "clip_id",
        other=pl.lit(earliest["clip_id"]),
        kind=pl.lit("time"),
        strength=pl.lit(None, pl.Float64),
        what=pl.lit(_LATER),
    )
    yield _across(pairs, split)


def _across(pairs: pl.DataFrame, split: pl.DataFrame) -> pl.DataFrame:
    """The pairs whose clips are on two sides."""
    other = split.rename({"clip_id": "other", "split": "other_split"})
    found = pairs.join(split, on="clip_id").join(other, on="other")
    return found.filter(pl.col("split") != pl.col("other_split")).select(_COLUMNS)
