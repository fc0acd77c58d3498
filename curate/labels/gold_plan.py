"""Where gold is best spent: which sets of the surest clips to test, in which order."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr
from scipy.stats import norm

from curate.labels.evidence import Floats, Ints

PRIOR_MEAN = np.array([0.0, 0.8, 0.2])
"""Log-odds of an error: constant, slope on the predicted log-odds, slope on the normal score of the rank."""
PRIOR_SPREAD = np.array([1.0, 0.5, 0.5])
ROUGHNESS = 60.0
"""Pseudo-clips behind each cell's predicted error: smaller where error curves are less smooth."""
CURVES = 40
"""Error curves drawn to judge a plan by."""
CELLS = 26
"""Sizes that a set may have, evenly spread over the ranking."""
POINTS = 4
"""Ranks of a cell at which its error is predicted."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Clips from the surest to the least sure, as far as their errors are known."""

    predicted: Floats
    """Predicted probability that the label is wrong: (n_clips,)."""
    wrong: Ints
    """1 if gold says the label is wrong, 0 if right, -1 if there is no gold: (n_clips,)."""
    ends: Ints
    """Sizes at which no two equally sure clips are parted, rising: (n_ends,)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Outlook:
    """The cells between the sizes, as they are and as they may be."""

    sizes: Ints
    """(n_sizes,)."""
    unknown: Ints
    """Clips without gold up to each size: (n_sizes,)."""
    known_errors: Ints
    """Up to each size: (n_sizes,)."""
    hidden_errors: Ints
    """Errors among the unknown up to each size, for each drawn curve: (CURVES, n_sizes)."""


def plan_sizes(
    ranking: Ranking,
    n_draws: int,
    epsilon: float,
    delta: float,
    rng: np.random.Generator,
    *,
    everywhere: bool = False,
) -> Ints:
    """The sizes to test one after the other, and so where to draw gold: up to the last of them.

    A bad plan only costs clips: whatever the plan, the test after it is exact.

    Args:
        ranking: Gold in it may have come in any way.
        n_draws: Gold labels still to be drawn, uniformly up to the last size.
        epsilon: Share of errors that is allowed.
        delta: Level of the tests.
        rng: Draws the error curves.
        everywhere: Whether gold is drawn among all clips, not up to the last size.

    Returns:
        Rising sizes, (n_sizes,), those with the most clips kept on average over
        error curves drawn from what gold has shown so far; empty without clips.

    Source:
        Ours: docs/statistics.md.
    """
    if not len(ranking.ends):
        return np.empty(0, dtype=np.int64)
    outlook = _outlook(ranking, rng)
    power = _power(outlook, n_draws, epsilon, float(norm.isf(delta)))
    first, last = _most_kept(outlook.sizes, power, everywhere)
    return outlook.sizes[first : last + 1]


def _outlook(ranking: Ranking, rng: np.random.Generator) -> _Outlook:
    sizes = _candidate_sizes(ranking.ends)
    starts = np.r_[0, sizes[:-1]]
    known = np.r_[0, np.cumsum(ranking.wrong >= 0)]
    errors = np.r_[0, np.cumsum(ranking.wrong == 1)]
    in_cell = np.diff(np.r_[0, sizes - known[sizes]])
    share = _cell_errors(ranking, starts, sizes, rng)
    rough = rng.beta(ROUGHNESS * share + 1e-6, ROUGHNESS * (1 - share) + 1e-6)
    hidden = rng.binomial(in_cell, rough).cumsum(axis=1)
    return _Outlook(sizes, sizes - known[sizes], errors[sizes], hidden)


def _candidate_sizes(ends: Ints) -> Ints:
    wanted = np.linspace(0.03, 1, CELLS) * ends[-1]
    below = np.searchsorted(ends, wanted + 1e-9, side="right") - 1
    sizes: Ints = np.unique(ends[np.maximum(below, 0)])
    return sizes


def _cell_errors(ranking: Ranking, starts: Ints, ends: Ints, rng: np.random.Generator) -> Floats:
    """Drawn mean probability of an error in each cell: (CURVES, n_cells)."""
    n_clips = len(ranking.predicted)
    ranks = norm.ppf((np.arange(n_clips) + 0.5) / n_clips)
    doubts = logit(np.clip(ranking.predicted, 0.005, 0.9))
    features = np.column_stack([np.ones(n_clips), doubts, ranks])  # (n_clips, 3)
    known = np.flatnonzero(ranking.wrong >= 0)
    curves = _drawn_coefficients(features[known], ranking.wrong[known], rng)
    inside = (np.arange(POINTS) + 0.5) / POINTS
    at = (starts[:, None] + inside * (ends - starts)[:, None]).astype(np.int64)  # (n_cells, POINTS)
    chance: Floats = expit(np.einsum("cf,spf->csp", curves, features[at])).mean(axis=2)
    return chance


def _drawn_coefficients(features: Floats, wrong: Ints, rng: np.random.Generator) -> Floats:
    """Logistic regression with a normal prior, its posterior made normal at its peak: (CURVES, 3)."""
    precision = np.diag(PRIOR_SPREAD**-2)
    peak = PRIOR_MEAN
    for _ in range(12):
        chance = expit(features @ peak)
        hessian = (features.T * (chance * (1 - chance))) @ features + precision
        slope = features.T @ (wrong - chance) - precision @ (peak - PRIOR_MEAN)
        peak = peak + np.linalg.solve(hessian, slope)
    spread = np.linalg.cholesky(np.linalg.inv(hessian))
    drawn: Floats = peak + rng.standard_normal((CURVES, len(peak))) @ spread.T
    return drawn


def _power(outlook: _Outlook, n_draws: int, epsilon: float, z: float) -> Floats:
    """P(set passes its test), for each curve, size up to which gold is drawn, and size of the set.

    Approximate: normal, with Cornish and Fisher's correction for skewness.

    Returns:
        Shape (CURVES, n_sizes, n_sizes); 0 where the set reaches beyond the draws.
    """
    unknown = outlook.unknown.astype(np.float64)
    allowed = np.floor(epsilon * outlook.sizes + 1e-9) - outlook.known_errors
    drawn = np.minimum(n_draws / np.maximum(unknown, 1)[:, None], 1) * unknown * np.tri(len(unknown))
    population = np.maximum(unknown, 1)
    finite = np.clip((population - drawn) / np.maximum(population - 1, 1), 0, 1)
    limit = np.clip((allowed + 1) / population, 1e-9, 1)
    chance = outlook.hidden_errors[:, None, :] / population
    spread = np.sqrt(drawn * limit * (1 - limit) * finite)
    skew = (z * z - 1) / 6 * (1 - 2 * limit) * (finite > 0.02)
    critical = np.floor(drawn * limit + skew - z * spread - 0.5 + 1e-9)
    critical = np.minimum(np.where(drawn >= unknown - 0.5, allowed, critical), allowed)
    deviation = np.sqrt(drawn * chance * (1 - chance) * finite) + 1e-6
    x = (critical + 0.5 - drawn * chance) / deviation
    x = x - (np.minimum(x * x, 9) - 1) * (1 - 2 * chance) / (6 * np.maximum(deviation, 0.5))
    power: Floats = np.where((critical >= 0) & (allowed >= 0) & (drawn > 0), ndtr(x), 0.0)
    return power


def _most_kept(sizes: Ints, power: Floats, everywhere: bool) -> tuple[int, int]:
    """First and last size with the most clips kept on average.

    The tests share their draws, so passing all up to a size is about as likely
    as passing the hardest of them.
    """
    best, chosen = -1.0, (0, 0)
    for first in range(len(sizes)):
        reaches = power[:, -1:, first:] if everywhere else power[:, first:, first:]
        passed = np.minimum.accumulate(reaches, axis=2)  # (CURVES, last, size)
        steps = np.r_[sizes[first], np.diff(sizes[first:])]
        kept = (passed @ steps).mean(axis=0)
        last = int(kept.argmax())
        if kept[last] > best:
            best, chosen = float(kept[last]), (first, len(sizes) - 1 if everywhere else first + last)
    return chosen
