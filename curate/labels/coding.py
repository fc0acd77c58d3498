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
    if values.dtype not in (pl.Categorical, pl.Enum):
        values = values.cast(pl.String).cast(pl.Categorical)
    distinct = values.unique().drop_nulls()
    seen = distinct.cast(pl.String)
    names = pl.concat([seen, pl.Series(list(also), dtype=pl.String)]).unique().sort()
    # From here on numbers are looked up: names are many and long, and reading each once is the slow part.
    numbers = distinct.to_physical().to_numpy()
    places = np.full(int(numbers.max(initial=0)) + 1, -1, dtype=np.int32)
    places[numbers] = seen.cast(pl.Enum(names)).to_physical().to_numpy()
    found = places[values.to_physical().fill_null(0).to_numpy()]
    if values.null_count():
        found[values.is_null().to_numpy()] = -1
    return names, found


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
    codes = {name: code for code, name in enumerate(answers.outcomes)}
    known = sorted(
        (number * len(codes) + codes[option], place)
        for number, options in enumerate(scales)
        for option, place in _places(options, classes).items()
        if option in codes
    )
    keys = np.array([-1, *(key for key, _ in known)], dtype=np.int64)
    places = np.array([STRANGE, *(place for _, place in known)], dtype=np.int32)
    wanted = scale[answers.instrument] * len(codes) + answers.outcome
    found = np.searchsorted(keys, wanted, side="right") - 1
    result = np.where(keys[found] == wanted, places[found], np.int32(STRANGE))
    result[(answers.outcome < 0) | (answers.instrument < 0)] = ABSTAINS
    return result


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
    keys, weights = _keyed(answers, instruments, classes, places, offsets, n_columns)
    item, column = np.divmod(keys, n_columns)
    instrument = np.repeat(np.arange(len(final)), sizes)[column]
    return Evidence(
        classes,
        ordinal,
        tuple(answers.clip_ids),
        tuple(final),
        item,
        instrument,
        column - offsets[instrument],
        weights,
    )


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
    offsets: Ints,
    n_columns: int,
) -> tuple[Ints, Floats]:
    """Place of each cell of the table clips x columns, sorted, each once, and its weight."""
    votes = _votes(answers, places, len(instruments))
    hard = np.flatnonzero(places >= 0)
    keys = answers.clip[hard] * np.int64(n_columns) + offsets[answers.instrument[hard]] + places[hard]
    weights = votes[hard]
    if len(answers.soft):
        of, place, share = _spread(answers, instruments, classes)
        soft = answers.clip[of] * np.int64(n_columns) + offsets[answers.instrument[of]] + place
        keys, weights = np.concatenate([keys, soft]), np.concatenate([weights, votes[of] * share])
    said = weights > 0
    return _merged(keys, weights) if said.all() else _merged(keys[said], weights[said])


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
    if not (np.diff(keys) > 0).all():
        order = np.argsort(keys)
        keys, weights = keys[order], weights[order]
    follows = np.diff(keys, prepend=-1) == 0
    if not follows.any():
        return keys, weights
    # By weight too, since the sum's rounding must not depend on row order.
    tied = np.flatnonzero(follows | np.append(follows[1:], False))
    weights[tied] = weights[tied][np.lexsort((weights[tied], keys[tied]))]
    return keys[~follows], np.add.reduceat(weights, np.flatnonzero(~follows))
