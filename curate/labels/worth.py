"""Worth: how much each instrument tells about the class, and how often it says anything."""

from itertools import pairwise

import numpy as np
import polars as pl

from curate.labels.evidence import Evidence, Floats, Instrument, Ints
from curate.labels.model import Posterior

INSTRUMENT_SCHEMA = {
    "instrument": pl.String,
    "kind": pl.String,
    "n_clips": pl.Int64,
    "coverage": pl.Float64,
    "accuracy": pl.Float64,
    "worth_bits": pl.Float64,
}


def instrument_table(evidence: Evidence, posterior: Posterior) -> pl.DataFrame:
    """One row an instrument, sorted by name.

    Returns:
        instrument; kind; n_clips, clips it answered; coverage, their share of
        all clips; accuracy, the share of right answers that the model expects of
        it (null unless its options are the classes); worth_bits, see
        `worth_bits`. Accuracy and worth are estimates of the model, not checks
        against the truth.
    """
    mass = evidence.matrix().T @ posterior.probabilities  # (n_columns, n_classes)
    clips = _clips_answered(evidence)
    rows = [
        (
            instrument.name,
            instrument.kind,
            int(clips[index]),
            clips[index] / max(evidence.n_items, 1),
            *_figures(instrument, evidence.classes, mass[columns], posterior.confusions[columns]),
        )
        for index, (instrument, columns) in enumerate(
            zip(evidence.instruments, _columns(evidence), strict=True)
        )
    ]
    return pl.DataFrame(rows, schema=INSTRUMENT_SCHEMA, orient="row")


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
    joint = prior * confusion  # (n_options, n_classes)
    by_option = np.broadcast_to(joint.sum(axis=1, keepdims=True), joint.shape)
    filled = joint > 0
    return float(max(0.0, (joint[filled] * np.log2(confusion[filled] / by_option[filled])).sum()))


def confusion_table(evidence: Evidence, posterior: Posterior) -> pl.DataFrame:
    """P(outcome | class) as a long table: instrument, class, outcome, probability."""
    sizes = np.diff(evidence.offsets)
    n_classes = evidence.n_classes
    names = np.repeat([i.name for i in evidence.instruments], sizes * n_classes)
    outcomes = np.repeat([option for i in evidence.instruments for option in i.options], n_classes)
    return pl.DataFrame(
        {
            "instrument": names.tolist(),
            "class": list(evidence.classes) * int(sizes.sum()),
            "outcome": outcomes.tolist(),
            "probability": posterior.confusions.ravel(),
        },
        schema={"instrument": pl.String, "class": pl.String, "outcome": pl.String, "probability": pl.Float64},
    )


def _columns(evidence: Evidence) -> list[slice]:
    return [slice(first, last) for first, last in pairwise(evidence.offsets.tolist())]


def _clips_answered(evidence: Evidence) -> Ints:
    """Clips that each instrument said something about: (n_instruments,)."""
    pairs = np.unique(evidence.item * len(evidence.instruments) + evidence.instrument)
    n_instruments = max(len(evidence.instruments), 1)
    return np.bincount(pairs % n_instruments, minlength=len(evidence.instruments))


def _figures(
    instrument: Instrument, classes: tuple[str, ...], mass: Floats, confusion: Floats
) -> tuple[float | None, float]:
    """Accuracy and worth, from the answers' mass on each class (n_options, n_classes)."""
    prior = mass.sum(axis=0) / (mass.sum() or 1.0)
    accuracy = float((prior * np.diagonal(confusion)).sum()) if instrument.options == classes else None
    return accuracy, worth_bits(prior, confusion)
