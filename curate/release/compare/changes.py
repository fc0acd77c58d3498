"""Table `changes`: what moved between two releases, clip by clip, and the instruments that moved it."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl

from curate.release.compare.edition import CLIPS, Edition
from curate.release.compare.reasons import because, reasons
from curate.release.rows import hash_of, hashes

CHANGES = "changes-from-previous.parquet"
"""File of the table, in provenance/."""
MOVED = 0.01
"""Reliability and soft labels that moved by less are counted, not listed: one more clip moves them all."""

_PLAIN = ("sha256", "pseudo_accepted", "reliability_split", "split", "fold")
_CLASSES = ("label_given", "label", "pseudo_label")
_BELIEVED = ("label", "pseudo_label", "pseudo_accepted", "reliability_split", "reliability", "soft_label")
"""What the label model decides, and instruments can explain."""
_COMPARED = ("clip_id", "reliability", "soft_label", *_PLAIN, *_CLASSES)
_COLUMNS = ("clip_id", "what", "before", "after", "distance")


def find_changes(before: Edition, after: Edition, rules: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """Table `changes`, and how many clips' reliability or soft label moved a little.

    Args:
        before: The previous release.
        after: This one.
        rules: What of the recipe changed, in words: the reason where no instrument is.
    """
    touched = _touched(before, after)
    old, new = _named(before, touched), _named(after, touched)
    both = old.join(new, on="clip_id", suffix="_after")
    moved, n_little = _moved(both)
    plain = [_different(both, column) for column in (*_CLASSES, *_PLAIN) if f"{column}_after" in both.columns]
    came = [_alone(new, old, "added"), _alone(old, new, "removed")]
    found = pl.concat([*came, *plain, *moved]).select(_COLUMNS)
    return _explained(found, before, after, rules), n_little


def _touched(before: Edition, after: Edition) -> pl.Series | None:
    """Hashes of the ids of clips whose rows are not the same in both; None if all must be looked at.

    Most clips of a version are those of the one before: they are told by hashes, and never held in memory.
    """
    if before.classes != after.classes:
        return None
    shared = set(before.columns()[CLIPS]) & set(after.columns()[CLIPS])
    compared = [pl.col(name) for name in _COMPARED if name in shared]
    old, new = (
        pl.concat(
            hashes(path, key=hash_of(pl.col("clip_id")), row=hash_of(*compared))
            for path in edition.clip_files()
        )
        for edition in (before, after)
    )
    both = old.join(new, on="key", how="full", coalesce=True, suffix="_after")
    return both.filter(pl.col("row").ne_missing(pl.col("row_after")))["key"]


def _named(edition: Edition, touched: pl.Series | None) -> pl.DataFrame:
    """Clips with class names instead of places; of those that are touched, if some are not."""
    mine = pl.lit(True) if touched is None else hash_of(pl.col("clip_id")).is_in(touched.implode())
    clips = edition.clips(_COMPARED, mine)
    names = dict(enumerate(edition.classes))
    named = [pl.col(column).replace_strict(names, return_dtype=pl.String) for column in _CLASSES]
    wanted = ["clip_id", "reliability", "soft_label", *(name for name in _PLAIN if name in clips.columns)]
    return clips.select(*wanted, *named)


def _alone(clips: pl.DataFrame, others: pl.DataFrame, what: str) -> pl.DataFrame:
    label = pl.col("label")
    nothing = pl.lit(None, pl.String)
    return clips.join(others, on="clip_id", how="anti").select(
        "clip_id",
        what=pl.lit(what),
        before=nothing if what == "added" else label,
        after=label if what == "added" else nothing,
        distance=pl.lit(None, pl.Float64),
    )


def _different(both: pl.DataFrame, column: str) -> pl.DataFrame:
    before, after = pl.col(column), pl.col(f"{column}_after")
    return both.filter(before.ne_missing(after)).select(
        "clip_id",
        what=pl.lit(column),
        before=before.cast(pl.String),
        after=after.cast(pl.String),
        distance=pl.lit(None, pl.Float64),
    )


def _moved(both: pl.DataFrame) -> tuple[list[pl.DataFrame], int]:
    """Reliability and soft labels that moved far enough to be listed; how many clips moved less."""
    both = both.with_columns(
        reliability_distance=(pl.col("reliability_after") - pl.col("reliability")).abs(),
        soft_label_distance=_distance(both),
    )
    numbers = [both.filter(_listed("reliability")).select(*_numbers("reliability", _three_digits))]
    numbers.append(both.filter(_listed("soft_label")).select(*_numbers("soft_label", _shares)))
    little = ~_listed("reliability") & ~_listed("soft_label")
    any_move = (pl.col("reliability_distance") > 0) | (pl.col("soft_label_distance") > 0)
    return numbers, both.filter(little & any_move.fill_null(False)).height


def _listed(column: str) -> pl.Expr:
    """Whether a number moved far, or was there in one of the releases only."""
    came = pl.col(column).is_null() != pl.col(f"{column}_after").is_null()
    return (pl.col(f"{column}_distance") >= MOVED).fill_null(False) | came


def _numbers(column: str, shown: Callable[[pl.Expr], pl.Expr]) -> Iterator[pl.Expr]:
    yield pl.col("clip_id")
    yield pl.lit(column).alias("what")
    yield shown(pl.col(column)).alias("before")
    yield shown(pl.col(f"{column}_after")).alias("after")
    yield pl.col(f"{column}_distance").alias("distance")


def _distance(both: pl.DataFrame) -> pl.Series:
    """Half the sum of absolute differences of soft labels, null where classes are other ones: (n_clips,)."""
    n, n_after = (len(both[name][0]) if both.height else 0 for name in ("soft_label", "soft_label_after"))
    if not n or n != n_after:
        return pl.Series([None] * both.height, dtype=pl.Float64)
    old, new = (both[name].list.to_array(n).to_numpy() for name in ("soft_label", "soft_label_after"))
    return pl.Series(np.abs(new.astype(np.float64) - old).sum(axis=1) / 2)


def _three_digits(column: pl.Expr) -> pl.Expr:
    return column.round(3).cast(pl.String)


def _shares(column: pl.Expr) -> pl.Expr:
    return (
        column.cast(pl.List(pl.Float64))
        .list.eval(pl.element().round(3))
        .cast(pl.List(pl.String))
        .list.join(" ")
    )


def _explained(found: pl.DataFrame, before: Edition, after: Edition, rules: Sequence[str]) -> pl.DataFrame:
    believed = found.filter(pl.col("what").is_in(_BELIEVED))["clip_id"].unique()
    told = reasons(before, after, believed)
    is_believed = pl.col("what").is_in(_BELIEVED)
    joined = found.join(told, on="clip_id", how="left").with_columns(
        reasons=pl.when(is_believed).then("reasons"), because=because(is_believed, rules)
    )
    return joined.select(*_COLUMNS, "reasons", "because").sort("clip_id", "what")
