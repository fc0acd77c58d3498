"""Refine: evidence in, labels out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl

from curate.errors import InputError, Problem
from curate.labels.evidence import Evidence, Ints
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit
from curate.labels.posterior import Posterior
from curate.labels.pseudo import pseudo_labels
from curate.labels.reliability import given_codes, reasons, refined_codes, reliability
from curate.labels.soft import soft_labels
from curate.labels.split import split_by_quota, split_by_threshold
from curate.labels.trust import FitSettings
from curate.labels.worth import confusion_table, instrument_table


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked of the labels."""

    rule: Literal["threshold", "quota"] = "threshold"
    """threshold: reliability decides alone. quota: the best share of every given class."""
    threshold: float = 0.8
    """Reliability from which on a given label is high, if `rule` is threshold."""
    quota: float = 0.5
    """Share of each given class that is high, if `rule` is quota."""
    pseudo_threshold: float = 0.9
    """Confidence from which on a pseudo-label is accepted."""
    fit: FitSettings = field(default_factory=FitSettings)
    """The model's own settings."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What came of the evidence."""

    classes: tuple[str, ...]
    ordinal: bool
    table: pl.DataFrame
    """One row a clip, sorted by clip_id; `TABLE_SCHEMA` has the columns."""
    instruments: pl.DataFrame
    """One row an instrument: see `instrument_table`."""
    confusions: pl.DataFrame
    """P(outcome | class) of every instrument: instrument, class, outcome, probability."""


def refine(
    evidence: pl.DataFrame | Evidence,
    classes: Sequence[str],
    *,
    ordinal: bool = False,
    options: Mapping[str, Sequence[str]] | None = None,
    directions: Mapping[str, int] | None = None,
    clip_ids: Iterable[str] = (),
    settings: Settings | None = None,
) -> Labels:
    """Weigh everything that was said about each clip, and label it.

    Args:
        evidence: A long table as `evidence_from_frame` reads it, or what it made
            of one; with the latter, the keyword arguments up to `clip_ids` must
            be left out.
        classes: At least two names, lowest first if `ordinal`.
        ordinal: Whether the classes are ordered.
        options: What each instrument can answer, by name.
        directions: +1 or -1 for items whose later options speak for higher or
            lower classes. Needed only where no answer is a class.
        clip_ids: Clips to be listed even if nothing is said about them: they get
            the share of the classes as posterior and "prior" as only reason.
        settings: How to split and what to accept.

    Returns:
        The labels. Columns of the table: clip_id; label_given (null without);
        posterior and soft_label, in class order; label_refined, the likeliest
        class, the given one if it is as likely; confidence, its probability;
        reliability, P(label_given is right), null without; reliability_split,
        high or low, null without; pseudo_label, pseudo_confidence and
        pseudo_accepted, null with a given label; why, see `reasons`.

    Raises:
        InputError: With every problem of the evidence, or because nothing tells
            what the classes mean.
    """
    settings = settings or Settings()
    if isinstance(evidence, pl.DataFrame):
        evidence = evidence_from_frame(
            evidence, classes, ordinal=ordinal, options=options, directions=directions, clip_ids=clip_ids
        )
    elif tuple(classes) != evidence.classes:
        listed = ", ".join(evidence.classes)
        raise InputError(
            "evidence", [Problem("classes", f"the evidence was coded for {listed}", "Pass these")]
        )
    posterior = fit(evidence, settings.fit)
    return Labels(
        classes=evidence.classes,
        ordinal=evidence.ordinal,
        table=_table(evidence, posterior, settings),
        instruments=instrument_table(evidence, posterior),
        confusions=confusion_table(evidence, posterior),
    )


def _table(evidence: Evidence, posterior: Posterior, settings: Settings) -> pl.DataFrame:
    given = given_codes(evidence)
    refined = refined_codes(posterior.probabilities, given)
    sure = reliability(posterior.probabilities, given)
    spoken = np.bincount(evidence.item, minlength=evidence.n_items) > 0
    pseudo = pseudo_labels(posterior.probabilities, given, spoken, settings.pseudo_threshold)
    unlabelled = pl.Series(given < 0)
    columns = {
        "clip_id": pl.Series(evidence.clip_ids, dtype=pl.String),
        "label_given": _names(evidence, given),
        "posterior": _lists(posterior.probabilities, pl.Float64),
        "soft_label": _lists(soft_labels(posterior.probabilities), pl.Float32),
        "label_refined": _names(evidence, refined),
        "confidence": pl.Series(posterior.probabilities.max(axis=1, initial=0)),
        "reliability": pl.Series(sure).fill_nan(None),
        "reliability_split": _split(evidence, given, sure, settings),
        "pseudo_label": _names(evidence, pseudo.label),
        "pseudo_confidence": pl.Series(pseudo.confidence).fill_nan(None),
        "pseudo_accepted": pl.select(pl.when(unlabelled).then(pl.Series(pseudo.accepted))).to_series(),
        "why": reasons(evidence, posterior, given, refined),
    }
    return pl.DataFrame([values.alias(name) for name, values in columns.items()])


def _split(evidence: Evidence, given: Ints, sure: np.ndarray, settings: Settings) -> pl.Series:
    if settings.rule == "quota":
        return split_by_quota(sure, given, evidence.clip_ids, settings.quota)
    return split_by_threshold(sure, settings.threshold)


def _names(evidence: Evidence, codes: Ints) -> pl.Series:
    """Names of the classes, null for -1."""
    names = pl.Series(evidence.classes, dtype=pl.String)
    return names.gather(pl.Series(codes).replace(-1, None))


def _lists(rows: np.ndarray, dtype: type[pl.DataType]) -> pl.Series:
    return pl.Series(rows, dtype=pl.Array(dtype, rows.shape[1])).cast(pl.List(dtype))
