"""Pseudo-labels: what the evidence says about clips that came without a label."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.labels.evidence import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class PseudoLabels:
    """One entry for each clip, labelled or not; all arrays have shape (n_clips,)."""

    label: Ints
    """Likeliest class, -1 for a clip that has a given label."""
    confidence: Floats
    """Its probability, nan for a clip that has a given label."""
    accepted: NDArray[np.bool_]
    """Whether it is confident enough; False for a clip that has a given label."""


def pseudo_labels(
    probabilities: Floats, given: Ints, spoken: NDArray[np.bool_], threshold: float | Floats
) -> PseudoLabels:
    """Label the clips that came without one.

    Args:
        probabilities: Posterior, (n_clips, n_classes).
        given: Class of the given label, -1 without one: (n_clips,).
        spoken: Whether anything was said about the clip; if not, its
            pseudo-label is only the commonest class and is never accepted.
        threshold: Confidence from which on a pseudo-label is accepted; one for
            all, or one a class, (n_classes,).
    """
    unlabelled = given < 0
    likeliest = probabilities.argmax(axis=1)
    confidence = np.where(unlabelled, probabilities.max(axis=1, initial=0), np.nan)
    threshold = np.broadcast_to(threshold, probabilities.shape[1])[likeliest]
    return PseudoLabels(
        label=np.where(unlabelled, likeliest, -1),
        confidence=confidence,
        accepted=unlabelled & spoken & (confidence >= threshold),
    )
