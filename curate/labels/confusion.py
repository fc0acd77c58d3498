"""Confusions: how likely each option is under each class, shrunk towards what alike instruments do.

Counts and probabilities of all instruments stand side by side as one array
(n_columns, n_classes): a column for each option of each instrument.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.special import expit, gammaln, logit

from curate.labels.evidence import Floats, Ints
from curate.labels.layout import Layout
from curate.labels.ordinal import ordinal_even, ordinal_pool_mean, tilted_item_mean

STRENGTHS: Floats = np.asarray(2.0 ** np.arange(13), dtype=np.float64)
"""Pseudo-votes that empirical Bayes chooses from: 1 (each on its own) to 4096 (all alike)."""

ITEM_STRENGTHS: Floats = STRENGTHS[:4]
"""The same for items, 1 to 8: more would silence every item where few clips are labelled."""

USUAL = (16.0, 16.0)
"""Strengths of accuracy and rows near which the best ones are looked for first."""

OWN_VOTES = 2.0
"""Factor on the strength of ordinal rows: each vote is among those that told its class, and so
looks more telling than it is. Not for pools of one or two, whose confusions agreement cannot show."""

PSEUDO = 1.0
"""Votes of "as usual" added to every pooled rate, so that no rate is 0 or 1."""


@dataclass(frozen=True, slots=True)
class Strengths:
    """Pseudo-votes chosen for each pool, (accuracy, rows), and for each item."""

    pools: tuple[tuple[float, float], ...]
    items: tuple[float, ...]


def choose_strengths(counts: Floats, where: Layout, near: Strengths | None = None) -> Strengths:
    """Empirical Bayes: the strengths under which the counts are likeliest.

    Args:
        counts: Expected votes for each option under each class, (n_columns, n_classes).
        where: The columns of each instrument.
        near: Where to begin to look: what was found before, for other counts.

    Returns:
        For each pool and item the strength whose marginal likelihood
        (Dirichlet-multinomial, summed over rows) is best, the smallest of those
        within 1e-6 of each other; the largest for pools that are alike.
    """
    most = float(STRENGTHS[-1])
    before = (near.pools if near else ()) or (USUAL,) * len(where.pools)
    return Strengths(
        pools=tuple(
            (most, most) if where.alike else _pool_strengths(_pool_counts(counts, columns), where, first)
            for columns, first in zip(where.pools, before, strict=True)
        ),
        items=tuple(_item_strength(counts[columns].T, mean) for columns, mean in _item_means(counts, where)),
    )


def confusions(counts: Floats, where: Layout, strengths: Strengths) -> Floats:
    """Probability of each option under each class: (n_columns, n_classes), every entry > 0.

    Args:
        counts: Expected votes, (n_columns, n_classes), >= 0.
        where: The columns of each instrument.
        strengths: As `choose_strengths` found them.

    Returns:
        The posterior mean of each row under a Dirichlet prior. For a pool the
        prior's mean is `pool_mean`; for an item it is the item's share of each
        option over all clips, so that an item that has shown nothing yet says
        nothing. Sums to 1 over the options of an instrument.

    Source:
        Ours. Hierarchical Dawid-Skene after Dawid and Skene (1979),
        https://doi.org/10.2307/2346806, and Paun et al. (2018), Comparing
        Bayesian Models of Annotation, section 3, https://doi.org/10.1162/tacl_a_00040
    """
    result = np.full_like(counts, 1 / counts.shape[1])  # of a voter that said nothing
    for columns, (accuracy, rows) in zip(where.pools, strengths.pools, strict=True):
        mine = _pool_counts(counts, columns)
        result[columns] = _posterior_mean(mine, _expected(mine, accuracy, where), rows).transpose(0, 2, 1)
    for (columns, mean), strength in zip(_item_means(counts, where), strengths.items, strict=True):
        result[columns] = _posterior_mean(counts[columns].T, mean, strength).T
    return result


def even_confusions(counts: Floats, where: Layout, strengths: Strengths) -> Floats:
    """As `confusions`, but class-valued instruments err alike on every class.

    Each one has a single accuracy, shrunk to its pool's, and spreads its errors
    evenly (one-coin). Wrong in detail and therefore hard to lead astray:
    averaged with `confusions` it keeps one mistaken class from feeding itself.

    Args:
        counts: As in `confusions`.
        where: As in `confusions`.
        strengths: As in `confusions`.

    Returns:
        Shape (n_columns, n_classes); items as in `confusions`.
    """
    result = confusions(counts, replace(where, pools=()), Strengths((), strengths.items))
    n_classes = counts.shape[1]
    same = np.eye(n_classes)
    for columns, (strength, _) in zip(where.pools, strengths.pools, strict=True):
        mine = _pool_counts(counts, columns)
        if _is_ordinal(mine, where):
            even = ordinal_even(_shared(mine, where))
        else:
            accuracy = _accuracies(mine, strength)[:, None, None]
            even = accuracy * same + (1 - accuracy) * (1 - same) / (n_classes - 1)
        result[columns] = np.broadcast_to(even, mine.shape).transpose(0, 2, 1)
    return result


def skills(probabilities: Floats, prior: Floats, where: Layout) -> Floats:
    """How much better than chance each column's instrument names the class (Cohen's kappa).

    Args:
        probabilities: Of each option under each class, (n_columns, n_classes).
        prior: Share of each class, (n_classes,).
        where: The columns of each instrument.

    Returns:
        Shape (n_columns,): 1 always right, 0.001 no better than chance (never
        less), the same for all columns of an instrument; 0 for items.
    """
    result = np.zeros(len(probabilities))
    for columns in where.pools:
        joint = probabilities[columns] * prior  # (n_instruments, option, class)
        agreement = np.trace(joint, axis1=1, axis2=2)
        chance = (joint.sum(axis=2) * prior).sum(axis=1)
        result[columns] = (np.maximum(agreement - chance, 1e-3) / (1 - chance))[:, None]
    return result


def pool_mean(counts: Floats, strength: float) -> Floats:
    """What is expected of each instrument of a pool before its own confusions are seen.

    Args:
        counts: Votes of each instrument for each option (last) under each
            class, (n_instruments, n_classes, n_classes).
        strength: Pseudo-votes that pull each one's accuracy to the pool's.

    Returns:
        Same shape, rows sum to 1. The diagonal is sigma(logit a_j + logit a_k -
        logit a), with a_j the instrument's accuracy, a_k the pool's on the
        class and a the pool's; the rest of the row is shared as the pool
        shares its errors.
    """
    pooled = counts.sum(axis=0)  # (n_classes, n_classes)
    overall = _overall_accuracy(counts)
    by_instrument = _accuracies(counts, strength)
    by_class = (np.diagonal(pooled) + PSEUDO * overall) / (pooled.sum(axis=1) + PSEUDO)
    diagonal = expit(logit(by_instrument)[:, None] + logit(by_class) - logit(overall))
    errors = pooled * (1 - np.eye(len(pooled)))
    usual = (1 - np.eye(len(pooled))) / (len(pooled) - 1)
    errors = (errors + PSEUDO * usual) / (errors.sum(axis=1, keepdims=True) + PSEUDO)
    mean: Floats = (1 - diagonal[:, :, None]) * errors + diagonal[:, :, None] * np.eye(len(pooled))
    return mean


def item_mean(counts: Floats) -> Floats:
    """Share of each option over all clips, for votes (n_classes, n_options): same shape, equal rows."""
    by_option = counts.sum(axis=0) + PSEUDO / counts.shape[1]
    return np.broadcast_to(by_option / by_option.sum(), counts.shape)


def _pool_counts(counts: Floats, columns: Ints) -> Floats:
    """Counts as (n_instruments, class, option)."""
    return counts[columns].transpose(0, 2, 1)


def _overall_accuracy(counts: Floats) -> float:
    right = float(np.trace(counts, axis1=1, axis2=2).sum())
    return (right + PSEUDO) / (float(counts.sum()) + 2 * PSEUDO)


def _accuracies(counts: Floats, strength: float) -> Floats:
    """Share of right votes of each instrument, with `strength` votes at the pool's share."""
    right = np.trace(counts, axis1=1, axis2=2)
    return np.asarray((right + strength * _overall_accuracy(counts)) / (counts.sum(axis=(1, 2)) + strength))


def _posterior_mean(counts: Floats, mean: Floats, strength: float) -> Floats:
    return np.asarray((counts + strength * mean) / (counts.sum(axis=-1, keepdims=True) + strength))


def _expected(counts: Floats, accuracy: float, where: Layout) -> Floats:
    """What is expected of each instrument of a pool: (n_instruments, n_classes, n_classes)."""
    if _is_ordinal(counts, where):
        return np.broadcast_to(ordinal_pool_mean(_shared(counts, where)), counts.shape)
    return pool_mean(counts, accuracy)


def _is_ordinal(counts: Floats, where: Layout) -> bool:
    """Whether a pool is expected to err towards neighbours.

    Not a lone given label beside a questionnaire: nobody else speaks in
    classes, so nothing could show that its errors go anywhere.
    """
    return where.ordinal and (len(counts) > 2 or where.alike)


def _shared(counts: Floats, where: Layout) -> Floats:
    """The counts of all as those of one, where instruments share their confusions."""
    return counts.sum(axis=0, keepdims=True) if where.alike else counts


def _pool_strengths(counts: Floats, where: Layout, near: tuple[float, float]) -> tuple[float, float]:
    accuracy = _best(lambda strength: _accuracy_likelihood(counts, strength), near[0])
    mean = _expected(counts, accuracy, where)
    rows = _best(lambda strength: _likelihood(counts, strength * mean), near[1])
    return accuracy, rows * OWN_VOTES if _is_ordinal(counts, where) else rows


def _item_means(counts: Floats, where: Layout) -> Iterator[tuple[Ints, Floats]]:
    """Columns of each item, and what is expected of it: (n_classes, n_options)."""
    for number, columns in enumerate(where.items):
        mine = counts[columns].T
        if where.leans:
            lean = where.leans[number]
            yield columns, tilted_item_mean(mine, lean.direction, lean.placed)
        else:
            yield columns, item_mean(mine)


def _item_strength(counts: Floats, mean: Floats) -> float:
    return _best(lambda strength: _likelihood(counts, strength * mean), 1.0, ITEM_STRENGTHS)


def _accuracy_likelihood(counts: Floats, strength: float) -> float:
    """Likelihood of each instrument's right and wrong votes if accuracies vary as Beta."""
    right = np.trace(counts, axis1=1, axis2=2)
    votes = np.stack([right, counts.sum(axis=(1, 2)) - right], axis=1)
    overall = _overall_accuracy(counts)
    return _likelihood(votes, strength * np.array([overall, 1 - overall]))


def _likelihood(counts: Floats, prior: Floats) -> float:
    """Log Dirichlet-multinomial of the rows of `counts`, without its constant."""
    rows = gammaln(prior.sum(axis=-1)) - gammaln((counts + prior).sum(axis=-1))
    return float(rows.sum() + (gammaln(counts + prior) - gammaln(prior)).sum())


def _best(likelihood: Callable[[float], float], near: float, strengths: Floats = STRENGTHS) -> float:
    """The likeliest strength, found by walking uphill from `near`, down in strength where it is level.

    The likelihood rises up to one strength and falls from there on, on all sets
    seen, so few of the strengths need to be tried. Of a single row it has been
    proved (Levin and Reeds 1977, https://doi.org/10.1214/aos/1176343741).
    """
    value = cache(lambda place: likelihood(float(strengths[place])))
    last = len(strengths) - 1
    place = min(int(np.searchsorted(strengths, near)), last)
    while place < last and value(place + 1) > value(place) + 1e-6:
        place += 1
    while place > 0 and value(place - 1) >= value(place) - 1e-6:
        place -= 1
    return float(strengths[place])
