"""What gold may change: the parts of a posterior as features, and the scores of clips under new weights."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax

from curate.labels.evidence import Evidence, Floats, Ints
from curate.labels.posterior import GoldLesson, Posterior

WORK = 1e8
"""Multiplications of one Newton step at most; beyond, seldom-heard instruments get no weight of their own."""

FEWEST = 3
"""Gold clips on which an instrument must have spoken to get a weight of its own."""

OWN_VOTES = 6.0
"""Votes as which the confusions known without gold count when gold is added to them."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """How much each part counts. Without gold: 1 for the posterior, 0 for the rest."""

    posterior: float
    """Of the log posterior without gold."""
    share: float
    """Of the log share of votes."""
    items: float
    """Of what the items said, beside their part in the posterior."""
    confusions: float
    """Of what gold changes about the confusions."""
    bias: Floats
    """Added to each class: (n_classes,)."""
    group_votes: Floats
    """Of an instrument's vote as a share of all votes on the clip, alike within a group: (n_instruments,)."""
    votes: Floats
    """Of an instrument's vote: (n_instruments,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What gold changes about some columns of the confusions, in log units."""

    columns: Ints
    """Columns that were heard on gold clips, sorted: (n_heard,)."""
    logs: Floats
    """Log of the confusions with gold over those without: (n_heard, n_classes)."""


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """The features of the gold clips, and where each stands."""

    features: Floats
    """Shape (n_gold, n_classes, n_features), in the order posterior, share, items,
    confusions, bias, groups, instruments."""
    kinds: tuple[str, ...]
    """posterior, share, items, confusions, bias, group or instrument: (n_features,)."""
    groups: tuple[str, ...]
    """Groups that have a feature."""
    heard: Ints
    """Instruments that have a feature."""
    change: Change
    """The confusions with all gold."""

    def weights(self, found: Floats, evidence: Evidence) -> Weights:
        """The weights by name, from an array (n_features,) in the order of the features."""
        kinds = np.array(self.kinds)
        by_group = dict(zip(self.groups, found[kinds == "group"].tolist(), strict=True))
        votes = np.zeros(len(evidence.instruments))
        votes[self.heard] = found[kinds == "instrument"]
        posterior, share, items, confusions = found[:4].tolist()
        return Weights(
            posterior,
            share,
            items,
            confusions,
            bias=found[kinds == "bias"],
            group_votes=np.array([by_group.get(i.group, 0.0) for i in evidence.instruments]),
            votes=votes,
        )


def design(evidence: Evidence, posterior: Posterior, clips: Ints, gold: Ints, blocks: Ints) -> Design:
    """The features of the gold clips.

    Args:
        evidence: What `posterior` was fitted to.
        posterior: Without gold.
        clips: The gold clips, sorted: (n_gold,).
        gold: Their classes: (n_gold,).
        blocks: Subject or source of each gold clip: the confusions that a clip
            is described with owe nothing to gold of its own block. (n_gold,).
    """
    row_clips, rows = _rows_of(evidence, clips)
    change, own = _confusions(evidence, posterior, row_clips, rows, gold, blocks)
    groups = _groups(evidence)
    heard = _heard(evidence, row_clips, rows, len(clips), len(groups))
    parts = [
        centred_log(posterior.probabilities[clips]),
        centred_log(posterior.share[clips]),
        _items(evidence, posterior)[clips],
        own,
        *np.eye(evidence.n_classes)[:, None, :].repeat(len(clips), axis=1),
        *_votes_by_group(evidence, row_clips, rows, len(clips), groups),
        *_votes_by_instrument(evidence, row_clips, rows, len(clips), heard),
    ]
    kinds = [
        *("posterior", "share", "items", "confusions"),
        *("bias",) * evidence.n_classes,
        *("group",) * len(groups),
        *("instrument",) * len(heard),
    ]
    return Design(np.stack(parts, axis=2), tuple(kinds), groups, heard, change)


def scores(evidence: Evidence, posterior: Posterior, change: Change, weights: Weights) -> Floats:
    """Log-probability of each class of every clip under new weights: (n_items, n_classes)."""
    total = weights.posterior * centred_log(posterior.probabilities)
    total += weights.share * centred_log(posterior.share) + weights.bias
    if weights.items:
        total += weights.items * _items(evidence, posterior)
    if weights.confusions:
        changed = np.zeros((int(evidence.offsets[-1]), evidence.n_classes))
        changed[change.columns] = change.logs
        total += weights.confusions * (evidence.matrix(posterior.scales.rows) @ changed)
    if weights.votes.any() or weights.group_votes.any():
        sizes = np.diff(evidence.offsets)
        total += evidence.class_votes(np.repeat(weights.votes, sizes))
        cast = np.maximum(evidence.class_votes().sum(axis=1, keepdims=True), 1)
        total += evidence.class_votes(np.repeat(weights.group_votes, sizes)) / cast
    logs: Floats = log_softmax(total, axis=1)
    return logs


def reweighed(
    evidence: Evidence,
    posterior: Posterior,
    change: Change,
    weights: Weights,
    probabilities: Floats,
    gold: Ints,
) -> Posterior:
    """A posterior of new probabilities, its parts weighed anew, so that each answer's say can be told."""
    items = ~evidence.is_class_valued.repeat(np.diff(evidence.offsets))
    says = posterior.says * (weights.posterior + weights.items * items)[:, None]
    says[change.columns] += weights.confusions * change.logs
    voters = evidence.is_class_valued[evidence.instrument]
    cast = np.maximum(evidence.class_votes().sum(axis=1), 1)[evidence.item]
    leans = weights.votes[evidence.instrument] + weights.group_votes[evidence.instrument] / cast
    return replace(
        posterior,
        probabilities=probabilities,
        scales=replace(posterior.scales, prior=weights.posterior * posterior.scales.prior),
        says=says,
        classifiers=tuple(
            replace(word, logs=weights.posterior * word.logs) for word in posterior.classifiers
        ),
        lesson=GoldLesson(np.where(voters, leans, 0.0), weights.bias, gold),
    )


def centred_log(probabilities: Floats) -> Floats:
    """Log of the probabilities, at least 1e-4, less its mean over the classes."""
    logs = np.log(np.maximum(probabilities, 1e-4))
    centred: Floats = logs - logs.mean(axis=1, keepdims=True)
    return centred


def _rows_of(evidence: Evidence, clips: Ints) -> tuple[Ints, Ints]:
    """Rows of the evidence about some clips, and the place of each row's clip among them."""
    place = np.full(evidence.n_items, -1, dtype=np.int64)
    place[clips] = np.arange(len(clips))
    rows = np.flatnonzero(place[evidence.item] >= 0)
    return place[evidence.item[rows]], rows


def _items(evidence: Evidence, posterior: Posterior) -> Floats:
    """What the answers in other options than the classes say: (n_items, n_classes)."""
    other = ~evidence.is_class_valued[evidence.instrument]
    if not other.any():
        return np.zeros((evidence.n_items, evidence.n_classes))
    said: Floats = evidence.matrix(posterior.scales.rows * other) @ posterior.says
    centred: Floats = said - said.mean(axis=1, keepdims=True)
    return centred


def _confusions(
    evidence: Evidence, posterior: Posterior, row_clips: Ints, rows: Ints, gold: Ints, blocks: Ints
) -> tuple[Change, Floats]:
    """What gold changes about confusions, and what that says of each gold clip by the other blocks' gold.

    A column's rate under a class is (gold votes + OWN_VOTES * rate without gold) /
    (gold votes of the instrument + OWN_VOTES). Ours.
    """
    heard, column = np.unique(evidence.column[rows], return_inverse=True)
    owner = evidence.owner[heard]
    owners, owner = np.unique(owner, return_inverse=True)
    before, weight = posterior.confusions[heard], evidence.weight[rows]
    votes = np.zeros((len(heard), evidence.n_classes))
    np.add.at(votes, (column, gold[row_clips]), weight)
    totals = np.zeros((len(owners), evidence.n_classes))
    np.add.at(totals, owner, votes)
    own = np.zeros((len(gold), evidence.n_classes))
    power = posterior.scales.rows[rows] * weight
    by_block = np.argsort(blocks[row_clips], kind="stable")
    starts = np.flatnonzero(np.diff(blocks[row_clips][by_block], prepend=-1))
    for mine in np.split(by_block, starts[1:]):
        columns, at = np.unique(column[mine], return_inverse=True)
        less = np.zeros((len(columns), evidence.n_classes))
        np.add.at(less, (at, gold[row_clips[mine]]), weight[mine])
        people, which = np.unique(owner[columns], return_inverse=True)
        fewer = np.zeros((len(people), evidence.n_classes))
        np.add.at(fewer, which, less)
        logs = _change(votes[columns] - less, (totals[people] - fewer)[which], before[columns])
        np.add.at(own, row_clips[mine], power[mine, None] * logs[at])
    return Change(heard, _change(votes, totals[owner], before)), own - own.mean(axis=1, keepdims=True)


def _change(votes: Floats, totals: Floats, before: Floats) -> Floats:
    rates = (np.maximum(votes, 0) + OWN_VOTES * before) / (np.maximum(totals, 0) + OWN_VOTES)
    return np.asarray(np.log(rates / before))


def _groups(evidence: Evidence) -> tuple[str, ...]:
    """Groups of voters, if there are several."""
    voters = np.flatnonzero(evidence.is_class_valued)
    groups = sorted({evidence.instruments[index].group for index in voters})
    return tuple(groups) if len(groups) > 1 else ()


def _heard(evidence: Evidence, row_clips: Ints, rows: Ints, n_gold: int, n_groups: int) -> Ints:
    """Voters that spoke on enough gold clips, those that spoke most if they are too many; sorted."""
    voters = evidence.is_class_valued[evidence.instrument[rows]]
    pairs = np.unique(evidence.instrument[rows][voters] * n_gold + row_clips[voters])
    spoken = np.bincount(pairs // n_gold, minlength=len(evidence.instruments))
    room = int(np.sqrt(WORK / (n_gold * evidence.n_classes))) - 4 - evidence.n_classes - n_groups
    most = np.argsort(-spoken, kind="stable")[: max(room, 0)]
    return np.sort(most[spoken[most] >= FEWEST])


def _votes_by_group(
    evidence: Evidence, row_clips: Ints, rows: Ints, n_gold: int, groups: tuple[str, ...]
) -> Floats:
    """Each group's votes as a share of all votes on the clip: (n_groups, n_gold, n_classes)."""
    voters = evidence.is_class_valued[evidence.instrument[rows]]
    rows, row_clips = rows[voters], row_clips[voters]
    places = {name: place for place, name in enumerate(groups)}
    place = np.array([places.get(i.group, -1) for i in evidence.instruments])[evidence.instrument[rows]]
    cast = np.maximum(np.bincount(row_clips, evidence.weight[rows], n_gold), 1)
    votes = np.zeros((len(groups), n_gold, evidence.n_classes))
    if groups:
        share = evidence.weight[rows] / cast[row_clips]
        np.add.at(votes, (place, row_clips, evidence.option[rows]), share)
    return votes


def _votes_by_instrument(evidence: Evidence, row_clips: Ints, rows: Ints, n_gold: int, heard: Ints) -> Floats:
    """Each instrument's vote: (n_heard, n_gold, n_classes)."""
    place = np.full(len(evidence.instruments), -1, dtype=np.int64)
    place[heard] = np.arange(len(heard))
    mine = place[evidence.instrument[rows]] >= 0
    votes = np.zeros((len(heard), n_gold, evidence.n_classes))
    where = (place[evidence.instrument[rows][mine]], row_clips[mine], evidence.option[rows][mine])
    np.add.at(votes, where, evidence.weight[rows][mine])
    return votes
