"""Coding: a table of answers, by name, becomes the sorted arrays of `Evidence`.

Names are looked up once, column by column; everything after that is arithmetic
on whole numbers, so that time and memory grow with the number of answers alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.labels.evidence import UNSEEN, Evidence, Floats, Instrument, Ints

Codes = NDArray[np.int32]

ABSTAINS, STRANGE = -1, -2
"""Places of an outcome that says nothing and of one that its instrument cannot give."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """A table of answers as codes: places among sorted names, -1 where there is none."""

    clip_ids: pl.Series
    """Every clip, also those about which nothing is said, sorted."""
    names: pl.Series
    """Instruments, sorted."""
    outcomes: pl.Series
    """What was answered, sorted."""
    clip: Codes
    """(n_answers,)"""
    instrument: Codes
    """(n_answers,)"""
    outcome: Codes
    """-1 also where there are probabilities: (n_answers,)."""
    count: Floats
    """People behind each answer, nan for one instrument's own: (n_answers,), or (0,) if no answer has any."""
    soft: Ints
    """Answers that are probabilities: (n_soft,)."""
    probs: pl.Series
    """Their lists: (n_soft,)."""


def coded(values: pl.Series, also: Iterable[str] = ()) -> tuple[pl.Series, Codes]:
    """The names among `values` and `also`, sorted, and each value's place among them, -1 for null."""
    # Names are many and long: each is hashed once, by the cast. From there on numbers are looked up.
    if values.dtype == pl.Enum:
        values = values.cast(pl.Categorical)  # which sorts by name, not by the order of its categories
    elif values.dtype != pl.Categorical:
        values = values.cast(pl.String).cast(pl.Categorical)
    listed = pl.Series(list(also), dtype=pl.String).cast(values.dtype)
    names = pl.concat([_distinct(values), listed]).unique().sort()
    numbers = names.to_physical().to_numpy()
    places = np.full(int(numbers.max(initial=0)) + 1, -1, dtype=np.int32)
    places[numbers] = np.arange(len(names))
    found = places[values.to_physical().fill_null(0).to_numpy()]
    if values.null_count():
        found[values.is_null().to_numpy()] = -1
    return names.cast(pl.String), found


def _distinct(values: pl.Series) -> pl.Series:
    """One value of each sort, without nulls."""
    numbers = values.drop_nulls().to_physical().to_numpy()
    row = np.full(int(numbers.max(initial=0)) + 1, -1, dtype=np.int32)
    row[numbers] = np.arange(len(numbers), dtype=np.int32)
    return values.drop_nulls().gather(row[row >= 0])


def is_class_valued(options: Sequence[str], classes: tuple[str, ...]) -> bool:
    """Whether the options are the classes in any order, with or without "cannot be seen"."""
    return options == classes or set(options) | {UNSEEN} == set(classes) | {UNSEEN}


def in_class_order(options: tuple[str, ...], classes: tuple[str, ...]) -> tuple[str, ...]:
    """The classes if the options are class-valued, else the options."""
    return classes if is_class_valued(options, classes) else options


def option_lists(instruments: Sequence[Instrument]) -> tuple[list[tuple[str, ...]], Ints]:
    """The different lists of options, and which of them each instrument has: (n_instruments,)."""
    numbers: dict[tuple[str, ...], int] = {}
    scale = [numbers.setdefault(instrument.options, len(numbers)) for instrument in instruments]
    return list(numbers), np.array(scale, dtype=np.int64)


def outcome_places(answers: Answers, instruments: Sequence[Instrument], classes: tuple[str, ...]) -> Codes:
    """Place of each outcome among its instrument's options, in class order: (n_answers,).

    `ABSTAINS` where there is no outcome, or where a class-valued instrument
    says "cannot be seen"; `STRANGE` where the options do not have the outcome.
    """
    if not instruments:
        return np.full(len(answers.clip), ABSTAINS, dtype=np.int32)
    scales, scale = option_lists(instruments)
    codes = {name: code for code, name in enumerate(answers.outcomes.to_list())}
    known = sorted(
        (number * len(codes) + codes[option], place)
        for number, options in enumerate(scales)
        for option, place in _places(options, classes).items()
        if option in codes
    )
    keys = np.array([-1, *(key for key, _ in known)], dtype=np.int64)
    places = np.array([STRANGE, *(place for _, place in known)], dtype=np.int32)
    wanted = scale[answers.instrument] * len(codes)
    wanted += answers.outcome
    result = _looked_up(wanted, keys, places, len(scales) * len(codes))
    result[(answers.outcome < 0) | (answers.instrument < 0)] = ABSTAINS
    return result


def _looked_up(wanted: Ints, keys: Ints, places: Codes, n_keys: int) -> Codes:
    """The places of the keys that are wanted, `STRANGE` without one; keys are sorted and below `n_keys`."""
    if n_keys <= len(wanted):  # then a table of all keys is small, and the faster way
        table = np.full(n_keys + 1, STRANGE, dtype=np.int32)
        table[keys[1:]] = places[1:]
        return np.asarray(table[np.maximum(wanted, -1)])
    found = np.searchsorted(keys, wanted, side="right") - 1
    return np.where(keys[found] == wanted, places[found], np.int32(STRANGE))


def code(
    answers: Answers, instruments: Sequence[Instrument], classes: tuple[str, ...], ordinal: bool
) -> Evidence:
    """Code answers that are known to be sound.

    Args:
        answers: The table.
        instruments: One for each of `answers.names`, with the options as listed.
        classes: The classes.
        ordinal: Whether they are ordered.

    Returns:
        The evidence. A class-valued instrument gets the classes as options, in
        class order, whatever the order in which they were listed; what it said
        of "cannot be seen" is dropped.
    """
    places = outcome_places(answers, instruments, classes)
    final = [_in_class_order(instrument, classes) for instrument in instruments]
    sizes = np.array([len(instrument.options) for instrument in final], dtype=np.int64)
    offsets = np.cumsum(sizes) - sizes
    n_columns = max(int(sizes.sum()), 1)
    keys, weights = _keyed(answers, instruments, classes, places, sizes, offsets, n_columns)
    item, instrument, option = _parts(keys, sizes, offsets, n_columns)
    clip_ids = tuple(answers.clip_ids.to_list())
    return Evidence(classes, ordinal, clip_ids, tuple(final), item, instrument, option, weights)


def _parts(keys: Ints, sizes: Ints, offsets: Ints, n_columns: int) -> tuple[Ints, Ints, Ints]:
    """Clip, instrument and option of each key: (n_rows,) each."""
    item = keys // n_columns  # numpy divides by one number fast, but has no such way to find the remainder
    column = keys - item * n_columns
    instrument = np.repeat(np.arange(len(sizes)), sizes)[column]
    column -= offsets[instrument]
    return item, instrument, column


def _places(options: tuple[str, ...], classes: tuple[str, ...]) -> dict[str, int]:
    final = in_class_order(options, classes)
    places = {option: place for place, option in enumerate(final)}
    return {UNSEEN: ABSTAINS, **places} if final == classes else places


def _in_class_order(instrument: Instrument, classes: tuple[str, ...]) -> Instrument:
    options = in_class_order(instrument.options, classes)
    return instrument if options is instrument.options else replace(instrument, options=options)


def _keyed(
    answers: Answers,
    instruments: Sequence[Instrument],
    classes: tuple[str, ...],
    places: Codes,
    sizes: Ints,
    offsets: Ints,
    n_columns: int,
) -> tuple[Ints, Floats]:
    """Place of each cell of the table clips x columns, sorted, each once, and its weight."""
    hard = slice(None) if (places >= 0).all() else np.flatnonzero(places >= 0)
    keys = answers.clip[hard] * np.int64(n_columns)
    keys += offsets[answers.instrument[hard]]
    keys += places[hard]
    if not len(answers.soft) and not len(answers.count):
        keys.sort()
        return _merged(keys, _whole_votes(keys, sizes, offsets, n_columns))
    votes = _votes(answers, places, len(instruments))
    weights = votes[hard]
    if len(answers.soft):
        of, place, share = _spread(answers, instruments, classes)
        soft = answers.clip[of] * np.int64(n_columns) + offsets[answers.instrument[of]] + place
        keys, weights = np.concatenate([keys, soft]), np.concatenate([weights, votes[of] * share])
    said = weights > 0
    return _merged(keys, weights) if said.all() else _merged(keys[said], weights[said])


def _whole_votes(keys: Ints, sizes: Ints, offsets: Ints, n_columns: int) -> Floats:
    """One vote for each sorted key, shared among those of one instrument on one clip: (n_answers,).

    As `_votes` where nobody counts people or spreads probabilities, but without looking at every answer.
    """
    votes = np.ones(len(keys))
    near = np.flatnonzero(np.diff(keys) < sizes.max(initial=1))
    item, instrument, _ = _parts(keys[near], sizes, offsets, n_columns)
    next_item, next_instrument, _ = _parts(keys[near + 1], sizes, offsets, n_columns)
    repeats = near[(item == next_item) & (instrument == next_instrument)]  # the next key repeats these
    mine = np.union1d(repeats, repeats + 1)
    starts = ~np.isin(mine - 1, repeats)
    which = np.cumsum(starts) - 1
    votes[mine] = 1 / np.bincount(which)[which]
    return votes


def _votes(answers: Answers, places: Codes, n_instruments: int) -> Floats:
    """Votes of each answer: its count, or an equal share of the instrument's one vote: (n_answers,)."""
    said = places >= 0
    said[answers.soft] = True
    pairs = answers.clip[said] * np.int64(n_instruments) + answers.instrument[said]
    votes = np.ones(len(said))
    ordered = np.sort(pairs)
    repeated = np.unique(ordered[1:][np.diff(ordered) == 0])
    if len(repeated):  # mostly few: the rest need no second look
        mine = repeated[np.searchsorted(repeated[:-1], pairs)] == pairs
        _, which, times = np.unique(pairs[mine], return_inverse=True, return_counts=True)
        votes[np.flatnonzero(said)[mine]] = 1 / times[which]
    return np.where(np.isnan(answers.count), votes, answers.count) if len(answers.count) else votes


def _spread(
    answers: Answers, instruments: Sequence[Instrument], classes: tuple[str, ...]
) -> tuple[Ints, Ints, Floats]:
    """Probabilities one below the other: the answer, the place of the option and its share."""
    scales, scale = option_lists(instruments)
    listed = [[_places(options, classes)[option] for option in options] for options in scales]
    starts = np.cumsum([0, *map(len, listed)])
    lengths = answers.probs.list.len().to_numpy().astype(np.int64)
    probs = answers.probs.explode().to_numpy()
    firsts = np.cumsum(lengths) - lengths
    within = np.arange(len(probs)) - np.repeat(firsts, lengths)
    of = np.repeat(answers.soft, lengths)
    place = np.concatenate(listed).astype(np.int64)[starts[scale[answers.instrument[of]]] + within]
    share = probs / np.repeat(np.add.reduceat(probs, firsts), lengths)
    return of[place >= 0], place[place >= 0], share[place >= 0]


def _merged(keys: Ints, weights: Floats) -> tuple[Ints, Floats]:
    """Sorted by key, the weights of equal keys added up."""
    steps = np.diff(keys)
    if (steps < 0).any():
        order = np.argsort(keys)
        keys, weights = keys[order], weights[order]
        steps = np.diff(keys)
    same = np.flatnonzero(steps == 0)  # the next key is the same
    if not len(same):
        return keys, weights
    # By weight too, since the sum's rounding must not depend on row order.
    tied = np.union1d(same, same + 1)
    weights[tied] = weights[tied][np.lexsort((weights[tied], keys[tied]))]
    first = np.ones(len(keys), dtype=bool)
    first[same + 1] = False
    return keys[first], np.add.reduceat(weights, np.flatnonzero(first))
