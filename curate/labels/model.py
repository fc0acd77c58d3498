"""The latent-class model: what class each clip has, given what every instrument said.

It is Dawid and Skene's model with four precautions, each measured in
docs/decisions/0002-label-model.md: confusions are shrunk to those of alike
instruments; they are estimated close to the votes; answers of alike sources
count for less than as many independent ones; and the share of votes is blended
in at the end.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, softmax

from curate.labels.alpha import krippendorff_alpha
from curate.labels.confusion import (
    Layout,
    Strengths,
    choose_strengths,
    confusions,
    even_confusions,
    layout,
    skills,
)
from curate.labels.evidence import Evidence, Floats
from curate.labels.start import smoothed_shares, starting_shares
from curate.labels.trust import FitSettings, Scales, scales, smoothing

STRENGTHS_AT = (0, 3, 6, 10)
"""Steps at which empirical Bayes is run again: it is the slow part and settles early."""

ALIKE = 16.0
"""Row strength from which on a pool counts as alike, and even confusions have their full say."""


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """What the model believes, with every part of its reckoning.

    log_tempered[i] is the sum, over i's rows of the evidence, of scales.rows *
    weight * says[column], plus scales.prior[i] * log prior, less a constant;
    and probabilities[i] = (1 - scales.blend[i]) * exp(log_tempered[i]) +
    scales.blend[i] * share[i].
    """

    probabilities: Floats
    """P(class | evidence): (n_items, n_classes); rows sum to 1."""
    log_tempered: Floats
    """The log of the same before the blend: (n_items, n_classes)."""
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


def fit(evidence: Evidence, settings: FitSettings | None = None) -> Posterior:
    """Estimate every instrument's confusions and every clip's class together.

    Deterministic. The order of clips, instruments, answers and classes changes
    nothing; clips with the same answers get the same posterior.

    Args:
        evidence: A clip about which nothing is said gets the prior.
        settings: The default was chosen once, on many real sets.

    Returns:
        The posterior; without clips, empty arrays.

    Raises:
        InputError: Nothing tells what the classes mean (see `starting_shares`).

    Source:
        Ours, after Dawid and Skene (1979), section 3,
        https://doi.org/10.2307/2346806. Two things are ours. The anchor: without
        it, clips that many people get wrong in the same way drag a whole class
        along. And clips without votes (or height, see `starting_shares`) teach
        nothing: where they are many, they would redefine the classes.
    """
    settings = settings or FitSettings()
    share = target = starting_shares(evidence, smoothing(evidence, settings))
    anchored = share.sum(axis=1) > 0
    weigh = scales(evidence, settings, anchored)
    where, powers = layout(evidence), _skill_powers(evidence, settings)
    spoken, heard = evidence.matrix().T.tocsr(), evidence.matrix(weigh.loop_rows)
    prior, strengths, table = _mean(share[anchored]), Strengths((), ()), np.empty((0, 0))
    for step in range(settings.steps):
        counts = spoken @ target  # (n_columns, n_classes)
        strengths = choose_strengths(counts, where) if step in STRENGTHS_AT else strengths
        table = confusions(counts, where, strengths)
        share = _weighted_shares(evidence, skills(table, prior, where) ** powers, share, weigh.smoothing)
        prior = _mean(share[anchored])
        belief = softmax(heard @ np.log(table) + np.log(prior), axis=1)
        target = weigh.anchor[:, None] * share + (1 - weigh.anchor[:, None]) * belief
        target[~anchored] = 0.0
    says = _says(evidence, settings, where, table, spoken @ share)
    share = np.where(anchored[:, None], share, prior)
    return _posterior(evidence, weigh, says, table, share, prior)


def _skill_powers(evidence: Evidence, settings: FitSettings) -> Floats:
    """Power of the skill of each column: (n_columns,)."""
    return _by_column(evidence, settings.people.skill, settings.machines.skill)


def _by_column(evidence: Evidence, people: float, machines: float) -> Floats:
    by_instrument = np.where(evidence.is_machine, machines, people)
    return np.repeat(by_instrument, np.diff(evidence.offsets))


def _mean(shares: Floats) -> Floats:
    """Mean of the rows; even shares if there are none."""
    if len(shares):
        mean: Floats = shares.mean(axis=0)
        return mean
    return np.full(shares.shape[1], 1 / shares.shape[1])


def _weighted_shares(evidence: Evidence, weights: Floats, before: Floats, smoothing: Floats) -> Floats:
    """Shares of votes that weigh `weights` (n_columns,), 1 on average; zero rows stay zero."""
    votes = evidence.class_votes()
    weighted = evidence.class_votes(weights)
    if not votes.any():
        return before
    shares = smoothed_shares(weighted * votes.sum() / weighted.sum(), smoothing)
    return np.where(votes.any(axis=1, keepdims=True), shares, 0.0)


def _says(evidence: Evidence, settings: FitSettings, where: Layout, table: Floats, counts: Floats) -> Floats:
    """Log confusions, detailed and even ones averaged: a product of experts, so that answers add up.

    The even ones are estimated from the votes' shares (`counts`), which no
    mistake of the model has touched, and count less where the instruments of a
    pool evidently differ row by row.
    """
    strengths = choose_strengths(counts, where)
    trusted = _trust_in_even(evidence, settings, where)
    weights = np.zeros((len(table), 1))
    for columns, (_, rows) in zip(where.pools, strengths.pools, strict=True):
        weights[columns, 0] = trusted[columns] * min(1.0, rows / ALIKE)
    even = even_confusions(counts, where, strengths)
    return np.asarray((1 - weights) * np.log(table) + weights * np.log(even))


def _trust_in_even(evidence: Evidence, settings: FitSettings, where: Layout) -> Floats:
    """Weight of the even confusions of each column, before its pool is looked at: (n_columns,).

    One accuracy stands for K (K - 1) rates: the more classes, the less it can be
    right. But where people cannot be told apart, it is all that votes can show.
    Machines that cannot be told apart are held to it the more, the more they
    agree: only then the classes that they name most are the commonest.
    """
    if where.alike:
        machines = krippendorff_alpha(evidence, evidence.is_class_valued[evidence.instrument])
        return _by_column(evidence, 1.0, max(machines.alpha, 0.0) ** 2)
    freedom = (evidence.n_classes - 1) ** 2
    return _by_column(evidence, settings.people.even, settings.machines.even) / freedom


def _posterior(
    evidence: Evidence, weigh: Scales, says: Floats, table: Floats, share: Floats, prior: Floats
) -> Posterior:
    evidence_sum = evidence.matrix(weigh.rows) @ says
    log_tempered = log_softmax(evidence_sum + weigh.prior[:, None] * np.log(prior), axis=1)
    blend = weigh.blend[:, None]
    probabilities = (1 - blend) * np.exp(log_tempered) + blend * share
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return Posterior(probabilities, log_tempered, share, prior, weigh, says, table)
