"""Statements: certificates, cautions and quality as tables."""

import polars as pl

from curate.labels.caution import Caution
from curate.labels.certificate import Certificate
from curate.labels.quality import Quality
from curate.labels.share import Estimate

CAUTIONS = {
    "code": pl.String,
    "severity": pl.String,
    "text": pl.String,
    "value": pl.Float64,
    "threshold": pl.Float64,
}
CERTIFICATES = {
    "labels": pl.String,
    "class": pl.String,
    "certified": pl.Boolean,
    "error": pl.Float64,
    "risk": pl.Float64,
    "threshold": pl.Float64,
    "n_clips": pl.Int64,
    "n_gold": pl.Int64,
    "n_wrong": pl.Int64,
    "n_more": pl.Int64,
    "statement": pl.String,
}
QUALITY = {
    "measure": pl.String,
    "class": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n_gold": pl.Int64,
    "n_clips": pl.Int64,
    "method": pl.String,
}


def caution_table(found: tuple[Caution, ...]) -> pl.DataFrame:
    """One row a caution, in the order in which they were given."""
    rows = [(one.code, one.severity, one.text, one.value, one.threshold) for one in found]
    return pl.DataFrame(rows, schema=CAUTIONS, orient="row")


def certificate_table(
    given: Certificate | None, pseudo: Certificate | None, classes: tuple[str, ...]
) -> pl.DataFrame:
    """One row a certificate, that of all classes before those of each."""
    rows = []
    for labels, whole in (("given", given), ("pseudo", pseudo)):
        if whole is not None:
            rows.append(_certificate(labels, None, whole))
            rows += [_certificate(labels, classes[code], part) for code, part in whole.classes]
    return pl.DataFrame(rows, schema=CERTIFICATES, orient="row")


def quality_table(found: Quality | None, classes: tuple[str, ...]) -> pl.DataFrame:
    """One row an estimate; empty without gold."""
    if found is None:
        return pl.DataFrame(schema=QUALITY)
    shares = (("given", found.given), ("refined", found.refined), ("high", found.high))
    rows = [_estimate(measure, None, one) for measure, one in shares]
    rows += [_estimate("class", name, one) for name, one in zip(classes, found.classes, strict=True)]
    return pl.DataFrame(rows, schema=QUALITY, orient="row").with_columns(pl.col("value").fill_nan(None))


def _certificate(labels: str, name: str | None, one: Certificate) -> tuple[object, ...]:
    threshold = one.threshold if one.certified else None
    counts = (one.n_kept, one.n_gold_used, one.n_errors_seen, one.n_more)
    return (labels, name, one.certified, one.epsilon, one.delta, threshold, *counts, one.statement)


def _estimate(measure: str, name: str | None, one: Estimate) -> tuple[object, ...]:
    return (measure, name, one.value, one.low, one.high, one.n_gold, one.n_clips, one.method)
