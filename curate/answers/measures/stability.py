"""How steady an item's answers are when the same question is put in other ways."""

import polars as pl

SCHEMA = {
    "item": pl.String,
    "kind": pl.String,
    "n_clips": pl.Int64,
    "n_answers": pl.Int64,
    "same_answer": pl.Float64,
    "total_variation": pl.Float64,
}

_KIND = r"^(order|wording|repeat) \d+$"


def stability(answers: pl.DataFrame, column: str = "told") -> pl.DataFrame:
    """Compare every answer to a varied question with the clip's answer to the plain one.

    Args:
        answers: Rows with `clip_id`, `item`, `variant`, `control` and the
            column that holds each answer's probabilities, in the item's own
            order of options whatever the order asked. Variants are "base",
            "order 1", "wording 1", "repeat 1" and so on; other variants and
            controls are left out, as are answers without probabilities.
        column: Which probabilities. Those as told, since a correction of the
            base alone would look like a change.

    Returns:
        A row an item and kind (order, wording, repeat), sorted; none where
        there is nothing to compare:

        - n_clips, n_answers: what was compared.
        - same_answer: share of varied answers whose likeliest option is the
          base's, each clip counting as one.
        - total_variation: half the sum of absolute differences to the base's
          probabilities, mean in the same way: 0 is the same, 1 is as far apart
          as can be.

    Source:
        Ours; total variation distance as in Levin, Peres and Wilmer (2009),
        Markov Chains and Mixing Times, section 4.1.
    """
    told = answers.filter(pl.col("control") == "none", pl.col(column).is_not_null())
    place = ["clip_id", "item"]
    base = told.filter(pl.col("variant") == "base").select(*place, base=column)
    varied = told.select(*place, kind=pl.col("variant").str.extract(_KIND), probs=column).drop_nulls("kind")
    per_clip = (
        varied.join(base, on=place)
        .with_columns(same_answer=same_top("probs", "base"), total_variation=distance("probs", "base"))
        .group_by("item", "kind", "clip_id")
        .agg(pl.len().alias("n"), pl.col("same_answer", "total_variation").mean())
    )
    found = per_clip.group_by("item", "kind").agg(
        pl.len().alias("n_clips"),
        pl.col("n").sum().alias("n_answers"),
        pl.col("same_answer", "total_variation").mean(),
    )
    return found.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).sort("item", "kind")


def same_top(one: str, other: str) -> pl.Expr:
    """Whether two columns of probabilities have the same likeliest option; the first of equals."""
    return pl.col(one).list.arg_max() == pl.col(other).list.arg_max()


def distance(one: str, other: str) -> pl.Expr:
    """Total variation distance of two columns of probabilities."""
    return (pl.col(one) - pl.col(other)).list.eval(pl.element().abs()).list.sum() / 2
