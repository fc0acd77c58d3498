"""Which clips are drawn how often: pure functions of labels and a generator."""

import numpy as np
from numpy.typing import NDArray


def class_balanced(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Probability of each clip, shape (n,), so that all classes that are there are equally likely.

    Source:
        Paper C (arXiv 2604.15280): sampling that does not favour common concepts.
    """
    return _by_class(labels, 0.0)


def square_root(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Probability of each clip, shape (n,), so that a class is as likely as the root of its number of clips.

    Between natural and balanced sampling.

    Source:
        Mahajan et al. (2018), section 2.2, https://arxiv.org/abs/1805.00932
    """
    return _by_class(labels, 0.5)


def draw(weights: NDArray[np.float64] | None, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Places of `n` clips: each once, in a random order; or, with weights, drawn with replacement."""
    if weights is None:
        return rng.permutation(n)
    return rng.choice(n, size=n, p=weights)


def _by_class(labels: NDArray[np.int64], power: float) -> NDArray[np.float64]:
    """A clip of a class of n_c clips has probability proportional to n_c^(power - 1)."""
    _, which, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = counts[which] ** (power - 1.0)
    return np.asarray(weights / weights.sum())
