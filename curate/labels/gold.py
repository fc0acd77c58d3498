"""Gold: what a few labels known to be right teach about the weights of everything else.

Several ways of learning are tried, from not at all to a weight for every
instrument, and mixed by how well each foretells gold that it has not seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.errors import InputError, Problem
from curate.labels.evidence import Evidence, Floats, Ints
from curate.labels.gold_features import Design, design, reweighed, scores
from curate.labels.logit import fit_weights, log_probabilities
from curate.labels.posterior import Posterior

NEVER = float("inf")

_KINDS = ("posterior", "share", "items", "confusions", "bias", "group", "instrument")
_PULLS: Mapping[str, tuple[float, ...]] = {
    "as without gold": (NEVER,) * 7,
    "temperature": (40, 40, NEVER, NEVER, NEVER, NEVER, NEVER),
    "class bias": (40, 40, NEVER, NEVER, 60, NEVER, NEVER),
    "items": (40, 40, 10, NEVER, 60, NEVER, NEVER),
    "instruments": (30, 30, NEVER, NEVER, NEVER, 3, 10),
    "instruments and bias": (30, 30, NEVER, NEVER, 40, 3, 10),
    "instruments, freely": (15, 15, 10, NEVER, 20, 1, 3),
    "confusions": (10, 10, 10, 10, 15, NEVER, NEVER),
    "confusions and instruments": (15, 15, 10, 10, 20, 3, 10),
    "everything, freely": (5, 5, 5, 5, 5, 1, 3),
}
"""Ways of learning: how strongly each kind of weight is pulled to its usual value."""

_BELIEF: Mapping[str, float] = {"as without gold": 300.0, "temperature": 30.0}
"""Odds given to a way of learning before gold is seen, 1 for those not named."""

FOLDS = 10
"""Folds of cross-validation with little gold; half as many from `MUCH` on."""

MUCH = 50

LEAST = 0.05
"""Share of the mixture below which a way of learning is left out: many small ones would decide ties."""

CERTAIN = 0.999
"""Probability of a gold label on its own clip."""


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What gold taught."""

    posterior: Posterior
    """With gold; `CERTAIN` of the gold label of a gold clip."""
    held_out: Floats
    """Posterior of each gold clip by what the other folds taught, for measuring: (n_gold, n_classes)."""
    clips: Ints
    """The gold clips: (n_gold,)."""
    gold: Ints
    """Their classes: (n_gold,)."""
    shares: Mapping[str, float]
    """Share of each way of learning in the mixture."""


def learn_from_gold(
    evidence: Evidence, posterior: Posterior, gold: Ints, groups: Ints | None = None
) -> Learned:
    """Weigh a posterior's parts anew, as far as gold supports it.

    Args:
        evidence: What `posterior` was fitted to.
        posterior: Fitted without gold.
        gold: Class known to be right, -1 where unknown: (n_items,).
        groups: Subject or source of each clip: clips of one group fall into one
            fold, and never describe each other. Every clip by itself if left out.

    Returns:
        Probabilities as a mixture over ways of learning. With few gold labels,
        or labels that speak for nothing else, nearly the posterior as it was.

    Raises:
        InputError: There is no gold.

    Source:
        Ours. Mixture weights: pseudo Bayesian model averaging, from the sum of
        held-out log-probabilities (Yao et al. 2018, section 3.4,
        https://doi.org/10.1214/17-BA1091), with prior odds for learning little.
    """
    clips = np.flatnonzero(gold >= 0)
    if not len(clips):
        raise InputError("gold", [Problem("rows", "no clip of the evidence has a gold label", "Name some")])
    blocks = clips if groups is None else groups[clips]
    made = design(evidence, posterior, clips, gold[clips], blocks)
    folds = _folds(blocks)
    ways = {way: _held_out(made, gold[clips], folds, way) for way in _PULLS}
    shares = _shares({way: logs[np.arange(len(clips)), gold[clips]].sum() for way, logs in ways.items()})
    held_out = sum(share * np.exp(ways[way]) for way, share in shares.items())
    taught = _taught(evidence, posterior, made, gold, shares)
    return Learned(taught, np.asarray(held_out), clips, gold[clips], shares)


def _folds(blocks: Ints) -> Ints:
    """Fold of each gold clip, whole blocks together: (n_gold,). The same for the same blocks."""
    names, block = np.unique(blocks, return_inverse=True)
    n_folds = min(FOLDS if len(blocks) < MUCH else FOLDS // 2, len(names))
    order = np.random.default_rng(0).permutation(len(names))
    folds: Ints = (order % n_folds)[block]
    return folds


def _held_out(made: Design, labels: Ints, folds: Ints, way: str) -> Floats:
    """Log-probabilities of every gold clip by weights that the other folds taught: (n_gold, n_classes)."""
    logs = np.zeros(made.features.shape[:2])
    for fold in np.unique(folds):
        held: NDArray[np.bool_] = folds == fold
        weights = _learn(made, made.features[~held], labels[~held], way)
        logs[held] = log_probabilities(made.features[held], weights)
    return logs


def _learn(made: Design, features: Floats, labels: Ints, way: str) -> Floats:
    pulls = dict(zip(_KINDS, _PULLS[way], strict=True))
    usual = np.array([1.0 if kind == "posterior" else 0.0 for kind in made.kinds])
    return fit_weights(features, labels, usual, np.array([pulls[kind] for kind in made.kinds]))


def _shares(foretold: Mapping[str, float]) -> dict[str, float]:
    """Weight of each way, from the sum of log-probabilities of held-out gold; small ones are dropped."""
    logs = np.array([value + np.log(_BELIEF.get(way, 1.0)) for way, value in foretold.items()])
    shares = np.exp(logs - logs.max())
    shares = np.where(shares < LEAST * shares.sum(), 0.0, shares)
    return {way: float(share) for way, share in zip(foretold, shares / shares.sum(), strict=True) if share}


def _taught(
    evidence: Evidence, posterior: Posterior, made: Design, gold: Ints, shares: Mapping[str, float]
) -> Posterior:
    """The mixture as a posterior; its parts by the mean weights, and what mixing adds left to "blend"."""
    clips = np.flatnonzero(gold >= 0)
    learned = {way: _learn(made, made.features, gold[clips], way) for way in shares}
    mixed = np.zeros_like(posterior.probabilities)
    for way, share in shares.items():
        weights = made.weights(learned[way], evidence)
        mixed += share * np.exp(scores(evidence, posterior, made.change, weights))
    mixed[clips] = (1 - CERTAIN) / (evidence.n_classes - 1)
    mixed[clips, gold[clips]] = CERTAIN
    mean = made.weights(sum((share * learned[way] for way, share in shares.items()), np.zeros(1)), evidence)
    return reweighed(evidence, posterior, made.change, mean, mixed, gold)
