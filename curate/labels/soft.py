"""Soft labels: the posterior as a training target."""

import numpy as np
from numpy.typing import NDArray

from curate.labels.evidence import Floats


def soft_labels(probabilities: Floats) -> NDArray[np.float32]:
    """The posterior in single precision, in class order.

    Args:
        probabilities: Shape (n_clips, n_classes), rows sum to 1.

    Returns:
        Same shape; rows sum to 1 within 1e-6.
    """
    labels: NDArray[np.float32] = (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(
        np.float32
    )
    return labels
