"""From answers as told to answers that count: bias taken off, the likeliest option, its place and spread."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.answers.measures.debias import (
    by_option,
    by_position,
    cyclic_orders,
    position_prior,
    remove_content_free,
    remove_position,
)
from curate.answers.measures.distribution import Floats, Ints, expected_and_spread
from curate.answers.rows import ORDER
from curate.questionnaire import UNSEEN, Item, Questionnaire
from curate.recipe import Answers
from curate.tables import dtypes

Mask = NDArray[np.bool_]

_SHIFT = r"^order (\d+)$"


def settle(told: pl.DataFrame, questionnaire: Questionnaire, answers: Answers) -> pl.DataFrame:
    """Take off the bias that the recipe names, and read the answers anew.

    Position bias is estimated, item by item, on the clips that were asked in
    every order, and taken off every answer that came with log-probabilities:
    answers without them were drawn or stated as a whole. It is so too where all
    clips are asked in every order: the mean over orders, which evidence takes,
    would keep much of it (`benchmarks/debias.py`).

    Args:
        told: Table `answers` with `told` filled in; other columns of
            probabilities are made here.
        questionnaire: Whose items were asked.
        answers: The recipe's section.

    Returns:
        Table `answers`, sorted.
    """
    parts = [_settled(told.filter(pl.col("item") == item.id), item, answers) for item in questionnaire.items]
    return pl.concat(parts).sort(ORDER)


def _settled(rows: pl.DataFrame, item: Item, answers: Answers) -> pl.DataFrame:
    told = _array(rows["told"], len(item.all_options))
    probs = _debiased(rows, told, item, answers)
    said: Mask = np.asarray(~np.isnan(probs).any(axis=1))
    top = np.where(said, np.nan_to_num(probs).argmax(axis=1), -1)
    options = [*item.all_options, None]
    expected, spread = expected_and_spread(probs)
    ordinal = item.scale == "ordinal"
    outcome = pl.when(pl.Series(said)).then(
        pl.when(pl.Series(top == item.all_options.index(UNSEEN)))
        .then(pl.lit("unseen"))
        .otherwise(pl.lit("answered"))
    )
    return rows.with_columns(
        outcome=outcome.otherwise(pl.col("outcome")),
        answer=pl.Series([options[place] for place in top], dtype=pl.String),
        probs=_lists(probs, said),
        expected=_numbers(expected, said & ordinal),
        spread=_numbers(spread, said & ordinal),
    ).cast({name: dtype for name, dtype in dtypes("answers").items() if name in rows.columns})


def _debiased(rows: pl.DataFrame, told: Floats, item: Item, answers: Answers) -> Floats:
    is_exact = (rows["source"] == "logprobs").fill_null(value=False).to_numpy()
    if answers.debias == "position" and len(told):
        freed = _without_position(told, _shifts(rows), place_prior(rows, item))
        return np.where(is_exact[:, None], freed, told)
    if answers.debias == "content_free":
        alone = (rows["control"] == "no_media").to_numpy()
        return remove_content_free(told, told[alone])
    return told


def _without_position(told: Floats, shifts: Ints, prior: Floats) -> Floats:
    """`remove_position` of answers in order of the options, each listed in its own order."""
    every = cyclic_orders(told.shape[1])
    orders = [every[shift] for shift in shifts.tolist()]
    placed = by_position(told, orders)
    return by_option(remove_position(placed, prior), orders)


def place_prior(rows: pl.DataFrame, item: Item) -> Floats:
    """What each place in an item's list gains by itself: (n_options,); even where nothing tells.

    Args:
        rows: Of table `answers`, those to this item.
        item: Of the questionnaire.
    """
    n_options = len(item.all_options)
    exact = rows.filter(pl.col("control") == "none", pl.col("source") == "logprobs").with_columns(
        shift=_shift()
    )
    asked = exact.drop_nulls("shift").select("clip_id", "shift", "told").sort("clip_id", "shift")
    whole = asked.filter(pl.len().over("clip_id") == n_options)
    told = _array(whole["told"], n_options).reshape(
        -1, n_options, n_options
    )  # (n_clips, n_orders, n_options)
    return position_prior(by_position(told, cyclic_orders(n_options)))


def _shift() -> pl.Expr:
    """By how many places the options were moved on; null for other variants than base and orders."""
    moved = pl.col("variant").str.extract(_SHIFT).cast(pl.Int64)
    return pl.when(pl.col("variant") == "base").then(0).otherwise(moved)


def _shifts(rows: pl.DataFrame) -> Ints:
    """The same as an array, 0 for wordings and repeats: they are listed as written."""
    return rows.select(_shift().fill_null(0)).to_series().to_numpy().astype(np.int64)


def _array(column: pl.Series, n_options: int) -> Floats:
    """(n_rows, n_options); nan where null."""
    blank = [float("nan")] * n_options
    return np.array([blank if row is None else row for row in column.to_list()]).reshape(-1, n_options)


def _lists(values: Floats, known: Mask) -> pl.Series:
    rows = [row if here else None for row, here in zip(values.tolist(), known, strict=True)]
    return pl.Series(rows, dtype=pl.List(pl.Float64))


def _numbers(values: Floats, known: Mask) -> pl.Series:
    whole: Mask = known & ~np.isnan(values)
    rows = [row if here else None for row, here in zip(values.tolist(), whole, strict=True)]
    return pl.Series(rows, dtype=pl.Float64)
