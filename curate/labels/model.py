"""The latent-class model: what class each clip has, given what every instrument said.

It is Dawid and Skene's model with four precautions, measured in
docs/decisions/0002 and 0004: confusions are shrunk to those of alike
instruments; they are estimated close to the votes; answers of alike sources
count for less than as many independent ones; and the share of votes is blended
in at the end.
"""

import numpy as np

from curate.labels.alpha import krippendorff_alpha
from curate.labels.carry import Earlier, carried_confusions
from curate.labels.confusion import Strengths, choose_strengths, confusions, even_confusions, skills
from curate.labels.evidence import Evidence, Floats
from curate.labels.layout import Layout, layout
from curate.labels.listen import classifier_rows, listen, without
from curate.labels.passes import Passes, passes
from curate.labels.posterior import Posterior, assemble
from curate.labels.rows import row_sums
from curate.labels.start import starting_shares
from curate.labels.trust import FitSettings, scales, smoothing

STRENGTHS_AT = (0, 1, 3, 6, 10)
"""Steps at which empirical Bayes is run again: it is the slow part and settles early."""

SETTLED = 2e-4
"""Change of a log confusion that may still be to come when the rounds end early."""

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
    share = starting_shares(evidence, smoothing(evidence, settings))
    anchored = row_sums(share) > 0
    weigh = scales(evidence, settings, anchored)
    carried = None if earlier is None else carried_confusions(evidence, where, earlier)
    table, prior, says = _rounds(evidence, where, settings, passes(evidence, weigh, anchored), share, carried)
    share[~anchored] = prior
    return assemble(evidence, weigh, says, table, share, prior)


def _rounds(
    evidence: Evidence,
    where: Layout,
    settings: FitSettings,
    each: Passes,
    share: Floats,
    carried: Floats | None,
) -> tuple[Floats, Floats, Floats]:
    """Confusions, prior and what votes say, from a first `share`, in whose memory the last one is left."""
    powers = _by_column(evidence, settings.people.skill, settings.machines.skill)
    target, prior, strengths, pace = share.copy(), each.mean(share), Strengths((), ()), Pace()
    steps = settings.steps if carried is None else settings.later_steps
    for step in range(steps):
        if step == 0 and carried is not None:
            table = carried
        else:
            counts = each.counts(target)
            strengths = choose_strengths(counts, where, strengths) if step in STRENGTHS_AT else strengths
            table = confusions(counts, where, strengths)
        each.take_shares(skills(table, prior, where) ** powers, share)
        prior, logs = each.mean(share), np.log(table)
        if step == steps - 1 or pace.is_settled(logs):
            break
        each.believe(logs, np.log(prior), share, target)
    return table, prior, _says(evidence, settings, where, table, each.counts(share), strengths)


class Pace:
    """How much confusions change from round to round."""

    def __init__(self) -> None:
        self._logs: Floats | None = None
        self._change = np.nan

    def is_settled(self, logs: Floats) -> bool:
        """Whether the changes that are still to come, taken to shrink as the last two did, are small.

        Of changes d and then d r the rest, d r (r + r^2 + ...), is d r^2 / (1 - r).
        """
        before = self._change
        self._change = np.nan if self._logs is None else float(np.abs(logs - self._logs).max(initial=0))
        self._logs = logs
        return self._change == 0 or (
            self._change < before and self._change**2 < SETTLED * (before - self._change)
        )


def _by_column(evidence: Evidence, people: float, machines: float) -> Floats:
    by_instrument = np.where(evidence.is_machine, machines, people)
    return np.repeat(by_instrument, np.diff(evidence.offsets))


def _says(
    evidence: Evidence,
    settings: FitSettings,
    where: Layout,
    table: Floats,
    counts: Floats,
    near: Strengths,
) -> Floats:
    """Log confusions, detailed and even ones averaged: a product of experts, so that answers add up.

    The even ones are estimated from the votes' shares (`counts`), which no
    mistake of the model has touched, and count less where the instruments of a
    pool evidently differ row by row.
    """
    strengths = choose_strengths(counts, where, near)
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
