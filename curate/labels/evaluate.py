"""Evaluate: labels against known truth. Plain functions of arrays; a class is a code, -1 is unknown."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from curate.labels.evidence import Floats, Ints

BINS = 15
"""Equally wide bins of confidence for the calibration error."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How good the labels are, over the clips whose truth is known. nan where it cannot be told."""

    n_clips: int
    accuracy_given: float
    """Of the given labels, over clips that have one."""
    accuracy_majority: float
    """Of the most frequent vote, a tie of k classes counting 1 / k, over clips that have votes."""
    accuracy_refined: float
    log_loss: float
    """Of the posterior, in nats."""
    ece: float
    """Expected calibration error of the posterior's confidence."""
    macro_f1: float
    """Of the refined labels."""
    reliability_auroc: float
    """Of reliability, for telling right given labels from wrong ones."""
    n_gold: tuple[int, ...]
    """Clips of each class by the truth."""
    n_refined: tuple[int, ...]
    """Clips of each class by the refined labels."""


def score(probabilities: Floats, refined: Ints, given: Ints, votes: Floats, gold: Ints) -> Scores:
    """Compare labels with the truth.

    Args:
        probabilities: Posterior, (n_clips, n_classes).
        refined: Refined labels, (n_clips,).
        given: Given labels, -1 without: (n_clips,).
        votes: Votes for each class, (n_clips, n_classes); zeros if nobody voted.
        gold: The truth, -1 where it is unknown: (n_clips,).

    Returns:
        The scores over clips with gold; all nan if there is none.
    """
    known = gold >= 0
    probabilities, votes = probabilities[known], votes[known]
    refined, given, gold = refined[known], given[known], gold[known]
    n_classes = probabilities.shape[1]
    reliability = probabilities[np.arange(len(gold)), np.maximum(given, 0)]
    labelled = given >= 0
    return Scores(
        n_clips=len(gold),
        accuracy_given=accuracy(given, gold),
        accuracy_majority=majority_accuracy(votes, gold),
        accuracy_refined=accuracy(refined, gold),
        log_loss=log_loss(probabilities, gold),
        ece=calibration_error(probabilities, gold),
        macro_f1=macro_f1(refined, gold),
        reliability_auroc=auroc(reliability[labelled], (given == gold)[labelled]),
        n_gold=tuple(np.bincount(gold, minlength=n_classes).tolist()),
        n_refined=tuple(np.bincount(refined, minlength=n_classes).tolist()),
    )


def accuracy(labels: Ints, gold: Ints) -> float:
    """Share of right labels among clips that have a label and gold (no -1); nan if there is none."""
    both = (labels >= 0) & (gold >= 0)
    return float((labels == gold)[both].mean()) if both.any() else float("nan")


def majority_accuracy(votes: Floats, gold: Ints) -> float:
    """Accuracy of the most frequent vote; a tie of k classes that holds the right one counts 1 / k.

    Args:
        votes: Shape (n_clips, n_classes). Clips without votes are left out.
        gold: Shape (n_clips,), -1 where unknown; such clips are left out.

    Returns:
        Between 0 and 1; nan if no clip has votes and gold.
    """
    counted = (gold >= 0) & votes.any(axis=1)
    votes, gold = votes[counted], gold[counted]
    if not len(gold):
        return float("nan")
    leading = votes >= votes.max(axis=1, keepdims=True) - 1e-9
    return float((leading[np.arange(len(gold)), gold] / leading.sum(axis=1)).mean())


def log_loss(probabilities: Floats, gold: Ints) -> float:
    """Mean of -log P(truth), in nats, P at least 1e-6; nan without gold."""
    known = np.flatnonzero(gold >= 0)
    if not len(known):
        return float("nan")
    return float(-np.log(np.clip(probabilities[known, gold[known]], 1e-6, 1)).mean())


def calibration_error(probabilities: Floats, gold: Ints, bins: int = BINS) -> float:
    """How far confidence is from accuracy: mean gap over bins of confidence, weighted by clips.

    Args:
        probabilities: Shape (n_clips, n_classes).
        gold: Shape (n_clips,), -1 where unknown.
        bins: Equally wide bins between 0 and 1.

    Returns:
        Between 0 and 1, 0 is best; nan without gold.

    Source:
        Guo et al. (2017), On Calibration of Modern Neural Networks, eq. 3,
        https://arxiv.org/abs/1706.04599
    """
    known = gold >= 0
    if not known.any():
        return float("nan")
    confidence = probabilities[known].max(axis=1)
    right = probabilities[known].argmax(axis=1) == gold[known]
    which = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(which, confidence - right, bins)
    return float(np.abs(gaps).sum() / known.sum())


def auroc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """P(a positive scores higher than a negative), ties counting half.

    Args:
        scores: Shape (n,).
        positive: Shape (n,), bool.

    Returns:
        0.5 is chance; nan if only one of both kinds is there.

    Source:
        Hanley and McNeil (1982), https://doi.org/10.1148/radiology.143.1.7063747
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    ranks = rankdata(scores)[positive].sum()
    return float((ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def macro_f1(labels: Ints, gold: Ints) -> float:
    """Mean F1 over the classes that occur in gold or labels (clips with both); nan if there is none."""
    both = (labels >= 0) & (gold >= 0)
    labels, gold = labels[both], gold[both]
    classes = np.union1d(labels, gold)
    if not len(classes):
        return float("nan")
    right = np.array([((labels == k) & (gold == k)).sum() for k in classes])
    named = np.array([(labels == k).sum() + (gold == k).sum() for k in classes])
    return float((2 * right / named).mean())
