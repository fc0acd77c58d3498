"""A share that was counted, with the interval that its count allows."""

from dataclasses import dataclass

from scipy.stats import beta

LEVEL = 0.95
"""Of the intervals that are reported."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: float
    total: float
    value: float
    """count / total; nan of none."""
    low: float
    high: float
    """Ends of Clopper and Pearson's interval."""


def counted(count: float, total: float, level: float = LEVEL) -> Share:
    """The share of `count` in `total`.

    Args:
        count: From 0 to `total`; need not be whole where it is a sum of
            probabilities. The interval is then an approximation.
        total: At least 0.
        level: Of the two-sided interval, between 0 and 1.

    Returns:
        The share; of none it is nan, anywhere from 0 to 1.

    Source:
        Clopper and Pearson (1934), https://doi.org/10.1093/biomet/26.4.404
    """
    if total <= 0:
        return Share(count, total, float("nan"), 0.0, 1.0)
    tail = (1 - level) / 2
    return Share(
        count, total, count / total, lower_bound(count, total, tail), upper_bound(count, total, tail)
    )


def lower_bound(count: float, total: float, error: float) -> float:
    """What the share is at least, but for `error`; 0 of none."""
    return float(beta.ppf(error, count, total - count + 1)) if count > 0 else 0.0


def upper_bound(count: float, total: float, error: float) -> float:
    """What the share is at most, but for `error`; 1 of none."""
    return float(beta.ppf(1 - error, count + 1, total - count)) if count < total else 1.0
