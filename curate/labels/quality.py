"""Quality: how many labels of a data set are right, estimated from a little gold, with an interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.labels.evidence import Floats, Ints
from curate.labels.share import Design, Estimate, estimate_share


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of a data set. Each interval holds by itself, not all of them at once."""

    given: Estimate
    """Share of right ones among given labels."""
    refined: Estimate
    """Share of right ones among refined labels."""
    high: Estimate
    """Share of right given labels among clips of the high split."""
    classes: tuple[Estimate, ...]
    """True share of each class. They need not add up to 1."""


def dataset_quality(
    probabilities: Floats,
    given: Ints,
    refined: Ints,
    high: NDArray[np.bool_],
    gold: Ints,
    design: Design | None = None,
) -> Quality:
    """Estimate how right the labels are and how common the classes are.

    Args:
        probabilities: Posterior, (n_clips, n_classes). It must not have seen
            the gold: where gold took part in the fit, pass for each clip with
            gold what a fit without that clip's gold says.
        given: Given labels, -1 without: (n_clips,).
        refined: Refined labels, (n_clips,).
        high: Whether the clip is in the high split, (n_clips,).
        gold: The truth, -1 where it is unknown: (n_clips,).
        design: How gold was drawn; by default uniformly, clips independent.

    Returns:
        The estimates; without gold, or without clips, each is (nan, 0, 1).

    Raises:
        InputError: With every problem, see `estimate_share`.
    """
    return Quality(
        given=label_accuracy(probabilities, given, gold, given >= 0, design),
        refined=label_accuracy(probabilities, refined, gold, refined >= 0, design),
        high=label_accuracy(probabilities, given, gold, high & (given >= 0), design),
        classes=tuple(
            estimate_share(probabilities[:, k], np.where(gold >= 0, gold == k, np.nan), design)
            for k in range(probabilities.shape[1])
        ),
    )


def label_accuracy(
    probabilities: Floats,
    labels: Ints,
    gold: Ints,
    among: NDArray[np.bool_],
    design: Design | None = None,
) -> Estimate:
    """Share of right labels among some clips.

    Args:
        probabilities: Posterior that has not seen the gold, (n_clips, n_classes).
        labels: Class of each label, (n_clips,); -1 only outside `among`.
        gold: The truth, -1 where it is unknown: (n_clips,).
        among: The clips that are meant, (n_clips,).
        design: As for `dataset_quality`.
    """
    predicted = probabilities[np.arange(len(labels)), np.maximum(labels, 0)]
    observed = np.where(gold >= 0, labels == gold, np.nan)
    return estimate_share(predicted[among], observed[among], _among(design or Design(), among))


def _among(design: Design, among: NDArray[np.bool_]) -> Design:
    """The design of some of the clips."""
    inclusion = None if design.inclusion is None else design.inclusion[among]
    groups = None if design.groups is None else design.groups[among]
    return Design(inclusion, groups, design.level, design.finite)
