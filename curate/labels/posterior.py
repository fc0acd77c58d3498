"""Posterior: what is believed of each clip, with every part of the reckoning."""

from dataclasses import dataclass

import numpy as np

from curate.labels.evidence import Evidence, Floats, Ints
from curate.labels.rows import row_sums, softmax_in_place
from curate.labels.trust import Scales


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierWord:
    """What a classifier adds."""

    instrument: int
    """Its index among the instruments."""
    logs: Floats
    """Added to the log-probability of each class: (n_items, n_classes)."""


@dataclass(frozen=True, slots=True, eq=False)
class GoldLesson:
    """What gold changed, as `labels.gold_features` learned it."""

    leans: Floats
    """Added per unit of weight to the class that a row of class-valued evidence names: (n_rows,)."""
    bias: Floats
    """Added to each class: (n_classes,)."""
    known: Ints
    """Class of the gold label, -1 without: (n_items,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """What the model believes, with every part of its reckoning.

    The log-odds of two classes on clip i are the sum, over i's rows of the
    evidence, of scales.rows * weight * says[column]; scales.prior[i] * log
    prior; each classifier's logs; what gold added; and what mixing in the share
    of votes changed, which is no sum of parts and is had by subtraction.
    """

    probabilities: Floats
    """P(class | evidence): (n_items, n_classes); rows sum to 1."""
    share: Floats
    """Votes weighted by skill, as shares; the prior where nobody voted: (n_items, n_classes)."""
    prior: Floats
    """Share of each class: (n_classes,)."""
    scales: Scales
    """Weights of the parts."""
    says: Floats
    """What a vote for each column says for each class, in log units: (n_columns, n_classes)."""
    confusions: Floats
    """P(option | class), for people to read; sums to 1 over an instrument: (n_columns, n_classes)."""
    classifiers: tuple[ClassifierWord, ...] = ()
    """What classifiers add, whose rows say nothing by `says`."""
    lesson: GoldLesson | None = None
    """What gold changed; None without gold."""


def assemble(
    evidence: Evidence,
    scales: Scales,
    says: Floats,
    confusions: Floats,
    share: Floats,
    prior: Floats,
    classifiers: tuple[ClassifierWord, ...] = (),
) -> Posterior:
    """Add up the parts, and mix in the share of votes where no classifier spoke."""
    logs = evidence.matrix(scales.rows) @ says
    logs += scales.prior[:, None] * np.log(prior)
    blend = scales.blend[:, None]
    for word in classifiers:
        logs += word.logs
        blend = np.where(word.logs.any(axis=1, keepdims=True), 0.0, blend)
    probabilities = softmax_in_place(logs)
    probabilities *= 1 - blend
    probabilities += blend * share
    probabilities /= row_sums(probabilities)[:, None]
    return Posterior(probabilities, share, prior, scales, says, confusions, classifiers)
