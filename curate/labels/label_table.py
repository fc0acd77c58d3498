"""The table of labels: one row a clip."""

import numpy as np
import polars as pl

from curate.labels.evidence import Evidence, Floats, Ints
from curate.labels.ordinal import expected_value, spread
from curate.labels.posterior import Posterior
from curate.labels.reliability import given_codes, reasons, refined_codes, reliability
from curate.labels.selection import Selection
from curate.labels.settings import Settings
from curate.labels.soft import soft_labels


def label_table(
    evidence: Evidence, posterior: Posterior, selection: Selection, settings: Settings
) -> pl.DataFrame:
    """One row a clip, sorted by clip_id.

    Returns:
        clip_id; label_given (null without); posterior and soft_label, in class
        order; label_refined, the likeliest class, the given one if it is as
        likely; confidence, its probability; expected_value and spread, mean and
        standard deviation of the class's place from 0, null unless classes are
        ordered; reliability, P(label_given is right), null without;
        reliability_split, high or low, null without; pseudo_label,
        pseudo_confidence and pseudo_accepted, null with a given label; why, see
        `reasons`.
    """
    given = given_codes(evidence)
    probabilities = posterior.probabilities
    refined, pseudo = refined_codes(probabilities, given), selection.pseudo
    unlabelled = pl.Series(given < 0)
    columns = {
        "clip_id": pl.Series(evidence.clip_ids, dtype=pl.String),
        "label_given": _names(evidence, given),
        "posterior": _lists(probabilities, pl.Float64),
        "soft_label": _lists(_soft(evidence, probabilities, settings), pl.Float32),
        "label_refined": _names(evidence, refined),
        "confidence": pl.Series(probabilities.max(axis=1, initial=0)),
        "expected_value": _if_ordinal(evidence, expected_value(probabilities)),
        "spread": _if_ordinal(evidence, spread(probabilities)),
        "reliability": pl.Series(reliability(probabilities, given)).fill_nan(None),
        "reliability_split": selection.split,
        "pseudo_label": _names(evidence, pseudo.label),
        "pseudo_confidence": pl.Series(pseudo.confidence).fill_nan(None),
        "pseudo_accepted": pl.select(pl.when(unlabelled).then(pl.Series(pseudo.accepted))).to_series(),
        "why": reasons(evidence, posterior, given, refined),
    }
    return pl.DataFrame([values.alias(name) for name, values in columns.items()])


def _soft(evidence: Evidence, probabilities: Floats, settings: Settings) -> np.ndarray:
    if settings.soft == "posterior":
        return soft_labels(probabilities)
    by_person = [instrument.kind == "human" for instrument in evidence.instruments]
    people = np.repeat(by_person, np.diff(evidence.offsets)).astype(np.float64)
    return soft_labels(probabilities, evidence.class_votes(people), settings.soft_votes)


def _if_ordinal(evidence: Evidence, values: Floats) -> pl.Series:
    shown = values if evidence.ordinal else np.full(len(values), np.nan)
    return pl.Series(shown, dtype=pl.Float64).fill_nan(None)


def _names(evidence: Evidence, codes: Ints) -> pl.Series:
    """Names of the classes, null for -1."""
    names = pl.Series(evidence.classes, dtype=pl.String)
    return names.gather(pl.Series(codes).replace(-1, None))


def _lists(rows: np.ndarray, dtype: type[pl.DataType]) -> pl.Series:
    return pl.Series(rows, dtype=pl.Array(dtype, rows.shape[1])).cast(pl.List(dtype))
