"""Adaptive thresholds: how sure a pseudo-label must be, class by class."""

import numpy as np

from curate.labels.evidence import Floats


def adaptive_thresholds(probabilities: Floats, base: float | None = None) -> Floats:
    """A threshold for each class, lower for classes that are harder to be sure of.

    One threshold for all classes mostly accepts the easy and common ones. Here
    the threshold of the class with the largest mean probability is the mean
    confidence, and that of another class is lower in proportion to its mean
    probability:

        threshold_c = base * m_c / max m,  m_c = mean probability of c over clips,
        base = mean over clips of the largest probability.

    Args:
        probabilities: Posteriors of the clips without a given label, (n_clips, n_classes).
        base: Used in place of the mean confidence; between 0 and 1.

    Returns:
        Shape (n_classes,), at most `base`. A clip is accepted if its confidence
        reaches the threshold of its likeliest class. Without clips, ones: there
        is nothing to accept.

    Source:
        Wang et al. (2023), FreeMatch, eq. 5 to 8, https://arxiv.org/abs/2205.07246.
        There mean confidence and mean probabilities are running means over the
        batches of a training; here all clips are at hand, and the plain means
        are what those running means estimate.
    """
    if not len(probabilities):
        return np.ones(probabilities.shape[1])
    mean = probabilities.mean(axis=0)
    top = probabilities.max(axis=1).mean() if base is None else base
    return np.asarray(top * mean / mean.max())
