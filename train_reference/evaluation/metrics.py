"""Measures of predictions, for one weighting of the clips or many at once.

Each takes class probabilities (n_clips, n_classes), a true class a clip
(n_clips,) and weights (n_draws, n_clips), and gives (n_draws,): a clip of weight
2 counts as two. Bootstraps draw weights; ones give the plain measure.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.floating]
Truth = NDArray[np.int64]
Weights = NDArray[np.float64]
Values = NDArray[np.float64]

_N_BINS = 10
_LEAST = 1e-6
"""A probability below it counts as this in the log-loss."""


def accuracy(said: Probabilities, truth: Truth, weights: Weights) -> Values:
    """Share of clips whose likeliest class is the true one."""
    return _mean(said.argmax(axis=1) == truth, weights)


def macro_f1(said: Probabilities, truth: Truth, weights: Weights) -> Values:
    """Mean over classes of 2 hits / (said + true); classes that are neither said nor true are left out."""
    hits, chosen, true = _counts(said, truth, weights)
    return _mean_of_classes(2 * hits, chosen + true)


def uar(said: Probabilities, truth: Truth, weights: Weights) -> Values:
    """Unweighted average recall: mean over the classes that are there of the share that was found."""
    hits, _, true = _counts(said, truth, weights)
    return _mean_of_classes(hits, true)


def nll(said: Probabilities, truth: Truth, weights: Weights) -> Values:
    """Mean negative log-likelihood [nats]."""
    return _mean(-np.log(np.maximum(said[np.arange(len(truth)), truth], _LEAST)), weights)


def ece(said: Probabilities, truth: Truth, weights: Weights) -> Values:
    """Expected calibration error of the likeliest class, over ten bins of equally many clips.

    The bins are those of the clips as they are, whatever the weights.

    Source:
        Guo et al. (2017), section 2, https://arxiv.org/abs/1706.04599; equal-mass
        bins: Nixon et al. (2019), https://arxiv.org/abs/1904.01685
    """
    confidence, is_right = said.max(axis=1), said.argmax(axis=1) == truth
    bins = np.array_split(np.argsort(confidence, kind="stable"), min(_N_BINS, len(truth)))
    off = np.stack([weights[:, one] @ (is_right[one] - confidence[one]) for one in bins], axis=1)
    return np.asarray(np.abs(off).sum(axis=1) / weights.sum(axis=1))


MEASURES: dict[str, Callable[[Probabilities, Truth, Weights], Values]] = {
    "macro_f1": macro_f1,
    "accuracy": accuracy,
    "uar": uar,
    "nll": nll,
    "ece": ece,
}
LESS_IS_BETTER = frozenset({"nll", "ece"})


def all_metrics(said: Probabilities, truth: Truth) -> dict[str, float]:
    """Every measure by name, each clip counting once.

    Raises:
        ValueError: There is no clip.
    """
    if not len(truth):
        raise ValueError("there is no clip to measure on")
    once = np.ones((1, len(truth)))
    return {name: float(measure(said, truth, once)[0]) for name, measure in MEASURES.items()}


def _mean(values: NDArray[np.generic], weights: Weights) -> Values:
    return np.asarray(weights @ values.astype(np.float64) / weights.sum(axis=1))


def _counts(said: Probabilities, truth: Truth, weights: Weights) -> tuple[Values, Values, Values]:
    """Hits, said and true clips of each class, each of shape (n_draws, n_classes)."""
    classes = np.arange(said.shape[1])
    chosen = (said.argmax(axis=1)[:, None] == classes).astype(np.float64)  # (n_clips, n_classes)
    true = (truth[:, None] == classes).astype(np.float64)
    return weights @ (chosen * true), weights @ chosen, weights @ true


def _mean_of_classes(above: Values, below: Values) -> Values:
    """Mean of above / below over the classes of which there is anything below."""
    shares = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return np.asarray(shares.sum(axis=1) / (below > 0).sum(axis=1))
