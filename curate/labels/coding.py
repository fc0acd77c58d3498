"""Coding: checked answers, by name, become the sorted arrays of `Evidence`."""

import numpy as np
import polars as pl

from curate.labels.evidence import Evidence, Instrument

_ROW = ("clip_id", "instrument", "option", "weight")


def code(
    answers: pl.DataFrame,
    instruments: list[Instrument],
    classes: tuple[str, ...],
    ordinal: bool,
    clip_ids: tuple[str, ...],
) -> Evidence:
    """Code answers that are known to be sound.

    Args:
        answers: Columns clip_id, instrument, outcome, probs, count.
        instruments: Sorted by name, with their options in the order of probs.
        classes: The classes.
        ordinal: Whether they are ordered.
        clip_ids: Every clip, sorted.

    Returns:
        The evidence. An instrument whose options are the classes gets them in
        class order, whatever the order in which they were listed.
    """
    final = [_in_class_order(instrument, classes) for instrument in instruments]
    clips = pl.DataFrame({"clip_id": pl.Series(clip_ids, dtype=pl.String), "item": np.arange(len(clip_ids))})
    rows = (
        pl.concat(_weighted(answers, option_table(instruments)))
        .join(clips, on="clip_id")
        .join(_codes(instruments, final), on=["instrument", "option"])
        .group_by("item", "instrument_code", "option_code")
        .agg(pl.col("weight").sort().sum())  # sorted: the sum's rounding must not depend on row order
        .filter(pl.col("weight") > 0)
        .sort("item", "instrument_code", "option_code")
    )
    return Evidence(
        classes,
        ordinal,
        clip_ids,
        tuple(final),
        rows["item"].to_numpy(),
        rows["instrument_code"].to_numpy(),
        rows["option_code"].to_numpy(),
        rows["weight"].to_numpy(),
    )


def option_table(instruments: list[Instrument]) -> pl.DataFrame:
    """Place of each option in the order in which the instrument's options are listed."""
    rows = [(i.name, option, place) for i in instruments for place, option in enumerate(i.options)]
    schema = {"instrument": pl.String, "outcome": pl.String, "option": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _weighted(answers: pl.DataFrame, table: pl.DataFrame) -> list[pl.DataFrame]:
    """Hard and soft answers as rows of one option and its weight; abstentions are dropped."""
    said = pl.col("probs").is_not_null() | pl.col("outcome").is_not_null()
    votes = answers.filter(said).with_columns(
        vote=pl.coalesce("count", 1 / pl.len().over("clip_id", "instrument"))
    )
    hard = votes.filter(pl.col("probs").is_null()).join(table, on=["instrument", "outcome"])
    soft = (
        votes.filter(pl.col("probs").is_not_null())
        .with_columns(
            pl.col("probs") / pl.col("probs").list.sum(),
            option=pl.int_ranges(pl.col("probs").list.len(), dtype=pl.Int64),
        )
        .explode("option", "probs")
    )
    return [
        hard.with_columns(weight=pl.col("vote")).select(_ROW),
        soft.with_columns(weight=pl.col("probs") * pl.col("vote")).select(_ROW),
    ]


def _in_class_order(instrument: Instrument, classes: tuple[str, ...]) -> Instrument:
    """The instrument with the classes as options, if its options are the classes in any order."""
    if set(instrument.options) != set(classes):
        return instrument
    return Instrument(instrument.name, instrument.kind, classes, instrument.group, instrument.direction)


def _codes(listed: list[Instrument], final: list[Instrument]) -> pl.DataFrame:
    """From an option's place as listed to its place in the evidence."""
    rows = [
        (before.name, index, place, after.options.index(option))
        for index, (before, after) in enumerate(zip(listed, final, strict=True))
        for place, option in enumerate(before.options)
    ]
    schema = {
        "instrument": pl.String,
        "instrument_code": pl.Int64,
        "option": pl.Int64,
        "option_code": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
