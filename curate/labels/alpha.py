"""Alpha: how much the voters on a clip agree beyond chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.labels.evidence import Evidence, Floats
from curate.labels.rows import row_sums


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much the voters of one body of evidence agree."""

    alpha: float
    """1 is perfect agreement, 0 is chance; 0 where no clip has two votes."""
    n_clips: int
    """Clips with at least two votes."""


def krippendorff_alpha(evidence: Evidence, rows: NDArray[np.bool_]) -> Agreement:
    """Agreement of the votes in some rows beyond chance (Krippendorff's alpha, nominal).

    Args:
        evidence: The answers. A divided vote agrees with another by the sum of
            the products of their weights; a tally of n is n votes.
        rows: Which answers count, all of class-valued instruments: (n_rows,).

    Source:
        Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section
        C, https://repository.upenn.edu/asc_papers/43. Divided votes: ours.
    """
    where = slice(None) if rows.all() else np.flatnonzero(rows)
    item, weight = evidence.item[where], evidence.weight[where]
    votes = evidence.votes_by_class(where)
    total = row_sums(votes)  # (n_items,)
    paired = total >= 2 - 1e-9
    if not paired.any():
        return Agreement(0.0, 0)
    # What each voter has in common with itself; a tally's voters are as many as its weight.
    selves = np.bincount(item, np.minimum(weight, weight**2), evidence.n_items)
    matching = (np.einsum("ik,ik->i", votes, votes) - selves)[paired] / (total[paired] - 1)
    observed = float(matching.sum() / total[paired].sum())
    return Agreement(
        _beyond_chance(observed, np.einsum("i,ik->k", paired.astype(np.float64), votes)), int(paired.sum())
    )


def _beyond_chance(observed: float, votes: Floats) -> float:
    """Agreement beyond that of two votes drawn from all; 1 if all votes are for one class."""
    total = votes.sum()
    by_chance = (votes * np.maximum(votes - 1, 0)).sum() / (total * (total - 1))
    return 1.0 if by_chance >= 1 else float((observed - by_chance) / (1 - by_chance))
