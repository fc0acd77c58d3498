"""Queue: which clips to show a person next, because one more answer about them is worth most."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import entr

from curate.errors import InputError, Problem
from curate.labels.batch import Batch, draw_batch
from curate.labels.evidence import Evidence, Floats, Ints

SOFTNESS = 0.05
"""Width, in probability, within which a clip counts as near the end of the high split."""

PERSON = 0.6
"""Share of right answers of a person about whom nothing is known, beyond luck; weighs as one vote a class."""

QUEUE_SCHEMA = {"rank": pl.Int64, "clip": pl.Int64, "expected_gain": pl.Float64, "reason": pl.String}


@dataclass(frozen=True, slots=True)
class Aim:
    """What the answers are for."""

    towards: Literal["posterior", "certificate"] = "posterior"
    """posterior: labels that are right and sure of it. certificate: a larger high split."""
    error: float = 0.10
    """Share of wrong labels that the high split may have; used by "certificate"."""


def next_clips(
    probabilities: Floats,
    confusion: Floats,
    classes: tuple[str, ...],
    size: int,
    *,
    aim: Aim | None = None,
    batch: Batch | None = None,
    labels: Ints | None = None,
    groups: Ints | None = None,
    embeddings: Floats | None = None,
    already: NDArray[np.bool_] | None = None,
    weights: Floats | None = None,
) -> pl.DataFrame:
    """Rank the clips about which one more answer of a person is worth most.

    Deterministic; equally worthy clips are taken spread over the list.

    Args:
        probabilities: Posterior, (n_clips, n_classes).
        confusion: P(a person says l | class k), columns sum to 1: (n_classes,
            n_classes), row l, column k. See `person_confusion`.
        classes: Names of the classes, for the reasons.
        size: Clips wanted, at least 1.
        aim: What the answers are for.
        batch: How mixed the clips must be.
        labels: Label of each clip that the high split is about, -1 where that is
            the likeliest class; used by "certificate": (n_clips,).
        groups: Subject or source of each clip: (n_clips,).
        embeddings: What the clips look like, to tell near-duplicates: (n_clips, n_dimensions).
        already: Clips that are not to be asked about: (n_clips,).
        weights: How much each clip matters, at least 0: (n_clips,).

    Returns:
        Columns rank, from 1; clip, its index; expected_gain: see
        `expected_information` and `expected_split_gain`, times the clip's weight;
        reason, a sentence. Fewer rows than `size` where the batch's rules or
        `already` leave no more.

    Raises:
        InputError: With every problem of the arguments.
    """
    aim, batch = aim or Aim(), batch or Batch()
    weights = np.ones(len(probabilities)) if weights is None else weights
    each = {
        "labels": labels,
        "groups": groups,
        "embeddings": embeddings,
        "already": already,
        "weights": weights,
    }
    _check(probabilities, confusion, classes, size, weights, each)
    labels = np.full(len(probabilities), -1, dtype=np.int64) if labels is None else labels
    end = split_end(_label_probability(probabilities, labels), aim.error)
    if aim.towards == "posterior":
        gain = expected_information(probabilities, confusion)
    else:
        gain = expected_split_gain(probabilities, confusion, labels, end)
    worth = np.where(already, 0.0, gain * weights) if already is not None else gain * weights
    chosen = draw_batch(worth, probabilities, size, batch, groups, embeddings)
    reasons = (
        [_doubt(probabilities[clip], gain[clip], classes) for clip in chosen]
        if aim.towards == "posterior"
        else [_boundary(probabilities[clip], labels[clip], end, classes) for clip in chosen]
    )
    columns = (np.arange(1, len(chosen) + 1), chosen, worth[chosen], reasons)
    return pl.DataFrame(dict(zip(QUEUE_SCHEMA, columns, strict=True)), schema=QUEUE_SCHEMA)


def expected_information(probabilities: Floats, confusion: Floats) -> Floats:
    """What one more answer is expected to take off the log-loss, in nats: (n_clips,).

    The mutual information of class and answer, H(sum_k p_k c_k) - sum_k p_k
    H(c_k). It is small where the class is clear, and also where people answer at
    random whatever the class: doubt alone is no reason to ask.

    Args:
        probabilities: Posterior, (n_clips, n_classes).
        confusion: P(answer l | class k), (n_classes, n_classes).

    Source:
        Lindley (1956), On a measure of the information provided by an
        experiment, section 3, https://doi.org/10.1214/aoms/1177728069
    """
    answers = entr(probabilities @ confusion.T).sum(axis=1)
    gain: Floats = np.maximum(answers - probabilities @ entr(confusion).sum(axis=0), 0.0)
    return gain


def expected_split_gain(probabilities: Floats, confusion: Floats, labels: Ints, end: float) -> Floats:
    """How much one more answer is expected to add to the worth of the high split: (n_clips,).

    A clip in the split is worth how far its label's probability r is above the
    split's end t, and nothing below it. With t known to `SOFTNESS` h that is U(r)
    = h log(1 + exp((r - t) / h)); the gain is the mean of U after the answer,
    less U before. It is largest where the answer decides on which side the
    clip falls.

    Args:
        probabilities: Posterior, (n_clips, n_classes).
        confusion: P(answer l | class k), (n_classes, n_classes).
        labels: Label of each clip, -1 for the likeliest class: (n_clips,).
        end: Probability t at which the split ends.

    Source:
        Ours: the value of information about a decision (Raiffa and Schlaifer
        1961, Applied Statistical Decision Theory, chapter 4), for this decision.
    """
    gain = -_split_worth(_label_probability(probabilities, labels), end)
    for row in confusion:
        joint = probabilities * row  # (n_clips, n_classes)
        chance = joint.sum(axis=1)
        after = _label_probability(joint / np.where(chance > 0, chance, 1)[:, None], labels)
        gain = gain + chance * _split_worth(after, end)
    return np.maximum(gain, 0.0)


def split_end(sure: Floats, error: float) -> float:
    """Probability at which the largest split ends that is expected to have at most `error` wrong.

    Args:
        sure: P(label is right), (n_clips,).
        error: Between 0 and 1.

    Returns:
        The smallest probability inside the split; the largest of all if no split
        is that good; 1 without clips.
    """
    if not len(sure):
        return 1.0
    ranked = np.sort(sure)[::-1]
    good = np.flatnonzero(np.cumsum(1 - ranked) <= error * np.arange(1, len(ranked) + 1))
    return float(ranked[good[-1] if len(good) else 0])


def person_confusion(evidence: Evidence, probabilities: Floats) -> Floats:
    """What people of average skill say, given the class: (n_classes, n_classes), columns sum to 1.

    Args:
        evidence: The answers so far.
        probabilities: Posterior, (n_clips, n_classes).

    Returns:
        P(answer l | class k), row l, column k: votes of people by the posterior
        of their clips, with one more vote a class that is right with `PERSON`
        plus luck. Without people, that vote alone.
    """
    n_classes = evidence.n_classes
    people = ~evidence.is_machine & evidence.is_class_valued
    mine = people[evidence.instrument]
    counts = PERSON * np.eye(n_classes) + (1 - PERSON) / n_classes
    votes = evidence.weight[mine, None] * probabilities[evidence.item[mine]]
    np.add.at(counts, evidence.option[mine], votes)
    confusion: Floats = counts / counts.sum(axis=0)
    return confusion


def _label_probability(probabilities: Floats, labels: Ints) -> Floats:
    """Of the label; of the likeliest class where there is none: (n_clips,)."""
    given = probabilities[np.arange(len(labels)), np.maximum(labels, 0)]
    return np.where(labels >= 0, given, probabilities.max(axis=1, initial=0))


def _split_worth(sure: Floats, end: float) -> Floats:
    worth: Floats = SOFTNESS * np.logaddexp(0, (sure - end) / SOFTNESS)
    return worth


def _doubt(probabilities: Floats, gain: float, classes: tuple[str, ...]) -> str:
    first, second = np.argsort(-probabilities, kind="stable")[:2]
    removed = gain / max(float(entr(probabilities).sum()), 1e-12)
    return (
        f"{classes[first]} ({probabilities[first]:.0%}) or {classes[second]} ({probabilities[second]:.0%}): "
        f"one more answer is expected to remove {removed:.0%} of the doubt"
    )


def _boundary(probabilities: Floats, label: int, end: float, classes: tuple[str, ...]) -> str:
    named = label if label >= 0 else int(probabilities.argmax())
    return (
        f"{classes[named]} is right with {probabilities[named]:.0%} and the high split ends at {end:.0%}: "
        "one more answer may decide on which side the clip falls"
    )


def _check(
    probabilities: Floats,
    confusion: Floats,
    classes: tuple[str, ...],
    size: int,
    weights: Floats,
    each: Mapping[str, Floats | Ints | NDArray[np.bool_] | None],
) -> None:
    n_classes = len(classes)
    sums = abs(probabilities.sum(axis=1) - 1) < 1e-6
    checks = [
        (
            probabilities.shape[1] == n_classes >= 2,
            "probabilities",
            f"expected {n_classes} columns, at least 2",
        ),
        (bool(sums.all() and (probabilities >= 0).all()), "probabilities", "expected rows that sum to 1"),
        (confusion.shape == (n_classes, n_classes), "confusion", "expected one row and column a class"),
        (bool((abs(confusion.sum(axis=0) - 1) < 1e-6).all()), "confusion", "expected columns that sum to 1"),
        (size >= 1, "size", f"got {size}, expected at least 1"),
        (bool((weights >= 0).all()), "weights", "expected numbers of at least 0"),
    ]
    checks += [
        (
            len(values) == len(probabilities),
            name,
            f"got {len(values)}, expected one a clip: {len(probabilities)}",
        )
        for name, values in each.items()
        if values is not None
    ]
    problems = [Problem(where, what) for good, where, what in checks if not good]
    if problems:
        raise InputError("queue", problems)
