"""Symptoms: what answers and posterior show, without any known truth, when a posterior may be wrong."""

from dataclasses import dataclass

import numpy as np

from curate.labels.evidence import Evidence, Floats, Ints

NEARLY = 1e-9
"""Slack when votes are compared: sums of parts of a vote are not exact."""

ENOUGH = 10
"""Votes of one instrument from which on its agreement with the labels can be told from luck."""


@dataclass(frozen=True, slots=True)
class Symptoms:
    """One number each, about class-valued instruments; nan without votes of theirs."""

    off_majority: float
    """Share of clips whose likeliest class is not (one of) the most voted."""
    single_votes: float
    """Share of clips with fewer than two votes, of those with any."""
    unskilled: float
    """1 - mean kappa of instruments with the posterior, each weighing as its votes;
    nan where none has `ENOUGH`."""
    correlation: float
    """Of two votes on one clip, given the class: by how much the number of votes
    for the likeliest class varies more than if votes were independent."""


def symptoms(evidence: Evidence, probabilities: Floats) -> Symptoms:
    """Measure every symptom.

    Args:
        evidence: What the instruments said.
        probabilities: What was made of it, (n_items, n_classes).

    Returns:
        The symptoms. Kappa is Cohen's (1960), https://doi.org/10.1177/001316446002000104,
        with the posterior in place of a second rater; correlation is (d - 1) /
        (m - 1) of the design effect d of m votes a clip, Kish (1965), Survey
        Sampling, section 5.4.
    """
    votes = evidence.class_votes()
    if not votes.any():
        nan = float("nan")
        return Symptoms(nan, nan, nan, nan)
    labels = probabilities.argmax(axis=1)
    _, kappa, weight = skills(evidence, probabilities)
    per_clip = votes.sum(axis=1)
    per_clip = per_clip[per_clip > 0]
    dispersion = _overdispersion(evidence, probabilities, labels)
    return Symptoms(
        off_majority=_off_majority(votes, labels),
        single_votes=float((per_clip < 2 - NEARLY).mean()),
        unskilled=_unskilled(kappa, weight),
        correlation=float((dispersion - 1) / max(per_clip.mean() - 1, 1)),
    )


def _unskilled(kappa: Floats, votes: Floats) -> float:
    """1 - mean kappa; nan where nobody voted often enough to have one."""
    if votes.max(initial=0) < ENOUGH:
        return float("nan")
    return float(1 - (votes * kappa).sum() / votes.sum())


def _off_majority(votes: Floats, labels: Ints) -> float:
    voted = votes.any(axis=1)
    mine = votes[np.arange(len(labels)), labels]
    return float((mine < votes.max(axis=1) - NEARLY)[voted].mean())


def skills(evidence: Evidence, probabilities: Floats) -> tuple[Floats, Floats, Floats]:
    """Accuracy, kappa and number of votes of each instrument, none if not class-valued: (n_instruments,)."""
    rows = evidence.is_class_valued[evidence.instrument]
    item, instrument, option = evidence.item[rows], evidence.instrument[rows], evidence.option[rows]
    weight, n_instruments = evidence.weight[rows], len(evidence.instruments)
    votes = np.bincount(instrument, weight, n_instruments).astype(np.float64)
    n_votes = np.where(votes > 0, votes, 1)
    accuracy = np.bincount(instrument, weight * probabilities[item, option], n_instruments) / n_votes
    said, meant = np.zeros((2, n_instruments, evidence.n_classes))
    np.add.at(said, (instrument, option), weight)
    for k in range(evidence.n_classes):
        meant[:, k] = np.bincount(instrument, weight * probabilities[item, k], n_instruments)
    luck = (said * meant).sum(axis=1) / n_votes**2
    return accuracy, (accuracy - luck) / np.maximum(1 - luck, NEARLY), votes


def _overdispersion(evidence: Evidence, probabilities: Floats, labels: Ints) -> float:
    """Sum over clips of (sum over votes of hit - p)^2, over the sum of p (1 - p).

    hit says whether the vote is for the clip's likeliest class, and p how often
    the instrument does so: its confusions, weighed by the clip's posterior.
    """
    rows = evidence.is_class_valued[evidence.instrument]
    item, weight = evidence.item[rows], evidence.weight[rows]
    expected = _hit_rate(evidence, probabilities, labels)[rows]
    hit = evidence.option[rows] == labels[item]
    excess = np.bincount(item, weight * (hit - expected), evidence.n_items)
    chance = (weight * expected * (1 - expected)).sum()
    return float((excess**2).sum() / max(chance, NEARLY))


def _hit_rate(evidence: Evidence, probabilities: Floats, labels: Ints) -> Floats:
    """P(the row's instrument says the likeliest class | the clip's posterior): (n_rows,).

    Half a vote for every option keeps instruments with few votes from looking certain.
    """
    counts = evidence.matrix().T @ probabilities + 0.5 / evidence.n_classes  # (n_columns, n_classes)
    sizes = np.diff(evidence.offsets)
    table = counts / np.repeat(np.add.reduceat(counts, evidence.offsets[:-1], axis=0), sizes, axis=0)
    place = evidence.offsets[evidence.instrument] + np.minimum(
        labels[evidence.item], sizes[evidence.instrument] - 1
    )
    rate: Floats = (probabilities[evidence.item] * table[place]).sum(axis=1)
    return rate
