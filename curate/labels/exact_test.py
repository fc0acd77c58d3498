"""Exact tests of a share of errors from clips drawn at random; no large-sample approximation anywhere."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import hypergeom

from curate.labels.evidence import Floats, Ints

BETS = (0.5, 0.9, 0.99)
"""Shares of the largest safe bet; their mean is taken, as the best one is not known beforehand."""

ORDERS = 200
"""At most so many rotations of the order in which groups were drawn are averaged."""


def p_values(n_wrong: ArrayLike, n_drawn: ArrayLike, n_unknown: ArrayLike, n_allowed: ArrayLike) -> Floats:
    """P(so few wrong ones are drawn) if more than the allowed number of clips are wrong.

    Args:
        n_wrong: Wrong clips among those drawn.
        n_drawn: Clips drawn, uniformly and without replacement, among `n_unknown`.
        n_unknown: Clips whose label was not yet checked before the draw.
        n_allowed: How many of these may be wrong; negative if known errors alone
            exceed what is allowed. All four broadcast together.

    Returns:
        At most 1: 1 if nothing was drawn or nothing is allowed any more, 0 if
        there are not even more unknown clips than may be wrong. Falls with
        `n_allowed` and rises with `n_wrong`.

    Source:
        The hypergeometric distribution at the smallest number of errors that is
        too many: its lower tail falls with that number, so the p-value is valid
        for all larger ones. Hoeffding's and Bernstein's bounds are never tighter.
    """
    wrong, drawn, unknown, allowed = np.broadcast_arrays(
        *(np.asarray(part, dtype=np.int64) for part in (n_wrong, n_drawn, n_unknown, n_allowed))
    )
    excess = np.clip(allowed + 1, 0, unknown)
    tail = np.minimum(hypergeom.cdf(wrong, unknown, excess, drawn), 1.0)
    found: Floats = np.where(allowed < 0, 1.0, np.where(allowed >= unknown, 0.0, tail))
    return found


def most_errors(n_wrong: int, n_drawn: int, n_unknown: int, delta: float) -> int:
    """The most errors there can be among the unknown clips, with probability 1 - delta.

    Args:
        n_wrong: Wrong clips among those drawn.
        n_drawn: Clips drawn uniformly among `n_unknown`.
        n_unknown: Clips not checked before the draw; the drawn ones are counted.
        delta: Probability of being wrong.

    Returns:
        Smallest number of errors such that more of them are rejected at `delta`.
    """
    # P-values fall with the number: the range is halved until one number is left.
    low, high = n_wrong, n_unknown
    while low < high:
        middle = (low + high) // 2
        if p_values(n_wrong, n_drawn, n_unknown, middle) <= delta:
            high = middle
        else:
            low = middle + 1
    return low


def labels_needed(n_unknown: int, n_allowed: int, rate: float, delta: float) -> int | None:
    """Clips to draw so that the error is proven small enough, if errors turn up at this rate.

    Args:
        n_unknown: Clips whose label is not yet checked.
        n_allowed: How many of these may be wrong.
        rate: Share of the drawn clips that will be wrong.
        delta: Level of the test.

    Returns:
        A number of clips for which round(number * rate) wrong ones reject, the
        smallest one to within about 2 %; None if not even checking all would.
    """
    coarse = np.unique(np.r_[np.arange(20), np.geomspace(20, max(n_unknown, 20), 60).astype(np.int64)])
    coarse = np.r_[coarse[coarse < n_unknown], n_unknown]
    last = _first_enough(coarse, n_unknown, n_allowed, rate, delta)
    if last is None:
        return None
    before = coarse[coarse < last].max(initial=0)
    fine = np.unique(np.linspace(before, last, 50).astype(np.int64))
    return _first_enough(fine, n_unknown, n_allowed, rate, delta)


def _first_enough(numbers: Ints, n_unknown: int, n_allowed: int, rate: float, delta: float) -> int | None:
    enough = p_values(np.round(numbers * rate), numbers, n_unknown, n_allowed) <= delta
    return int(numbers[enough.argmax()]) if enough.any() else None


def group_p_value(gains: Floats, largest: float, n_groups: int, allowed: float) -> float:
    """P-value of "all groups together gain more than allowed" when whole groups were drawn.

    A gambler who bets on every newly drawn group against the claim cannot expect
    to win if the claim is true, so 1 / winnings is a p-value.

    Args:
        gains: Of each drawn group, in the random order of the draw: (n_drawn,).
            For a share of errors: its errors less epsilon times its clips.
        largest: What no group of all can exceed, known before the draw.
        n_groups: Groups that could be drawn; each had the same chance.
        allowed: Sum of the gains of all `n_groups` that is still acceptable.

    Returns:
        Between 0 and 1; 1 if no group was drawn, 0 if the claim cannot be true any
        more, 0 or 1 if all groups were drawn.

    Source:
        Waudby-Smith and Ramdas (2020), Confidence sequences for sampling without
        replacement, section 3, https://arxiv.org/abs/2006.04347 (the remaining
        mean under the claim), with the capital of their Estimating means of
        bounded random variables by betting (2024), section 4,
        https://arxiv.org/abs/2010.09686. The mean over rotations is ours: every
        rotation of a random order is a random order, and a mean of e-values is one.
    """
    rest = n_groups - len(gains)
    if gains.sum() + rest * largest <= allowed:
        return 0.0
    if not len(gains) or not rest:
        return 1.0
    turns = (np.arange(len(gains)) + np.arange(len(gains))[:, None]) % len(gains)
    rotated = gains[turns[:ORDERS]]  # (n_orders, n_drawn)
    before = np.cumsum(rotated, axis=1) - rotated
    claimed = (allowed - before) / (n_groups - np.arange(len(gains)))
    return float(min(1.0, 1 / max(_winnings(rotated, claimed, largest), 1.0)))


def _winnings(gains: Floats, claimed: Floats, largest: float) -> float:
    """Mean over orders and bets of the product of 1 + bet * (claimed mean - gain)."""
    if (claimed >= largest).any():  # More than all groups left can gain: the claim is refuted for certain.
        return float("inf")
    relative = np.maximum((claimed - gains) / (largest - claimed), -1)
    return float(np.mean([(1 + share * relative).prod(axis=1) for share in BETS]))
