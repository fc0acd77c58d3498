"""Why a clip is believed otherwise than in the previous release: who says, or weighs, something else."""

from collections.abc import Sequence

import polars as pl

from curate.release.compare.edition import Edition

MOST = 4
"""Reasons that are kept for a clip."""
_LEAST = 0.05
"""Log-odds [nat] by which an instrument that says the same must weigh more or less to be named."""

_STRUCT = ("instrument", "how", "before", "after", "log_odds_before", "log_odds_after")
_HOW = {"new": "is new", "gone": "is gone", "changed": "says something else", "weight": "weighs otherwise"}


def reasons(before: Edition, after: Edition, clip_ids: pl.Series) -> pl.DataFrame:
    """Columns clip_id, reasons and told (sentences, one a reason), of those of the clips that have any.

    Instruments that are new, gone or say something else come first, then those
    whose log-odds moved most. Log-odds are those of column `why`: for the refined
    label of that release, so that they are no difference where the label changed.
    """
    said = _said(before, clip_ids).join(
        _said(after, clip_ids), on=("clip_id", "instrument"), how="full", coalesce=True, suffix="_after"
    )
    weighed = _weighed(before, clip_ids).join(
        _weighed(after, clip_ids), on=("clip_id", "instrument"), how="full", coalesce=True, suffix="_after"
    )
    both = said.join(weighed, on=("clip_id", "instrument"), how="full", coalesce=True)
    judged = both.with_columns(how=_how(), moved=_moved())
    named = judged.filter((pl.col("how") != "weight") | (pl.col("moved") >= _LEAST))
    ranked = named.sort(
        pl.col("clip_id"),
        pl.col("how") == "weight",
        pl.col("moved"),
        pl.col("instrument"),
        descending=[False, False, True, False],
    )
    renamed = ranked.rename(
        {
            "said": "before",
            "said_after": "after",
            "log_odds": "log_odds_before",
        }
    )
    return (
        renamed.group_by("clip_id", maintain_order=True)
        .head(MOST)
        .group_by("clip_id", maintain_order=True)
        .agg(pl.struct(*_STRUCT).alias("reasons"), told=_sentence())
    )


def because(is_believed: pl.Expr, rules: Sequence[str]) -> pl.Expr:
    """The reasons of a change in a sentence; without any, what of the recipe changed.

    Args:
        is_believed: Whether what changed is the label model's.
        rules: What of the recipe changed, in words.
    """
    told = pl.col("told").list.join("; ")
    rest = "; ".join(rules) or "what is believed of all clips together moved"
    source = (
        pl.when(pl.col("what") == "added")
        .then(pl.lit("the clip is new"))
        .when(pl.col("what") == "removed")
        .then(pl.lit("the clip is no longer among them"))
        .otherwise(pl.lit("the source or the recipe says so"))
    )
    return pl.when(is_believed).then(told.fill_null(rest)).otherwise(source)


def _said(edition: Edition, clip_ids: pl.Series) -> pl.DataFrame:
    """What each instrument said of a clip, as text: columns clip_id, instrument, said."""
    evidence = edition.table("evidence").filter(pl.col("clip_id").is_in(clip_ids.implode()))
    shares = pl.col("probs").list.eval(pl.element().round(3)).cast(pl.List(pl.String)).list.join(" ")
    words = evidence.select("clip_id", "instrument", said=pl.coalesce("outcome", shares))
    return words.group_by("clip_id", "instrument").agg(pl.col("said").sort().str.join(", "))


def _weighed(edition: Edition, clip_ids: pl.Series) -> pl.DataFrame:
    """Log-odds of the instruments that moved a clip most: columns clip_id, instrument, log_odds."""
    labels = edition.table("labels").select("clip_id", "why")
    listed = labels.filter(pl.col("clip_id").is_in(clip_ids.implode())).explode("why").unnest("why")
    return listed.group_by("clip_id", "instrument").agg(pl.col("log_odds").sum())


def _how() -> pl.Expr:
    old, new = pl.col("said"), pl.col("said_after")
    # Gold is no evidence, and tells of itself by its weight alone.
    is_gold = pl.col("instrument") == "gold"
    return (
        pl.when(is_gold & pl.col("log_odds").is_null())
        .then(pl.lit("new"))
        .when(is_gold & pl.col("log_odds_after").is_null())
        .then(pl.lit("gone"))
        .when(old.is_null() & new.is_not_null())
        .then(pl.lit("new"))
        .when(old.is_not_null() & new.is_null())
        .then(pl.lit("gone"))
        .when(old.ne_missing(new))
        .then(pl.lit("changed"))
        .otherwise(pl.lit("weight"))
    )


def _moved() -> pl.Expr:
    return (pl.col("log_odds_after").fill_null(0) - pl.col("log_odds").fill_null(0)).abs()


def _sentence() -> pl.Expr:
    """Such as "vote:ada is new: bored (+1.20 nat)"."""
    said = pl.coalesce(
        "after",
        "before",
        pl.when(pl.col("instrument") == "gold")
        .then(pl.lit("a label known to be right"))
        .otherwise(pl.lit("its weight")),
    )
    weight = pl.coalesce(pl.col("log_odds_after"), pl.col("log_odds_before"))
    signed = pl.when(weight >= 0).then(pl.lit("+")).otherwise(pl.lit("")) + weight.round(2).cast(pl.String)
    tail = pl.when(weight.is_null()).then(pl.lit("")).otherwise(pl.format(" ({} nat)", signed))
    return pl.format("{} {}: {}{}", "instrument", pl.col("how").replace_strict(_HOW), said, tail)
