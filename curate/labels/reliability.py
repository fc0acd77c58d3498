"""Reliability: how likely the given label is right, and which instruments say so."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from curate.labels.evidence import Evidence, Floats, Ints
from curate.labels.posterior import Posterior

TOP = 6
"""Reasons that are kept for each clip."""

BLOCK = 50_000
"""Clips whose reasons are looked for at a time, so that what they need at once stays small."""

PRIOR, GOLD, BLEND = "prior", "gold", "blend"
"""Names under which the parts that no instrument said are listed among the reasons."""

REST = "rest"
"""Name of what is not listed one by one."""

_PARTS = (PRIOR, GOLD, BLEND)
"""What stands behind the instruments in `_Said.code`."""

REASON = pl.Struct({"instrument": pl.String, "outcome": pl.String, "log_odds": pl.Float64})


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """One entry for each answer of an instrument on a clip, then for each part of each clip."""

    item: Ints
    """Clip: (n_entries,)."""
    code: Ints
    """Instrument; from n_instruments on, which of `_PARTS`: (n_entries,)."""
    column: Ints
    """Likeliest answer, -1 for a part: (n_entries,)."""
    log_odds: Floats
    """(n_entries,)"""


def given_codes(evidence: Evidence) -> Ints:
    """Class of each clip's given label, -1 where there is none: (n_items,).

    Where the given label is spread over several classes, the one with the
    largest weight, the first of them if several are equal.
    """
    codes = np.full(evidence.n_items, -1, dtype=np.int64)
    for index in evidence.find("given"):
        votes = np.zeros((evidence.n_items, evidence.n_classes))
        mine = evidence.instrument == index
        votes[evidence.item[mine], evidence.option[mine]] = evidence.weight[mine]
        codes = np.where(votes.any(axis=1), votes.argmax(axis=1), codes)
    return codes


def refined_codes(probabilities: Floats, given: Ints) -> Ints:
    """Likeliest class; the given one, then the first, if several are within 1e-9: (n_items,)."""
    best = probabilities.max(axis=1, initial=0) - 1e-9
    kept = (given >= 0) & (_chosen(probabilities, given) >= best)
    first = (probabilities >= best[:, None]).argmax(axis=1)
    codes: Ints = np.where(kept, given, first)
    return codes


def reliability(probabilities: Floats, given: Ints) -> Floats:
    """P(the given label is right | everything, the given label itself included).

    Args:
        probabilities: Posterior, (n_items, n_classes).
        given: Class of the given label, -1 where there is none: (n_items,).

    Returns:
        Between 0 and 1; nan without a given label: (n_items,).
    """
    return np.where(given >= 0, _chosen(probabilities, given), np.nan)


def contributions(evidence: Evidence, posterior: Posterior, favoured: Ints, against: Ints) -> pl.DataFrame:
    """Take the log-odds of one class against another apart, instrument by instrument.

    Args:
        evidence: What `posterior` was fitted to.
        posterior: What came of it.
        favoured: Class that the log-odds are for: (n_items,).
        against: Class that they are against: (n_items,).

    Returns:
        Columns item, instrument, outcome (null for the parts below; of a soft
        answer, its likeliest option), log_odds (natural log). Over the rows of
        an item, log_odds add up to log P(favoured) - log P(against). Three parts
        are nobody's answer: "prior", the share of the classes; "blend", what
        mixing changed; and "gold", what gold added to a class, and on a clip
        whose label is known everything.
    """
    said = _said(evidence, posterior, favoured, against, np.arange(evidence.n_items))
    order = np.lexsort((_by_name(evidence)[said.code], said.item))
    return _named(evidence, said, order)


def reasons(evidence: Evidence, posterior: Posterior, given: Ints, refined: Ints) -> pl.Series:
    """The instruments that moved each clip most, as a list of structs per clip.

    Args:
        evidence: What `posterior` was fitted to.
        posterior: What came of it.
        given: Class of the given label, -1 where there is none: (n_items,).
        refined: Class of the refined label: (n_items,).

    Returns:
        At most `TOP` structs (instrument, outcome, log_odds) a clip, largest
        size first, equal ones by name; then "rest", what all others add up to,
        so that a list adds up to the clip's log-odds. The log-odds are for the refined label
        against the given one, or against the runner-up if there is no given
        label or both are the same. A clip about which nothing was said has
        "prior" as its only reason.
    """
    against = np.where((given >= 0) & (given != refined), given, _runner_up(posterior.probabilities, refined))
    blocks = [np.arange(n, min(n + BLOCK, len(given))) for n in range(0, len(given), BLOCK)]
    ranks = _by_name(evidence)
    lists = [_reasons(evidence, posterior, refined, against, items, ranks) for items in blocks]
    return pl.concat([pl.Series("why", [], dtype=pl.List(REASON)), *lists])


def _reasons(
    evidence: Evidence, posterior: Posterior, refined: Ints, against: Ints, items: Ints, ranks: Ints
) -> pl.Series:
    """The reasons of some consecutive clips, at least one: (n_items,)."""
    said = _said(evidence, posterior, refined, against, items)
    largest = _largest(evidence, said, ranks)
    listed = pl.concat([_named(evidence, said, largest), _rest(said, largest, items)])
    lists = (
        listed.sort("item", maintain_order=True)
        .group_by("item", maintain_order=True)
        .agg(pl.struct("instrument", "outcome", "log_odds").alias("why"))
    )
    return lists["why"].cast(pl.List(REASON))  # every clip has its prior


def _rest(said: _Said, largest: Ints, items: Ints) -> pl.DataFrame:
    """What the entries that are not listed add up to, one row a clip that has such."""
    size = int(items[-1] - items[0]) + 1
    total = np.bincount(said.item - items[0], said.log_odds, size)
    listed = np.bincount(said.item[largest] - items[0], said.log_odds[largest], size)
    full = np.bincount(said.item[largest] - items[0], minlength=size) == TOP
    left = np.flatnonzero(full & (np.abs(total - listed) > 1e-9))
    return pl.DataFrame(
        {"item": left + items[0], "instrument": REST, "outcome": None, "log_odds": (total - listed)[left]},
        schema={"item": pl.Int64, "instrument": pl.String, "outcome": pl.String, "log_odds": pl.Float64},
    )


def _said(evidence: Evidence, posterior: Posterior, favoured: Ints, against: Ints, items: Ints) -> _Said:
    """The log-odds of `favoured` against `against`, taken apart, of consecutive clips."""
    rows = slice(*np.searchsorted(evidence.item, [items[0], items[-1] + 1])) if len(items) else slice(0, 0)
    item, code = evidence.item[rows], evidence.instrument[rows]
    column, weight = evidence.offsets[code] + evidence.option[rows], evidence.weight[rows]
    moved = weight * _per_vote(evidence, posterior, favoured, against, rows)
    new = evidence.begins_answer(rows)
    first = np.flatnonzero(new)
    likeliest = first if new.all() else _heaviest(weight, first, new)
    sums = np.add.reduceat(moved, first) if len(first) else moved
    item, code = item[first], code[first]
    for word in posterior.classifiers:
        mine = np.flatnonzero(code == word.instrument)
        clips = item[mine]
        sums[mine] += word.logs[clips, favoured[clips]] - word.logs[clips, against[clips]]
    if posterior.lesson is not None:  # where the truth is known, nobody else is listened to
        sums = np.where(posterior.lesson.known[item] >= 0, 0.0, sums)
    said = np.bincount(item - items[:1].sum(), sums, len(items)).astype(np.float64)
    parts = _parts(posterior, favoured[items], against[items], items, said)
    return _Said(
        np.concatenate([item, *([items] * len(parts))]),
        np.concatenate([code, np.repeat(np.arange(len(parts)) + len(evidence.instruments), len(items))]),
        np.concatenate([column[likeliest], np.full(len(parts) * len(items), -1)]),
        np.concatenate([sums, *parts]),
    )


def _per_vote(evidence: Evidence, posterior: Posterior, favoured: Ints, against: Ints, rows: slice) -> Floats:
    """Log-odds that some rows add for each unit of their weight: (n_rows,)."""
    item, option = evidence.item[rows], evidence.option[rows]
    column = evidence.offsets[evidence.instrument[rows]] + option
    pull, push = favoured[item], against[item]
    moved: Floats = posterior.scales.rows[rows] * (
        posterior.says[column, pull] - posterior.says[column, push]
    )
    if posterior.lesson is None:
        return moved
    voted = evidence.is_class_valued[evidence.instrument[rows]]
    named = (option == pull).astype(np.float64) - (option == push)
    return moved + np.where(voted, posterior.lesson.leans[rows] * named, 0.0)


def _heaviest(weight: Floats, first: Ints, new: np.ndarray) -> Ints:
    """Row of the largest weight of each answer, the first of equal ones: (n_answers,)."""
    best = np.maximum.reduceat(weight, first)
    answer = np.cumsum(new) - 1
    rows = np.flatnonzero(weight == best[answer])
    _, where = np.unique(answer[rows], return_index=True)
    heaviest: Ints = rows[where]
    return heaviest


def _largest(evidence: Evidence, said: _Said, ranks: Ints) -> Ints:
    """Entries of the `TOP` largest log-odds of each clip, by clip and size, equal ones by `ranks`."""
    prior = len(evidence.instruments) + _PARTS.index(PRIOR)
    kept = np.flatnonzero((np.abs(said.log_odds) > 1e-12) | (said.code == prior))
    size = -np.abs(said.log_odds[kept]).round(9)
    order = kept[np.lexsort((ranks[said.code[kept]], size, said.item[kept]))]
    item = said.item[order]
    place = np.arange(len(item)) - np.searchsorted(item, item)
    top: Ints = order[place < TOP]
    return top


def _by_name(evidence: Evidence) -> Ints:
    """Place of each instrument, and of each of `_PARTS`, when all are sorted by name."""
    names = pl.Series([*(instrument.name for instrument in evidence.instruments), *_PARTS], dtype=pl.String)
    return names.rank("ordinal").to_numpy().astype(np.int64)


def _chosen(probabilities: Floats, codes: Ints) -> Floats:
    chosen: Floats = probabilities[np.arange(len(codes)), np.maximum(codes, 0)]
    return chosen


def _runner_up(probabilities: Floats, refined: Ints) -> Ints:
    others = probabilities.copy()
    others[np.arange(len(refined)), refined] = -1
    second: Ints = others.argmax(axis=1)
    return second


def _named(evidence: Evidence, said: _Said, order: Ints) -> pl.DataFrame:
    """Some entries, with instruments and options by name."""
    names = pl.Series([*(instrument.name for instrument in evidence.instruments), *_PARTS], dtype=pl.String)
    options = pl.Series([*(o for i in evidence.instruments for o in i.options), None], dtype=pl.String)
    column = said.column[order]
    return pl.DataFrame(
        {
            "item": said.item[order],
            "instrument": names.gather(said.code[order]),
            "outcome": options.gather(np.where(column < 0, len(options) - 1, column)),
            "log_odds": said.log_odds[order],
        }
    )


def _parts(
    posterior: Posterior, favoured: Ints, against: Ints, items: Ints, spoken: Floats
) -> tuple[Floats, Floats, Floats]:
    """Log-odds of prior, gold and blend of some clips: three of (n_items,)."""
    log_prior, lesson = np.log(posterior.prior), posterior.lesson
    prior = posterior.scales.prior[items] * (log_prior[favoured] - log_prior[against])
    # A gold label may leave a class no probability at all.
    likely = np.log(np.maximum(posterior.probabilities[items], np.finfo(np.float64).tiny))
    places = np.arange(len(items))
    odds = likely[places, favoured] - likely[places, against]
    if lesson is None:
        return prior, np.zeros(len(items)), odds - spoken - prior
    gold = lesson.bias[favoured] - lesson.bias[against]
    known = lesson.known[items] >= 0
    blend = odds - spoken - prior - gold
    return np.where(known, 0.0, prior), np.where(known, odds, gold), np.where(known, 0.0, blend)
