"""Trust: how much each answer, the votes' share and the prior weigh, clip by clip."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.labels.evidence import Evidence, Floats, Ints


@dataclass(frozen=True, slots=True)
class Trust:
    """How far one kind of source is trusted; every number is between 0 and 1."""

    redundancy: float
    """How far votes on one clip repeat each other: n count as n / (1 + (n - 1) redundancy)."""
    anchor: float
    """Weight of the share of votes, beside the model's belief, when confusions are estimated."""
    even: float
    """Weight of the even confusions, beside the detailed ones, in what a vote says."""
    skill: float
    """Power of an instrument's skill in its weight as a voter: 0 counts heads."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """One setting for all data, chosen on real sets: docs/decisions/0002-label-model.md has the table."""

    people: Trust = Trust(redundancy=0.25, anchor=0.7, even=0.5, skill=0.5)
    machines: Trust = Trust(redundancy=1.0, anchor=0.5, even=0.0, skill=1.0)
    """Machines fall for some classes, which even confusions cannot express."""
    item_redundancy: float = 0.15
    """As `Trust.redundancy`, for answers in other options than the classes."""
    blend: float = 0.4
    """Weight of the share of votes in the result, where only votes speak."""
    smoothing: float = 1.0
    """Votes spread evenly over the classes of each clip before shares are taken."""
    steps: int = 12
    """Rounds of estimation; six are enough on every set seen."""


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


def scales(evidence: Evidence, settings: FitSettings, anchored: NDArray[np.bool_]) -> Scales:
    """Weigh the parts.

    Votes of people, votes of machines, answers to items and "cannot be seen"
    are four blocks: n votes of a block count as n / (1 + (n - 1) redundancy), the
    size of a sample with that correlation (Kish 1965, Survey Sampling, section
    5.4). All "cannot be seen" of a clip count as one: it is dark for every
    item. The prior is raised to the mean power of the votes, since it was
    counted from them. Anchor and blend shrink as items speak beside the votes.

    Args:
        evidence: The answers.
        settings: How far to trust whom.
        anchored: Clips that have a share: (n_items,).

    Returns:
        Zero for the anchor and blend of a clip without votes; but where nobody
        voted on any clip, `anchored` clips keep the machines' anchor.
    """
    block = _blocks(evidence)  # (n_rows,)
    redundancy = (settings.people.redundancy, settings.machines.redundancy, settings.item_redundancy, 1.0)
    sizes = np.stack([_size(evidence, block == number) for number in range(4)])  # (4, n_items)
    powers = np.stack([_power(size, repeats) for size, repeats in zip(sizes, redundancy, strict=True)])
    rows = powers[block, evidence.item]
    voices = sizes[:2].sum(axis=0) + sizes[2] * powers[2]
    anchors = settings.people.anchor * sizes[0] + settings.machines.anchor * sizes[1]
    share = 1 / np.where(voices > 0, voices, 1)
    nobody = not sizes[:2].any()
    return Scales(
        rows=rows,
        loop_rows=np.where(block >= 2, rows, 1.0),
        prior=_mean_power(sizes[:2], powers[:2]),
        anchor=np.where(anchored, settings.machines.anchor, 0.0) if nobody else anchors * share,
        blend=settings.blend * sizes[:2].sum(axis=0) * share,
    )


def _blocks(evidence: Evidence) -> Ints:
    """0 votes of people, 1 of machines, 2 answers to items, 3 "cannot be seen": (n_rows,)."""
    voter = evidence.is_class_valued[evidence.instrument]
    machine = evidence.is_machine[evidence.instrument]
    return np.where(voter, machine.astype(np.int64), np.where(evidence.is_unseen, 3, 2))


def _size(evidence: Evidence, rows: NDArray[np.bool_]) -> Floats:
    """Votes among some rows, by clip: (n_items,)."""
    return np.bincount(evidence.item[rows], evidence.weight[rows], evidence.n_items).astype(np.float64)


def _power(votes: Floats, redundancy: float) -> Floats:
    """1 / (1 + (votes - 1) redundancy), and 1 up to one vote."""
    power: Floats = 1 / (1 + np.maximum(votes - 1, 0) * redundancy)
    return power


def _mean_power(sizes: Floats, powers: Floats) -> Floats:
    """Mean of the blocks' powers, each counting as many times as its votes are worth."""
    worth = sizes * powers
    total = worth.sum(axis=0)
    return np.where(total > 0, (worth * powers).sum(axis=0) / np.where(total > 0, total, 1), 1.0)
