"""Trust: how much each answer, the votes' share and the prior weigh, clip by clip."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.labels.alpha import krippendorff_alpha
from curate.labels.evidence import Evidence, Floats, Ints

USUAL_ALPHA = 0.4
"""Agreement beyond chance of people on the real sets, about."""

ALPHA_CLIPS = 20.0
"""Clips that `USUAL_ALPHA` counts as, beside those at hand."""


Blocks = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Trust:
    """How far one kind of source is trusted."""

    anchor: float
    """Weight of the share of votes, beside the model's belief, when confusions
    are estimated; less where many vote, see `FitSettings.anchor_votes`."""
    even: float
    """Weight of the even confusions, beside the detailed ones, in what a vote says on two classes."""
    skill: float
    """Power of an instrument's skill in its weight as a voter: 0 counts heads."""
    blend: float
    """Weight of the share of votes in the result, where only votes speak."""
    smoothing: float
    """Votes spread evenly over the classes of each clip before shares are taken."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """One setting for all data, chosen on real sets: see docs/decisions/0004-label-model-again.md."""

    people: Trust = Trust(anchor=1.0, even=0.5, skill=0.75, blend=0.15, smoothing=0.5)
    machines: Trust = Trust(anchor=0.5, even=0.0, skill=2.0, blend=0.3, smoothing=1.0)
    """Machines fall for some classes, which even confusions cannot express."""
    lone_smoothing: float = 1.0
    """People's smoothing where no clip has two votes: nothing tells how often one is wrong."""
    shared_error: float = 0.7
    """Of what people agree on beyond chance, the share that may be agreement in error."""
    machine_redundancy: float = 0.5
    """How far models of different groups repeat each other; those of one group do so entirely."""
    item_redundancy: float = 0.1
    """How far answers in other options than the classes repeat each other."""
    anchor_votes: float = 20.0
    """Votes on a clip at which the anchor has half its weight: many votes hold by themselves."""
    steps: int = 12
    """Rounds of estimation at most; they end when confusions settle."""
    later_steps: int = 8
    """The same where an earlier fit is gone on from."""


@dataclass(frozen=True, slots=True, eq=False)
class Scales:
    """The weights that `FitSettings` give to the parts of one body of evidence."""

    rows: Floats
    """Power of each answer in the result: (n_rows,)."""
    loop_rows: Floats
    """Power of each answer while confusions are estimated, 1 for votes: (n_rows,)."""
    prior: Floats
    """Power of the prior in the result, 1 where nobody voted: (n_items,)."""
    anchor: Floats
    """Weight of the share of votes while confusions are estimated: (n_items,)."""
    blend: Floats
    """Weight of the share of votes in the result: (n_items,)."""
    smoothing: Floats
    """Votes spread evenly over the classes before shares are taken: (n_items,)."""


def scales(evidence: Evidence, settings: FitSettings, anchored: NDArray[np.bool_]) -> Scales:
    """Weigh the parts.

    Votes of people, votes of machines, answers to items and "cannot be seen"
    are four blocks: n votes of a block count as n / (1 + (n - 1) redundancy), the
    size of a sample with that correlation (Kish 1965, Survey Sampling, section
    5.4). People's redundancy is estimated, see `people_redundancy`; machines of
    one group count as one vote, and groups as the votes of a block. All "cannot
    be seen" of a clip count as one: it is dark for every item. The prior is
    raised to the mean power of the votes, since it was counted from them.
    Anchor and blend shrink as items speak beside the votes.

    Args:
        evidence: The answers.
        settings: How far to trust whom.
        anchored: Clips that have a share: (n_items,).

    Returns:
        Zero for the anchor and blend of a clip without votes; but where nobody
        voted on any clip, `anchored` clips keep the machines' anchor.
    """
    block = _blocks(evidence)  # (n_rows,)
    sizes = _sizes(evidence, block)  # (4, n_items)
    machines = _machine_powers(evidence, block == 1, settings.machine_redundancy)  # (n_rows,)
    powers = np.stack(
        [
            _power(sizes[0], people_redundancy(evidence, block == 0, settings.shared_error)),
            _mean_over_items(evidence, block == 1, machines, sizes[1]),
            _power(sizes[2], settings.item_redundancy),
            _power(sizes[3], 1.0),
        ]
    )
    rows = np.where(block == 1, machines, powers[block, evidence.item])
    votes = sizes[:2].sum(axis=0)
    share = _ratio(np.ones_like(votes), votes + sizes[2] * powers[2])
    fading = 1 / (1 + votes / settings.anchor_votes)
    anchors = (settings.people.anchor * sizes[0] + settings.machines.anchor * sizes[1]) * share * fading
    return Scales(
        rows=rows,
        loop_rows=np.where(block >= 2, rows, 1.0)
        if (block >= 2).any()
        else np.broadcast_to(1.0, block.shape),
        prior=_mean_power(sizes[:2], powers[:2]),
        anchor=anchors if votes.any() else np.where(anchored, settings.machines.anchor, 0.0),
        blend=(settings.people.blend * sizes[0] + settings.machines.blend * sizes[1]) * share,
        smoothing=_smoothing(sizes[0], sizes[1], settings),
    )


def smoothing(evidence: Evidence, settings: FitSettings) -> Floats:
    """Votes spread evenly over the classes of each clip, by who voted: (n_items,)."""
    people, machines = _sizes(evidence, _blocks(evidence))[:2]
    return _smoothing(people, machines, settings)


def _smoothing(people: Floats, machines: Floats, settings: FitSettings) -> Floats:
    paired = (people >= 2 - 1e-9).sum()
    lone = ALPHA_CLIPS / (paired + ALPHA_CLIPS)
    by_people = lone * settings.lone_smoothing + (1 - lone) * settings.people.smoothing
    votes = people + machines
    mixed = by_people * people + settings.machines.smoothing * machines
    return np.where(votes > 0, _ratio(mixed, votes), by_people)


def people_redundancy(evidence: Evidence, rows: NDArray[np.bool_], shared_error: float) -> float:
    """How far people's votes on a clip repeat each other's errors: between 0 and 1.

    Votes alone cannot tell agreement on the truth from agreement on an error.
    Over the sets with known truth, the redundancy that calibrates is close to
    a fixed share of Krippendorff's alpha, the agreement beyond chance: where
    people see the same thing, they also err alike; where they agree little,
    their errors are their own.

    Args:
        evidence: The answers.
        rows: Which of them are people's votes: (n_rows,).
        shared_error: The share of the agreement that is taken to be error.

    Returns:
        shared_error * alpha, alpha drawn to `USUAL_ALPHA` as by `ALPHA_CLIPS`
        clips that had it. Not below 0.

    Source:
        Ours; docs/decisions/0004-label-model-again.md.
    """
    found = krippendorff_alpha(evidence, rows)
    drawn = (found.n_clips * found.alpha + ALPHA_CLIPS * USUAL_ALPHA) / (found.n_clips + ALPHA_CLIPS)
    return float(np.clip(shared_error * drawn, 0.0, 1.0))


def _blocks(evidence: Evidence) -> Blocks:
    """0 votes of people, 1 of machines, 2 answers to items, 3 "cannot be seen": (n_rows,)."""
    by_instrument = np.where(evidence.is_class_valued, evidence.is_machine, 2).astype(np.int8)
    block = by_instrument[evidence.instrument]
    block[evidence.is_unseen & (block == 2)] = 3
    return block


def _sizes(evidence: Evidence, block: Blocks) -> Floats:
    """Votes of each block, by clip: (4, n_items)."""
    sizes = np.zeros((4, evidence.n_items))
    for number in np.unique(block):
        sizes[number] = _count(evidence.item, evidence.weight * (block == number), evidence.n_items)
    return sizes


def _count(places: Ints, weights: Floats, n_places: int) -> Floats:
    return np.bincount(places, weights, n_places).astype(np.float64)


def _power(votes: Floats, redundancy: float) -> Floats:
    """1 / (1 + (votes - 1) redundancy), and 1 up to one vote."""
    power: Floats = 1 / (1 + np.maximum(votes - 1, 0) * redundancy)
    return power


def _machine_powers(evidence: Evidence, mine: NDArray[np.bool_], redundancy: float) -> Floats:
    """Power of each machine's vote, all of a group sharing one; 0 for other rows: (n_rows,)."""
    mine = mine & (evidence.weight > 0)  # a muted voter is no voice
    groups = sorted({instrument.group for instrument in evidence.instruments})
    places = {name: place for place, name in enumerate(groups)}
    group = np.array([places[i.group] for i in evidence.instruments], dtype=np.int64)[evidence.instrument]
    powers = np.zeros(len(group))
    if mine.any():
        cells, cell = np.unique(evidence.item[mine] * len(groups) + group[mine], return_inverse=True)
        within = _power(_count(cell, evidence.weight[mine], len(cells)), 1.0)  # (n_cells,)
        spoken = np.bincount(cells // len(groups), minlength=evidence.n_items).astype(np.float64)
        powers[mine] = within[cell] * _power(spoken, redundancy)[evidence.item[mine]]
    return powers


def _mean_over_items(evidence: Evidence, mine: NDArray[np.bool_], powers: Floats, sizes: Floats) -> Floats:
    """Mean power of some rows on each clip, 1 where there is none: (n_items,)."""
    total = _count(evidence.item[mine], (powers * evidence.weight)[mine], evidence.n_items)
    return np.where(sizes > 0, _ratio(total, sizes), 1.0)


def _mean_power(sizes: Floats, powers: Floats) -> Floats:
    """Mean of the blocks' powers, each counting as many times as its votes are worth."""
    worth = sizes * powers
    total = worth.sum(axis=0)
    return np.where(total > 0, _ratio((worth * powers).sum(axis=0), total), 1.0)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """The one over the other, and the first where the other is 0."""
    return np.asarray(part / np.where(whole > 0, whole, 1.0))
