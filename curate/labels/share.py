"""Share: how many clips are so, estimated from the few looked at and from predictions for all of them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, t

from curate.errors import InputError, Problem
from curate.labels.evidence import Floats, Ints

FEW_GOLD = 30
"""Gold clips below which predictions are not used: their worth cannot be told from so few."""

FEW_EITHER = 5
"""Gold clips that are so, or not so, below which the same holds: the variance is then mostly luck."""

FEW_GROUPS = 10
"""Subjects with gold below which the same holds."""

MOST_GAIN = 3.0
"""Predictions may make gold worth at most so many times as much. Where they are
nearly always right, the variance hangs on a few clips that gold may have missed:
without this, intervals for the shares of classes miss too often."""

Method = Literal["prediction-powered", "exact", "complete", "no gold"]


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """How the gold was drawn and what the interval is to cover."""

    inclusion: Floats | None = None
    """P(the clip was drawn for gold), in (0, 1] where there is gold and ignored
    elsewhere: (n_clips,). None: every clip was as likely as any other."""
    groups: Ints | None = None
    """Subject or source of each clip: (n_clips,). None: every clip stands for itself."""
    level: float = 0.95
    """How often the interval is to hold the true share, over draws of gold; between 0 and 1."""
    finite: bool = True
    """True: the share among these very clips. False: among all clips that could
    have been collected in the same way."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share of clips with its interval; value, low and high are between 0 and 1."""

    value: float
    """nan without gold."""
    low: float
    """0 without gold."""
    high: float
    """1 without gold."""
    n_gold: int
    n_groups: int
    """Groups that have gold; `n_gold` if clips stand for themselves."""
    n_clips: int
    method: Method
    """prediction-powered: gold and predictions. exact: few gold, which alone is
    used, and an interval that is rather too wide. complete: every clip has gold."""
    power: float
    """How far the predictions are used: 0 not at all, 1 at face value."""


def estimate_share(predicted: Floats, observed: Floats, design: Design | None = None) -> Estimate:
    """Estimate a share from gold, sharpened by what the model predicts for every clip.

    With predictions f and truth y, the estimate is mean(power f) over all clips
    plus the weighted mean of y - power f over gold, power between 0 and 1 chosen
    to make its variance smallest: good predictions narrow the interval, bad ones
    do no harm. The interval is Wilson's, for as many independent clips as would
    have the same variance; the usual estimate +- 2 standard errors misses the
    truth too often where nearly all labels are right.

    Args:
        predicted: P(yes) by a model that has not seen the gold: (n_clips,).
        observed: 1 for yes, 0 for no, nan where there is no gold: (n_clips,).
        design: How gold was drawn; by default uniformly, clips independent.

    Returns:
        The estimate. With few gold clips (`FEW_GOLD`, `FEW_EITHER`) or groups
        (`FEW_GROUPS`), gold alone and an exact interval.

    Raises:
        InputError: Entries that are no probabilities, or level outside (0, 1).

    Source:
        Angelopoulos, Duchi and Zrnic (2023), PPI++, section 6 (power tuning),
        https://arxiv.org/abs/2311.01453, which for gold drawn from the clips
        themselves is the difference estimator of Cassel, Särndal and Wretman
        (1976), https://doi.org/10.1093/biomet/63.3.615. Wilson (1927),
        https://doi.org/10.1080/01621459.1927.10502953. Korn and Graubard (1998),
        Survey Methodology 24, 193-201, for the exact interval. Putting Wilson's
        interval on the prediction-powered variance is ours.
    """
    design = design or Design()
    _check(predicted, observed, design)
    known = np.flatnonzero(~np.isnan(observed))
    if not len(known):
        return Estimate(float("nan"), 0.0, 1.0, 0, 0, len(observed), "no gold", 0.0)
    drawn = _drawn(known, len(observed), design)
    if design.finite and len(known) == len(observed):
        value = float(observed.mean())
        return Estimate(value, value, value, len(known), drawn.n_groups, len(observed), "complete", 0.0)
    few = _is_few(observed[known], drawn)
    power = 0.0 if few else _power(predicted[known], observed[known], drawn)
    value = _value(predicted, observed, drawn, power)
    alone, variance = (_variance(predicted, observed, drawn, by, design) for by in (0.0, power))
    size = _effective_size(value, max(variance, alone / MOST_GAIN), drawn)
    low, high = _exact(value, size, drawn, design) if few else _wilson(value, size, drawn, design.level)
    method: Method = "exact" if few else "prediction-powered"
    return Estimate(value, low, high, len(known), drawn.n_groups, len(observed), method, power)


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """The gold clips."""

    known: Ints
    """Their indices: (n_gold,)."""
    inclusion: Floats
    """P(drawn): (n_gold,)."""
    weight: Floats
    """Inverse of it, summing to 1: (n_gold,)."""
    group: Ints
    """Code of every clip's group: (n_clips,)."""
    n_groups: int
    """Groups with gold."""
    plain: bool
    """Whether clips are as likely as each other and stand for themselves."""


def _drawn(known: Ints, n_clips: int, design: Design) -> _Drawn:
    share = np.full(len(known), len(known) / n_clips)
    inclusion = share if design.inclusion is None else design.inclusion[known]
    group = np.arange(n_clips) if design.groups is None else np.unique(design.groups, return_inverse=True)[1]
    n_groups = len(np.unique(group[known]))
    weight = 1 / inclusion
    plain = design.inclusion is None and n_groups == len(known)
    return _Drawn(known, inclusion, weight / weight.sum(), group, n_groups, plain)


def _is_few(observed: Floats, drawn: _Drawn) -> bool:
    n_yes = int(observed.sum())
    rarer = min(n_yes, len(observed) - n_yes)
    return len(observed) < FEW_GOLD or rarer < FEW_EITHER or drawn.n_groups < FEW_GROUPS


def _power(predicted: Floats, observed: Floats, drawn: _Drawn) -> float:
    """Cov(y, f) / Var(f), weighted as the clips weigh in the variance; between 0 and 1."""
    weight = drawn.weight**2 * np.maximum(1 - drawn.inclusion, 1e-9)
    away_predicted = predicted - drawn.weight @ predicted
    away_observed = observed - drawn.weight @ observed
    spread = weight @ away_predicted**2
    if spread < 1e-12 * weight.sum():
        return 0.0
    return float(np.clip(weight @ (away_predicted * away_observed) / spread, 0, 1))


def _value(predicted: Floats, observed: Floats, drawn: _Drawn, power: float) -> float:
    """The estimate: power mean(f) + weighted mean of y - power f, the weights summing to 1 (Hájek)."""
    rest = observed[drawn.known] - power * predicted[drawn.known]
    return float(np.clip(power * predicted.mean() + drawn.weight @ rest, 0, 1))


def _variance(predicted: Floats, observed: Floats, drawn: _Drawn, power: float, design: Design) -> float:
    """Sum over groups of the squared sum of what each clip adds, times m / (m - 2) for m groups with gold.

    2 is the number of things estimated along the way, mean and power. A clip
    with gold adds its weight times its residual, times sqrt(1 - P(drawn)) if the
    clips are all there is: a clip that is always drawn adds no chance.
    """
    rest = observed[drawn.known] - power * predicted[drawn.known]
    chance = np.sqrt(1 - drawn.inclusion) if design.finite else 1.0
    adds = (
        np.zeros(len(observed)) if design.finite else power * (predicted - predicted.mean()) / len(observed)
    )
    adds[drawn.known] += drawn.weight * (rest - drawn.weight @ rest) * chance
    by_group = np.bincount(drawn.group, adds)
    n_groups = drawn.n_groups
    return float((by_group**2).sum() * n_groups / max(n_groups - 2, 1))


def _effective_size(value: float, variance: float, drawn: _Drawn) -> float:
    """Independent clips with the same variance, value (1 - value) / variance.

    Without any variance in gold, as when all of it is right, the groups counted
    by weight: (sum w)^2 / sum w^2.
    """
    if variance <= 1e-15 or not 0 < value < 1:
        by_group = np.bincount(drawn.group[drawn.known], drawn.weight)
        return float(1 / (by_group**2).sum())
    return value * (1 - value) / variance


def _wilson(value: float, size: float, drawn: _Drawn, level: float) -> tuple[float, float]:
    """Wilson's interval for `size` clips, with Student's t for the groups instead of the normal quantile."""
    z = _quantile(level, drawn.n_groups)
    middle = (value + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(value * (1 - value) / size + z**2 / (4 * size**2))
    # Rounding must not push the estimate out of its own interval.
    return max(0.0, min(value, float(middle - half))), min(1.0, max(value, float(middle + half)))


def _exact(value: float, size: float, drawn: _Drawn, design: Design) -> tuple[float, float]:
    """Clopper and Pearson's interval, for fewer clips where they are alike or weigh differently."""
    n_gold = len(drawn.known)
    if not drawn.plain:
        loss = _quantile(design.level, n_gold) / _quantile(design.level, drawn.n_groups)
        n_gold_worth = min(float(n_gold), size * loss**2)
    else:
        n_gold_worth = float(n_gold)
    yes, no, tail = value * n_gold_worth, (1 - value) * n_gold_worth, (1 - design.level) / 2
    low = float(beta.ppf(tail, yes, no + 1)) if yes > 1e-9 else 0.0
    high = float(beta.ppf(1 - tail, yes + 1, no)) if no > 1e-9 else 1.0
    return low, high


def _quantile(level: float, n_groups: int) -> float:
    """Student's t for n_groups - 1 degrees of freedom, at least 1."""
    return float(t.ppf((1 + level) / 2, max(n_groups - 1, 1)))


def _check(predicted: Floats, observed: Floats, design: Design) -> None:
    each = {"observed": observed, "inclusion": design.inclusion, "groups": design.groups}
    if problems := [
        Problem(name, f"got {len(values)}, expected one a clip: {len(predicted)}")
        for name, values in each.items()
        if values is not None and len(values) != len(predicted)
    ]:
        raise InputError("gold", problems)
    known = ~np.isnan(observed)
    checks = [
        ("predicted", "a probability", (predicted >= 0) & (predicted <= 1)),
        ("observed", "0, 1 or nan", ~known | (observed == 0) | (observed == 1)),
    ]
    if design.inclusion is not None:
        possible = (design.inclusion > 0) & (design.inclusion <= 1)
        checks.append(("inclusion", "a probability above 0 where there is gold", ~known | possible))
    problems = [_problem(name, what, good) for name, what, good in checks if not good.all()]
    if not 0 < design.level < 1:
        problems.append(Problem("level", f"got {design.level:g}, expected a number between 0 and 1"))
    if problems:
        raise InputError("gold", problems)


def _problem(name: str, what: str, good: NDArray[np.bool_]) -> Problem:
    bad = np.flatnonzero(~good)
    return Problem(
        name, f"{len(bad)} of {len(good)} clips have an entry that is not {what}, first clip {bad[0]}"
    )
