"""Collects what was said about the clips into one long table of evidence."""

from collections.abc import Sequence

import polars as pl

from curate.questionnaire import Item, Questionnaire

_COLUMNS = ("clip_id", "instrument", "kind", "outcome", "probs")


def gather(
    clips: pl.DataFrame, votes: pl.DataFrame, answers: pl.DataFrame, probabilities: pl.DataFrame
) -> pl.DataFrame:
    """One row an instrument's word on a clip, as the table `evidence` declares it.

    Controls never become evidence. Several variants of one item (permutations,
    paraphrases, repeats) count as one answer with the mean of their
    probabilities, so that asking twice does not count twice.

    Args:
        clips: Table `clips`; its `label_given` is the instrument "given".
        votes: Table `votes`; an instrument "vote:<annotator>" a person.
        answers: Table `answers`; an instrument "item:<id>" an item.
        probabilities: Table `probabilities`; an instrument "model:<name>" a classifier.

    Returns:
        Sorted by clip, instrument and outcome; empty where nothing was said.
    """
    parts = [_given(clips), _votes(votes), _items(answers), _classifiers(probabilities)]
    return pl.concat(parts).sort("clip_id", "instrument", "outcome")


def item_options(questionnaire: Questionnaire) -> dict[str, Sequence[str]]:
    """Options of each item's instrument, in the order of its probabilities."""
    return {f"item:{item.id}": item.all_options for item in questionnaire.items}


def item_directions(questionnaire: Questionnaire) -> dict[str, int]:
    """+1 where more of the cue speaks for a higher class, -1 where for a lower one, 0 where unordered."""
    return {f"item:{item.id}": _direction(item) for item in questionnaire.items}


def _direction(item: Item) -> int:
    if item.scale == "nominal":
        return 0
    return -1 if item.reverse else 1


def _given(clips: pl.DataFrame) -> pl.DataFrame:
    said = clips.filter(pl.col("label_given").is_not_null())
    return _long(said, pl.lit("given"), "given", outcome=pl.col("label_given"))


def _votes(votes: pl.DataFrame) -> pl.DataFrame:
    return _long(votes, "vote:" + pl.col("annotator"), "human", outcome=pl.col("label"))


def _items(answers: pl.DataFrame) -> pl.DataFrame:
    said = answers.filter((pl.col("control") == "none") & pl.col("probs").is_not_null())
    means = (
        said.with_columns(option=pl.int_ranges(pl.col("probs").list.len()))
        .explode("probs", "option")
        .group_by("clip_id", "item", "option")
        .agg(pl.col("probs").sort().mean())  # sorted, so that the sum's rounding does not depend on row order
        .sort("clip_id", "item", "option")
        .group_by("clip_id", "item", maintain_order=True)
        .agg("probs")
    )
    return _long(means, "item:" + pl.col("item"), "vlm", probs=pl.col("probs"))


def _classifiers(probabilities: pl.DataFrame) -> pl.DataFrame:
    return _long(probabilities, "model:" + pl.col("model"), "model", probs=pl.col("probs"))


def _long(
    frame: pl.DataFrame,
    instrument: pl.Expr,
    kind: str,
    *,
    outcome: pl.Expr | None = None,
    probs: pl.Expr | None = None,
) -> pl.DataFrame:
    no_outcome, no_probs = pl.lit(None, pl.String), pl.lit(None, pl.List(pl.Float64))
    return frame.select(
        "clip_id",
        instrument=instrument.cast(pl.String),
        kind=pl.lit(kind),
        outcome=no_outcome if outcome is None else outcome,
        probs=no_probs if probs is None else probs,
    ).select(_COLUMNS)
