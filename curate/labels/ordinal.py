"""Ordinal classes: what follows from the classes having an order, lowest first.

Confusions of ordered classes are not any K x K table: people mistake a class
for its neighbours, some of them rate too high or too low, and some are less
precise than others. Two numbers a person say that, where a table needs
K (K - 1). And a posterior over ordered classes has a middle and a spread.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr, ndtri, softmax

from curate.labels.evidence import Floats, Ints

SCALES: Floats = np.array([0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 6.0, 50.0])
"""Noise that a person may have, in class steps: from nearly none to answering by lot."""

BIASES: Floats = np.array([-1.5, -1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0, 1.5])
"""How much too high a person may rate, in class steps."""

LAPSE = 0.02
"""Share of answers that are slips, spread evenly over the options."""

EVEN_FREQUENCY = 0.1
"""Weight of equally frequent classes in the frequencies that the spacing of classes is read off."""

EVEN_SPACING = 0.5
"""Weight of evenly spaced classes in the spacing."""

ROUNDS = 5
"""Rounds of estimation of how common each bias and scale are; more change little."""

TILTS: Floats = np.array([1.0, 2.0, 4.0, 8.0])
"""How steeply an item's answers may rise with the class: log odds ratio between the ends of both scales."""

TILT_VOTES = 8.0
"""Pseudo-votes under which tilts are compared: the most that items are shrunk by."""

EXPECTED, FLAT, OPPOSITE = 0.6, 0.3, 0.1
"""Beforehand: how likely answers rise as expected, do not rise at all, or fall."""


def expected_value(probabilities: Floats) -> Floats:
    """Mean class position, 0 for the lowest class: (n_items,).

    It has the least expected squared error.

    Args:
        probabilities: Shape (n_items, n_classes), rows sum to 1.

    Returns:
        Between 0 and n_classes - 1, in class steps; empty for no items.
    """
    return np.asarray(probabilities @ np.arange(probabilities.shape[1], dtype=np.float64))


def spread(probabilities: Floats) -> Floats:
    """Standard deviation of the class position, in class steps: (n_items,).

    Args:
        probabilities: Shape (n_items, n_classes), rows sum to 1.

    Returns:
        0 for a certain class, at most (n_classes - 1) / 2: half lowest, half highest.
    """
    away = np.arange(probabilities.shape[1]) - expected_value(probabilities)[:, None]
    return np.asarray(np.sqrt((probabilities * away**2).sum(axis=1)))


def median_class(probabilities: Floats) -> Ints:
    """First class at which half of the probability is reached: (n_items,).

    No class has a smaller expected absolute error; the mode has the smallest
    expected number of errors, whatever their size.

    Args:
        probabilities: Shape (n_items, n_classes), rows sum to 1.

    Returns:
        Codes; of two classes that are equally good, the lower.
    """
    codes: Ints = (np.cumsum(probabilities, axis=1) >= 0.5 - 1e-9).argmax(axis=1).astype(np.int64)
    return codes


def ordinal_pool_mean(counts: Floats) -> Floats:
    """What is expected of each instrument of a pool, if it reads a height and rounds it to a class.

    Class k stands at height h_k. Instrument j sees h_k + b_j + s_j z, z standard
    normal, and names the class within whose limits that falls; a share `LAPSE`
    of its answers is made by lot. Limits and heights are the pool's, half way
    between evenly spaced ones and those of a standard normal cut into classes as
    frequent as they are. How common each pair (b, s) is in the pool is
    estimated, and every instrument gets the mean over the pairs, weighted by how
    well they fit its own votes.

    Args:
        counts: Votes of each instrument for each option (last) under each
            class, (n_instruments, n_classes, n_classes), >= 0.

    Returns:
        Same shape, rows sum to 1, every entry > 0. An instrument without votes
        gets the pool's mean.

    Source:
        Ours. The confusions are those of an ordered probit (McKelvey and Zavoina
        1975, https://doi.org/10.1080/0022250X.1975.9989847) with the limits of
        the polychoric correlation (Olsson 1979, two-step estimator,
        https://doi.org/10.1007/BF02296207); the pairs' frequencies are Laird's
        (1978) nonparametric maximum likelihood,
        https://doi.org/10.1080/01621459.1978.10480103, here on a grid.
    """
    return _mean_over_types(counts, BIASES)


def ordinal_even(counts: Floats) -> Floats:
    """As `ordinal_pool_mean`, but nobody rates too high or too low: one number a person.

    Args:
        counts: As in `ordinal_pool_mean`.

    Returns:
        As `ordinal_pool_mean`. Wrong in detail and therefore hard to lead
        astray, as even confusions are for classes without order.
    """
    return _mean_over_types(counts, np.zeros(1))


def tilted_item_mean(counts: Floats, direction: int, placed: NDArray[np.bool_]) -> Floats:
    """What is expected of an item before its own confusions are seen, if its answers go with the class.

    The share of each option over all clips, tilted: in class k, option l is
    exp(t x_l y_k) times as frequent, with places x and y from -1/2 (first) to
    1/2 (last). The tilt t is a mean over none and `TILTS` of either sign, each
    weighted by how well it fits the votes and by how likely the direction makes
    it beforehand. So a wrong direction gives way to a few votes.

    Args:
        counts: Votes for each option under each class, (n_classes, n_options).
        direction: +1 if later options speak for higher classes, -1 for lower
            ones, 0 if either is as likely.
        placed: Which options have a place among the others, as "cannot be seen"
            has not: (n_options,). Those without keep their share in every class.

    Returns:
        Same shape, rows sum to 1, every entry > 0. The rows are equal with fewer
        than two placed options, and without votes if the direction is 0.

    Source:
        Ours. The tilt is the uniform association model of Goodman (1979),
        https://doi.org/10.1080/01621459.1979.10481650.
    """
    share = (counts.sum(axis=0) + 1 / counts.shape[1]) / (counts.sum() + 1)
    if placed.sum() < 2:
        return np.broadcast_to(share, counts.shape)
    places = np.zeros(len(placed))
    places[placed] = np.linspace(-0.5, 0.5, placed.sum())
    lean = np.outer(np.linspace(-0.5, 0.5, len(counts)), places)  # (n_classes, n_options)
    tilts = np.concatenate([TILTS, [0.0], -TILTS])
    tables = _tilted(share, placed, tilts[:, None, None] * lean)
    weights = softmax(_log_likelihoods(counts, TILT_VOTES * tables) + np.log(_tilt_prior(direction)))
    return _tilted(share, placed, (weights @ tilts) * lean)


def _mean_over_types(counts: Floats, biases: Floats) -> Floats:
    """Mean over all pairs of bias and scale, weighted by each one's fit: (n_instruments, class, option)."""
    tables = _tables(*_heights_and_limits(counts), biases)  # (n_types, class, option)
    flat = tables.reshape(len(tables), -1)
    fits = counts.reshape(len(counts), flat.shape[1]) @ np.log(flat).T  # (n_instruments, n_types)
    return (_type_weights(fits) @ flat).reshape(counts.shape)


def _type_weights(fits: Floats) -> Floats:
    """P(type | an instrument's votes), with the types as frequent as makes all votes likeliest.

    Expectation maximisation from equally frequent types, with one instrument's
    worth of equal frequencies added so that no type is ruled out. It is stopped
    early, and written so that one array of this size is enough: instruments may
    be many.
    """
    n_instruments, n_types = fits.shape
    likelihoods = np.exp(fits - fits.max(axis=1, keepdims=True))
    frequency = np.full(n_types, 1 / n_types)
    for _ in range(ROUNDS):
        total = frequency * (likelihoods.T @ (1 / (likelihoods @ frequency)))
        frequency = (total + 1 / n_types) / (n_instruments + 1)
    likelihoods *= frequency
    likelihoods /= likelihoods.sum(axis=1, keepdims=True)
    return np.asarray(likelihoods)


def _heights_and_limits(counts: Floats) -> tuple[Floats, Floats]:
    """Height of each class (n_classes,) and limits between them (n_classes - 1,), in mean class steps.

    Nothing says how far apart classes are. Heights may be normal, which gives
    the spacing from the frequencies; or even, as people may take the scale to
    be. Both are averaged, their middle at 0.
    """
    heights, limits = _normal_heights_and_limits(counts)
    even = np.arange(len(heights)) - (len(heights) - 1) / 2
    middle = heights.mean()
    return (
        EVEN_SPACING * even + (1 - EVEN_SPACING) * (heights - middle),
        EVEN_SPACING * (even[:-1] + 0.5) + (1 - EVEN_SPACING) * (limits - middle),
    )


def _normal_heights_and_limits(counts: Floats) -> tuple[Floats, Floats]:
    """A standard normal cut into classes as frequent as they are believed and voted, on average.

    The height of a class is its mean, (phi(a) - phi(b)) / P(class) between limits a and b.
    """
    n_classes = counts.shape[1]
    votes = counts.sum(axis=(0, 1)) + counts.sum(axis=(0, 2)) + 1 / n_classes
    frequency = (1 - EVEN_FREQUENCY) * votes / votes.sum() + EVEN_FREQUENCY / n_classes
    limits = ndtri(np.cumsum(frequency)[:-1])
    density = np.concatenate([[0.0], np.exp(-(limits**2) / 2) / np.sqrt(2 * np.pi), [0.0]])
    heights = (density[:-1] - density[1:]) / frequency
    step = (heights[-1] - heights[0]) / (n_classes - 1)
    return heights / step, limits / step


def _tables(heights: Floats, limits: Floats, biases: Floats) -> Floats:
    """P(option | class) of each pair of bias and scale: (n_biases * n_scales, n_classes, n_classes)."""
    seen = heights[:, None] + biases[:, None, None, None]  # (bias, 1, class, 1)
    below = ndtr((limits - seen) / SCALES[:, None, None])  # (bias, scale, class, limit)
    edges = np.pad(below, [(0, 0)] * 3 + [(1, 1)], constant_values=((0, 0),) * 3 + ((0, 1),))
    n_classes = len(heights)
    exact = np.diff(edges, axis=3).reshape(-1, n_classes, n_classes)
    return np.asarray((1 - LAPSE) * exact + LAPSE / n_classes)


def _tilt_prior(direction: int) -> Floats:
    """P(tilt) of rising tilts, none and falling ones; both ways alike if the direction is 0."""
    expected, opposite = (EXPECTED, OPPOSITE) if direction else ((EXPECTED + OPPOSITE) / 2,) * 2
    rising, falling = (opposite, expected) if direction < 0 else (expected, opposite)
    each = np.full(len(TILTS), 1 / len(TILTS))
    return np.concatenate([rising * each, [FLAT], falling * each])


def _tilted(share: Floats, placed: NDArray[np.bool_], lean: Floats) -> Floats:
    """The shares times exp(lean), (..., n_options); the options with a place together keep their share."""
    tilted = np.where(placed, share * np.exp(lean), 0.0)
    tilted *= share[placed].sum() / tilted.sum(axis=-1, keepdims=True)
    return np.where(placed, tilted, share)


def _log_likelihoods(counts: Floats, priors: Floats) -> Floats:
    """Log Dirichlet-multinomial of all rows under each prior, without its constant: (n_priors,)."""
    rows = gammaln(priors.sum(axis=2)) - gammaln((counts + priors).sum(axis=2))
    cells = gammaln(counts + priors) - gammaln(priors)
    return np.asarray(rows.sum(axis=1) + cells.sum(axis=(1, 2)))
