"""Class collapse: one class that takes far more of the labels than its share."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.stats import binom, hypergeom

from curate.answers.measures.distribution import Floats, Ints
from curate.answers.measures.share import counted

CHANCE = 0.01
"""How often, at most, a sink is found where no class takes more than its share."""

FAR_MORE = 1.25
"""Times its expected share from which on a class that takes more is a sink: of many clips, any
small excess is more than chance."""

SCHEMA = {
    "label": pl.String,
    "n": pl.Float64,
    "share": pl.Float64,
    "share_low": pl.Float64,
    "share_high": pl.Float64,
    "expected": pl.Float64,
    "ratio": pl.Float64,
    "p_value": pl.Float64,
    "sink": pl.Boolean,
}


def collapse(concluded: Floats, classes: Sequence[str], reference: Ints | None = None) -> pl.DataFrame:
    """Compare how often each class was concluded with how often it was to be expected.

    Args:
        concluded: Shape (n_clips, n_classes): one 1 a row for a label, or a
            posterior. Clips with a nan concluded nothing and are left out.
        classes: Their names.
        reference: Given labels or people's votes of each class, (n_classes,);
            none, or none at all, expects every class equally often. Best of the
            same clips: where the reference is of others, a class that is in
            truth more common among these clips looks like a sink.

    Returns:
        A row a class, in the order of `classes`:

        - n: clips concluded; of a posterior the sum of its probabilities.
        - share: n / all, with the ends of the exact 95 % interval.
        - expected: share in the reference, and ratio = share / expected;
          infinite for a class that only the reference lacks, nan for one that
          both lack and where nothing was concluded.
        - p_value: chance of so many or more if its share were the expected one.
        - sink: the class that takes most beyond its share, if that is more than
          chance (`CHANCE`, over all classes together) and `FAR_MORE` or more.

    Raises:
        ValueError: Shapes do not fit, or a count is negative.

    Source:
        Ours. The chance is Fisher's exact test (1935,
        https://doi.org/10.2307/2342435), one-sided, of both samples; binomial
        against equal shares; each class at `CHANCE` / n_classes (Bonferroni).
        The two samples are usually of the same clips and alike, which makes
        chance smaller than the test takes it to be: it errs on the side of no
        sink.
    """
    _check(concluded, classes, reference)
    told = concluded[~np.isnan(concluded).any(axis=1)]
    n, total = told.sum(axis=0), float(len(told))
    expected = _expected(reference, len(classes))
    p_values = _p_values(n, total, reference)
    shares = [counted(float(min(count, total)), total) for count in n]
    columns = {
        "label": list(classes),
        "n": n,
        "share": [share.value for share in shares],
        "share_low": [share.low for share in shares],
        "share_high": [share.high for share in shares],
        "expected": expected,
        "ratio": _ratios(n, total, expected),
        "p_value": p_values,
        "sink": _is_sink(n, total, expected, p_values),
    }
    return pl.DataFrame(columns, schema=SCHEMA)


def _expected(reference: Ints | None, n_classes: int) -> Floats:
    if reference is None or not reference.any():
        return np.full(n_classes, 1 / n_classes)
    return np.asarray(reference / reference.sum())


def _p_values(n: Floats, total: float, reference: Ints | None) -> Floats:
    """P(so many or more | the expected share) of each class; sums of probabilities are rounded."""
    count, drawn = np.rint(n), round(total)
    if reference is None or not reference.any():
        return np.asarray(binom.sf(count - 1, drawn, 1 / len(n)))
    everyone = drawn + int(reference.sum())
    return np.asarray(hypergeom.sf(count - 1, everyone, count + reference, drawn))


def _ratios(n: Floats, total: float, expected: Floats) -> Floats:
    if not total:
        return np.full(len(n), np.nan)
    share = n / total
    ratio = np.divide(share, expected, out=np.full(len(n), np.inf), where=expected > 0)
    return np.where((share == 0) & (expected == 0), np.nan, ratio)


def _is_sink(n: Floats, total: float, expected: Floats, p_values: Floats) -> list[bool]:
    """True for at most one class."""
    if not total:
        return [False] * len(n)
    most = int(np.argmax(n / total - expected))
    is_far = n[most] / total >= FAR_MORE * expected[most]
    is_more = p_values[most] < CHANCE / len(n)
    return [bool(place == most and is_far and is_more) for place in range(len(n))]


def _check(concluded: Floats, classes: Sequence[str], reference: Ints | None) -> None:
    if concluded.ndim != 2 or concluded.shape[1] != len(classes):
        raise ValueError(f"concluded must be (n_clips, {len(classes)}), got shape {concluded.shape}")
    if reference is not None and (reference.shape != (len(classes),) or (reference < 0).any()):
        raise ValueError(f"reference must be {len(classes)} counts of 0 or more, got {reference}")
