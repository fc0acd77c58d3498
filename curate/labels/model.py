"""The latent-class model: what class each clip has, given what every instrument said.

It is Dawid and Skene's model with four precautions, each measured in
docs/decisions/0002-label-model.md: confusions are shrunk to those of alike
instruments; they are estimated close to the votes; answers of alike sources
count for less than as many independent ones; and the share of votes is blended
in at the end.
"""

import numpy as np
from scipy.special import softmax

from curate.labels.alpha import krippendorff_alpha
from curate.labels.carry import Earlier, carried_confusions
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
from curate.labels.listen import classifier_rows, listen, without
from curate.labels.posterior import Posterior, assemble
from curate.labels.start import smoothed_shares, starting_shares
from curate.labels.trust import FitSettings, scales, smoothing

STRENGTHS_AT = (0, 1, 3, 6, 10)
"""Steps at which empirical Bayes is run again: it is the slow part and settles early."""

ALIKE = 16.0
"""Row strength from which on a pool counts as alike, and even confusions have their full say."""


def fit(evidence: Evidence, settings: FitSettings | None = None, earlier: Earlier | None = None) -> Posterior:
    """Estimate every instrument's confusions and every clip's class together.

    Deterministic. The order of clips, instruments, answers and classes changes
    nothing; clips with the same answers get the same posterior.

    Args:
        evidence: A clip about which nothing is said gets the prior.
        settings: The default was chosen once, on many real sets.
        earlier: A fit to go on from, of evidence that this one adds to: fewer
            rounds lead to the same result, within a few thousandths.

    Returns:
        The posterior; without clips, empty arrays.

    Raises:
        InputError: Nothing tells what the classes mean (see `starting_shares`).

    Source:
        Ours, after Dawid and Skene (1979), section 3,
        https://doi.org/10.2307/2346806. Three things are ours. The anchor:
        without it, clips that many people get wrong in the same way drag a whole
        class along. Clips without votes (or height, see `starting_shares`) teach
        nothing: where they are many, they would redefine the classes. And
        classifiers are heard last, see `listen`.
    """
    settings = settings or FitSettings()
    rows = classifier_rows(evidence)
    voices = without(evidence, rows) if rows.any() else evidence
    where = layout(voices)
    posterior = _fit_voices(voices, where, settings, earlier)
    return listen(evidence, rows, posterior, where) if rows.any() else posterior


def _fit_voices(
    evidence: Evidence, where: Layout, settings: FitSettings, earlier: Earlier | None
) -> Posterior:
    """The fit, without classifiers."""
    share = target = starting_shares(evidence, smoothing(evidence, settings))
    anchored = share.sum(axis=1) > 0
    weigh = scales(evidence, settings, anchored)
    powers = _by_column(evidence, settings.people.skill, settings.machines.skill)
    spoken, heard = evidence.matrix().T.tocsr(), evidence.matrix(weigh.loop_rows)
    prior, strengths, table = _mean(share[anchored]), Strengths((), ()), np.empty((0, 0))
    steps = settings.steps
    if earlier is not None:
        steps, table = settings.later_steps, carried_confusions(evidence, where, earlier)
    for step in range(steps):
        if len(table) == 0 or step > 0:
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
    return assemble(evidence, weigh, says, table, share, prior)


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
    if where.ordinal and not where.alike:
        # Ordinal confusions expect two numbers a person: too few to be led astray.
        return np.zeros(int(evidence.offsets[-1]))
    if where.alike:
        people = settings.people.even if where.ordinal else 1.0
        machines = krippendorff_alpha(evidence, evidence.is_class_valued[evidence.instrument])
        return _by_column(evidence, people, max(machines.alpha, 0.0) ** 2)
    freedom = (evidence.n_classes - 1) ** 2
    return _by_column(evidence, settings.people.even, settings.machines.even) / freedom
