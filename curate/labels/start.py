"""Where the model starts: what the classes mean, before any instrument has been weighed."""

import numpy as np

from curate.errors import InputError, Problem
from curate.labels.evidence import UNSEEN, Evidence, Floats, Instrument
from curate.labels.rows import row_sums

SPREAD = 0.5
"""Width of a class on the scale of `_shares_by_rank`, in classes."""


def starting_shares(evidence: Evidence, smoothing: Floats) -> Floats:
    """A first belief about each clip, which gives the classes their meaning.

    Args:
        evidence: At least one clip must have a class-valued answer; without
            any, the classes must be ordered and some item have a direction.
        smoothing: Votes spread evenly over the classes of each clip, (n_items,).

    Returns:
        Shape (n_items, n_classes). Rows sum to 1; rows of zeros are clips about
        which nothing can be said yet. From class-valued answers: the share of
        votes. From directions (ours): clips are ranked by how high their
        answers stand, and the ranks are cut into equally large classes.

    Raises:
        InputError: Nothing tells what the classes mean.
    """
    votes = evidence.class_votes()
    n_votes = row_sums(votes)[:, None]
    if n_votes.any() or not evidence.n_items:
        shares = smoothed_shares(votes, smoothing)
        shares *= n_votes > 0
        return shares
    heights = _heights(evidence)
    if not evidence.ordinal or np.isnan(heights).all():
        raise InputError("evidence", [_nothing_tells(evidence)])
    return _shares_by_rank(heights, evidence.n_classes)


def smoothed_shares(votes: Floats, smoothing: Floats | float) -> Floats:
    """(votes + smoothing / n_classes) / (all votes + smoothing), one smoothing or one a clip."""
    n_classes = votes.shape[1]
    extra = np.reshape(smoothing, (-1, 1))
    shares: Floats = votes + extra / n_classes
    shares /= row_sums(votes)[:, None] + extra
    return shares


def _heights(evidence: Evidence) -> Floats:
    """Mean standardised answer of the items with a direction: (n_items,), nan where there is none."""
    total, answers = np.zeros(evidence.n_items), np.zeros(evidence.n_items)
    for index, instrument in enumerate(evidence.instruments):
        if instrument.direction:
            height = _height(evidence, index, instrument)
            answered = ~np.isnan(height)
            total[answered] += height[answered]
            answers += answered
    return np.where(answers > 0, total / np.maximum(answers, 1), np.nan)


def _height(evidence: Evidence, index: int, instrument: Instrument) -> Floats:
    """Mean place of one item's answers on its scale, standardised over clips."""
    scale = np.array([option != UNSEEN for option in instrument.options])
    answers = np.flatnonzero(evidence.instrument == index)
    mine = answers[scale[evidence.option[answers]]]
    place = instrument.direction * evidence.option[mine]
    weight = np.bincount(evidence.item[mine], evidence.weight[mine], evidence.n_items)
    total = np.bincount(evidence.item[mine], evidence.weight[mine] * place, evidence.n_items)
    height = np.where(weight > 0, total / np.where(weight > 0, weight, 1), np.nan)
    if weight.any() and (spread := np.nanstd(height)) > 0:
        height = (height - np.nanmean(height)) / spread
    return np.asarray(height)


def _shares_by_rank(heights: Floats, n_classes: int) -> Floats:
    """Bells around the middle of each class, on ranks: ties share theirs, nan stays out."""
    ranked = ~np.isnan(heights)
    _, which, times = np.unique(heights[ranked], return_inverse=True, return_counts=True)
    middle = np.cumsum(times) - times / 2  # of the ranks that equal heights share, from 0
    place = middle[which] / ranked.sum() * n_classes  # in (0, n_classes)
    bells = np.exp(-((place[:, None] - np.arange(n_classes) - 0.5) ** 2) / (2 * SPREAD**2))
    shares = np.zeros((len(heights), n_classes))
    shares[ranked] = bells / bells.sum(axis=1, keepdims=True)
    return shares


def _nothing_tells(evidence: Evidence) -> Problem:
    names = ", ".join(evidence.classes)
    return Problem(
        "instruments",
        f"none answers in the classes {names}, so nothing tells which clip is which",
        "Add given labels, votes or a model's labels for some clips; or say that the classes are "
        "ordered and give at least one item a direction",
    )
