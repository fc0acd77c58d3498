"""Soft labels: the posterior, or the people's votes, as a training target."""

import numpy as np
from numpy.typing import NDArray

from curate.labels.evidence import Floats


def soft_labels(
    probabilities: Floats, votes: Floats | None = None, enough: float = 1.0
) -> NDArray[np.float32]:
    """Training targets in single precision, in class order.

    Args:
        probabilities: Posterior, (n_clips, n_classes), rows sum to 1.
        votes: People's votes for each class, (n_clips, n_classes). A clip with
            at least `enough` of them gets their shares instead: where many
            people disagree, their disagreement is what is to be learned.
        enough: Votes, at least 1.

    Returns:
        Same shape; rows sum to 1 within 1e-6.
    """
    labels = probabilities / probabilities.sum(axis=1, keepdims=True)
    if votes is not None:
        total = votes.sum(axis=1, keepdims=True)
        labels = np.where(total >= enough, votes / np.maximum(total, 1e-9), labels)
    single: NDArray[np.float32] = labels.astype(np.float32)
    return single
