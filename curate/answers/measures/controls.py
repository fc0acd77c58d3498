"""What each control says of each item: how much the pictures, their order and the words decide."""

import polars as pl

from curate.answers.measures.pairs import canary_pairs, control_pairs
from curate.answers.measures.share import counted
from curate.answers.measures.stability import distance, same_top

SCHEMA = {
    "item": pl.String,
    "control": pl.String,
    "n": pl.Int64,
    "n_expected": pl.Int64,
    "changed": pl.Float64,
    "changed_low": pl.Float64,
    "changed_high": pl.Float64,
    "total_variation": pl.Float64,
    "noise": pl.Float64,
    "top": pl.Int64,
    "top_share": pl.Float64,
}


def control_table(
    answers: pl.DataFrame, partners: pl.DataFrame, stability: pl.DataFrame, plain: pl.DataFrame
) -> pl.DataFrame:
    """Compare the answers of every control with the clips' own.

    Args:
        answers: As for `curate.answers.measures.pairs.canary_pairs`.
        partners: Likewise.
        stability: As from `curate.answers.measures.stability.stability`; tells how far
            answers move when nothing is changed.
        plain: As from `mean_answers`, of all answers: `answers` may be just those
            about clips that have a control.

    Returns:
        A row an item and control with anything to compare, sorted:

        - n: answers compared.
        - n_expected: of a canary, those where the two clips' own answers
          differ, so that a change is expected; else null.
        - changed: share of answers that are not the clip's own, of a canary
          among `n_expected`; with the ends of the exact 95 % interval.
        - total_variation: mean total variation distance to the clip's own
          answer. Of no_media, that of the mean answer without pictures to the
          mean answer of all clips with pictures: 0 if the words alone give
          what the pictures give on average, and all that is left is which
          clip gets which answer.
        - noise: the same between repeats of the same question; null where it
          was not repeated.
        - top, top_share: of no_media, place and mean probability of the
          likeliest option without pictures; else null.

    Source:
        Ours.
    """
    noise = stability.filter(pl.col("kind") == "repeat").select("item", noise="total_variation")
    rows = pl.concat(
        [
            _canary(canary_pairs(answers, partners)),
            _no_media(control_pairs(answers, "no_media"), plain),
            _shuffled(control_pairs(answers, "shuffled")),
        ],
        how="diagonal_relaxed",
    )
    found = _with_interval(rows).join(noise, on="item", how="left")
    return found.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).sort("item", "control")


def mean_answers(answers: pl.LazyFrame) -> pl.DataFrame:
    """Mean probabilities of each item's plain answers: `item`, `told`.

    Args:
        answers: Table answers, wherever it is: a million clips need not fit in memory.
    """
    plain = answers.filter(
        pl.col("control") == "none", pl.col("variant") == "base", pl.col("told").is_not_null()
    ).select("item", "told")
    longest = plain.select(pl.col("told").list.len().max()).collect(engine="streaming").item() or 0
    each = [
        pl.col("told").list.get(place, null_on_oob=True).mean().alias(str(place)) for place in range(longest)
    ]
    means = plain.group_by("item").agg(each).collect(engine="streaming").sort("item")
    if not each:
        return pl.DataFrame(schema={"item": pl.String, "told": pl.List(pl.Float64)})
    # Items differ in how many options they have.
    return means.select("item", told=pl.concat_list(means.columns[1:]).list.drop_nulls())


def _canary(pairs: pl.DataFrame) -> pl.DataFrame:
    expected = ~same_top("words", "pictures")
    changed = ~same_top("told", "words")
    return pairs.group_by("item").agg(
        pl.lit("canary").alias("control"),
        pl.len().alias("n"),
        expected.sum().alias("n_expected"),
        changed.filter(expected).sum().alias("n_changed"),
        distance("told", "words").mean().alias("total_variation"),
    )


def _shuffled(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.group_by("item").agg(
        pl.lit("shuffled").alias("control"),
        pl.len().alias("n"),
        (~same_top("told", "own")).sum().alias("n_changed"),
        distance("told", "own").mean().alias("total_variation"),
    )


def _no_media(pairs: pl.DataFrame, means: pl.DataFrame) -> pl.DataFrame:
    changed = pairs.group_by("item").agg(
        pl.lit("no_media").alias("control"),
        pl.len().alias("n"),
        (~same_top("told", "own")).sum().alias("n_changed"),
    )
    told = _mean(pairs.select("item", "told"))
    both = changed.join(told, on="item").join(means.rename({"told": "own"}), on="item")
    return both.with_columns(
        distance("told", "own").alias("total_variation"),
        pl.col("told").list.arg_max().alias("top"),
        pl.col("told").list.max().alias("top_share"),
    ).drop("told", "own")


def _mean(told: pl.DataFrame) -> pl.DataFrame:
    """Mean of the column `told` in each item, option by option."""
    places = told.with_columns(place=pl.int_ranges(pl.col("told").list.len())).explode("told", "place")
    means = places.group_by("item", "place").agg(pl.col("told").mean()).sort("item", "place")
    return means.group_by("item", maintain_order=True).agg("told")


def _with_interval(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds the share of changed answers among those that could change."""
    among = pl.coalesce("n_expected", "n")
    shares = [counted(*row) for row in rows.select("n_changed", among.alias("among")).iter_rows()]
    return rows.with_columns(
        pl.Series("changed", [share.value if share.total else None for share in shares], pl.Float64),
        pl.Series("changed_low", [share.low for share in shares], pl.Float64),
        pl.Series("changed_high", [share.high for share in shares], pl.Float64),
    )
