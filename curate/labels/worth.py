"""Worth: how much each instrument tells about the class, and how often it says anything."""

from itertools import pairwise

import numpy as np
import polars as pl

from curate.labels.evidence import Evidence, Floats, Ints
from curate.labels.posterior import Posterior

BLOCK = 100_000
"""Columns that are reckoned with at a time, so that memory does not grow with the instruments."""

CLIPS = 50_000
"""The same for clips."""

LISTED = 10_000
"""Instruments whose confusions are listed at most: a million people's would fill a hundred million rows."""

INSTRUMENT_SCHEMA = {
    "instrument": pl.String,
    "kind": pl.String,
    "n_clips": pl.Int64,
    "coverage": pl.Float64,
    "accuracy": pl.Float64,
    "worth_bits": pl.Float64,
    "unique_bits": pl.Float64,
}


def instrument_table(evidence: Evidence, posterior: Posterior) -> pl.DataFrame:
    """One row an instrument, sorted by name.

    Returns:
        instrument; kind; n_clips, clips it answered; coverage, their share of
        all clips; accuracy, the share of right answers that the model expects of
        it (null unless its options are the classes); worth_bits, see
        `worth_bits`; unique_bits, see `unique_bits`. All are estimates of the
        model, not checks against the truth.
    """
    clips = evidence.clips_answered
    accuracy, worth = _figures(evidence, posterior)
    return pl.DataFrame(
        {
            "instrument": [instrument.name for instrument in evidence.instruments],
            "kind": [instrument.kind for instrument in evidence.instruments],
            "n_clips": clips,
            "coverage": clips / max(evidence.n_items, 1),
            "accuracy": pl.Series(accuracy, dtype=pl.Float64).fill_nan(None),
            "worth_bits": worth,
            "unique_bits": unique_bits(evidence, posterior),
        },
        schema=INSTRUMENT_SCHEMA,
    )


def worth_bits(prior: Floats, confusion: Floats) -> float:
    """Mutual information between class and answer, in bits per answered clip.

    Args:
        prior: Share of each class among the clips answered, (n_classes,).
        confusion: P(option | class), (n_options, n_classes).

    Returns:
        0 if the answer says nothing; at most the entropy of `prior`. Sum over
        class k and option l of p_k c_lk log2(c_lk / sum_m p_m c_lm), from
        confusions that are shrunk, so that few answers do not look telling by
        accident. (Shannon 1948, section 12.)
    """
    return float(_worth(np.broadcast_to(prior, confusion.shape), confusion, np.array([0]))[0])


def unique_bits(evidence: Evidence, posterior: Posterior) -> Floats:
    """What dropping an instrument would lose: bits per clip of all clips, (n_instruments,).

    The divergence of the posterior from what it would be without the
    instrument's own part, KL(p || p without) = E_p[c] + log E_p[exp(-c)] with c
    its log-evidence for each class, summed over the clips it answered and
    divided by all clips. Small where others say the same, though the
    instrument by itself may be worth much; and where it says little. Ours. On
    clips with gold others say it all, and the loss is next to nothing.
    """
    lost = np.zeros(len(evidence.instruments))
    for first in range(0, evidence.n_items, CLIPS):
        rows = slice(*np.searchsorted(evidence.item, [first, first + CLIPS]))
        item, code = evidence.item[rows], evidence.instrument[rows]
        starts = np.flatnonzero(evidence.begins_answer(rows))
        if len(starts):
            said = np.add.reduceat(_log_evidence(evidence, posterior, rows), starts)  # (n_answers, n_classes)
            for word in posterior.classifiers:
                mine = code[starts] == word.instrument
                said[mine] += word.logs[item[starts][mine]]
            likely = posterior.probabilities[item[starts]]
            lost += np.bincount(code[starts], _divergence(likely, said), len(lost))
    return np.asarray(lost / max(evidence.n_items, 1) / np.log(2))


def _log_evidence(evidence: Evidence, posterior: Posterior, rows: slice) -> Floats:
    """What some rows say for each class: (n_rows, n_classes)."""
    code, option, weight = evidence.instrument[rows], evidence.option[rows], evidence.weight[rows]
    said: Floats = posterior.says[evidence.offsets[code] + option] * posterior.scales.rows[rows][:, None]
    if posterior.lesson is not None:
        voted = np.flatnonzero(evidence.is_class_valued[code])
        said[voted, option[voted]] += posterior.lesson.leans[rows][voted]
    return said * weight[:, None]


def _divergence(likely: Floats, said: Floats) -> Floats:
    """E_p[c] + log E_p[exp(-c)] in nats, not below 0: (n_answers,)."""
    least = said.min(axis=1, keepdims=True)  # exp(-(c - least)) cannot overflow
    without = np.log((likely * np.exp(least - said)).sum(axis=1)) - least[:, 0]
    divergence: Floats = np.maximum((likely * said).sum(axis=1) + without, 0.0)
    return divergence


def confusion_table(evidence: Evidence, posterior: Posterior) -> pl.DataFrame:
    """P(outcome | class) as a long table: instrument, class, outcome, probability.

    Of more than `LISTED` instruments those that answered most clips are listed,
    of equal ones the first by name: the others are hardly told from their group.
    """
    sizes = np.diff(evidence.offsets)
    listed = np.sort(np.argsort(-evidence.clips_answered, kind="stable")[:LISTED])
    kept = np.zeros(len(sizes), dtype=bool)
    kept[listed] = True
    n_classes = evidence.n_classes
    instruments = [evidence.instruments[index] for index in listed]
    names = pl.Series([i.name for i in instruments], dtype=pl.String)
    outcomes = pl.Series([option for i in instruments for option in i.options], dtype=pl.String)
    rows = np.repeat(np.arange(len(listed)), sizes[listed] * n_classes)
    return pl.DataFrame(
        {
            "instrument": names.gather(rows),
            "class": pl.Series(evidence.classes).gather(np.tile(np.arange(n_classes), len(outcomes))),
            "outcome": outcomes.gather(np.repeat(np.arange(len(outcomes)), n_classes)),
            "probability": posterior.confusions[np.repeat(kept, sizes)].ravel(),
        },
    )


def _figures(evidence: Evidence, posterior: Posterior) -> tuple[Floats, Floats]:
    """Accuracy, nan unless class-valued, and worth of each instrument: two of (n_instruments,)."""
    offsets = evidence.offsets
    spoken = evidence.matrix().T.tocsr()  # (n_columns, n_items)
    class_valued = evidence.is_class_valued
    accuracy = np.full(len(class_valued), np.nan)
    worth = np.zeros(len(class_valued))
    for first, last in _blocks(offsets):
        columns = slice(offsets[first], offsets[last])
        starts, sizes = offsets[first:last] - offsets[first], np.diff(offsets[first : last + 1])
        mass = np.add.reduceat(spoken[columns] @ posterior.probabilities, starts)
        prior = np.repeat(mass / np.maximum(mass.sum(axis=1, keepdims=True), 1e-300), sizes, axis=0)
        table = posterior.confusions[columns]
        worth[first:last] = _worth(prior, table, starts)
        mine = np.repeat(class_valued[first:last], sizes)
        own = np.tile(np.arange(evidence.n_classes), int(class_valued[first:last].sum()))
        right = (prior * table)[mine, own].reshape(-1, evidence.n_classes).sum(axis=1)
        accuracy[first:last][class_valued[first:last]] = right
    return accuracy, worth


def _blocks(offsets: Ints) -> list[tuple[int, int]]:
    """First and past-the-last instrument of each block of about `BLOCK` columns."""
    n_instruments = len(offsets) - 1
    cuts = np.searchsorted(offsets, np.arange(0, offsets[-1], BLOCK))
    ends = np.unique([*cuts, n_instruments])
    return list(pairwise(ends.tolist()))


def _worth(prior: Floats, confusion: Floats, starts: Ints) -> Floats:
    """Worth in bits of the instruments whose columns begin at `starts`; both are (n_columns, n_classes)."""
    joint = prior * confusion
    by_option = np.broadcast_to(joint.sum(axis=1, keepdims=True), joint.shape)
    ratio = np.divide(confusion, by_option, out=np.ones_like(joint), where=joint > 0)
    bits: Floats = np.add.reduceat((joint * np.log2(ratio)).sum(axis=1), starts)
    return np.maximum(bits, 0.0)
