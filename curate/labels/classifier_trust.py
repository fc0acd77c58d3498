"""Classifier trust: how far a classifier's own probabilities are believed, learned without any truth.

A classifier that names the right class may still be far too sure of it, or not
sure enough. The votes tell: under the votes' own noise, some reshaping of the
probabilities makes what people said likeliest, and that reshaping is used.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit, log_softmax, softmax

from curate.labels.evidence import Floats, Ints

SURE = 0.85
"""How right a vote is taken to be at least, where no clip has a second opinion beside the classifier."""

TYPICAL_BETA, BETA_SPREAD = 0.5, 1.0
"""What is expected of beta before votes are seen (networks are too sure), and the spread of its log."""

BIAS_SPREAD = 0.5
"""The same spread for each class's bias, in log units around 0."""

FLOOR_SUCCESSES, FLOOR_FAILURES = 1.0, 9.0
"""Pseudo-clips, beside the real ones, on which the classifier was lost, and was not."""

LOWEST = float(np.log(np.finfo(np.float32).tiny))
"""Log-probability that stands for 0: the smallest that a classifier's 32 bits can hold."""

ENOUGH = 50
"""Clips with two views or more from which on only these decide."""

MOST = 20_000
"""Clips that are learned from at most, evenly spaced over the list: a dozen numbers need no more."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierTrust:
    """How a classifier's probabilities are reshaped before they speak.

    A clip's class, given q of the classifier, has probability
    r = (1 - floor) * softmax(beta * log q + bias) + floor * prior.
    """

    beta: float
    """Power of the probabilities: below 1 it was too sure, above 1 not sure enough."""
    bias: Floats
    """Log-odds added to each class, mean 0: (n_classes,)."""
    floor: float
    """Share of clips, between 0 and 1, on which it is taken to know nothing."""
    prior: Floats
    """Share of each class, all > 0: (n_classes,)."""
    power: float
    """Power of the evidence, at most 1; below it only where the votes could not check the classifier."""

    def log_evidence(self, log_q: Floats) -> Floats:
        """What the classifier adds to the votes' log-likelihoods: power * (log r - log prior).

        Args:
            log_q: Log of its probabilities, (n_clips, n_classes); a row with a
                nan is a clip about which it said nothing.

        Returns:
            Same shape, finite; zeros where it said nothing. With log prior and
            the votes it adds up to the posterior, up to a constant per clip.
        """
        said = ~np.isnan(log_q).any(axis=1)
        evidence = np.zeros(log_q.shape)
        tempered = softmax(self.beta * _bounded(log_q[said]) + self.bias, axis=1)
        reshaped = (1 - self.floor) * tempered + self.floor * self.prior
        evidence[said] = self.power * (np.log(reshaped) - np.log(self.prior))
        return evidence


def calibrate_probabilities(
    log_q: Floats, vote_log_likelihood: Floats, prior: Floats, n_views: Floats | None = None
) -> ClassifierTrust:
    """Find the reshaping of a classifier's probabilities under which the votes are likeliest.

    Args:
        log_q: Log of its probabilities, (n_clips, n_classes); a row with a nan
            is a clip about which it said nothing, and -inf stands for 0.
        vote_log_likelihood: log P(votes on the clip | class), up to a constant
            per clip, from everything but this classifier, each vote counting in
            full: (n_clips, n_classes). A constant row (no votes) teaches nothing.
        prior: Share of each class, > 0: (n_classes,).
        n_views: Votes on each clip, (n_clips,); without it, every clip is taken
            to have two or more. One vote and the classifier cannot be told
            apart: either may be the one that errs. So as soon as `ENOUGH` clips
            have two, only these decide; and where too few have, each vote is
            taken to be right with at least `SURE`, so that the classifier
            overrules votes only if it mostly agrees with them.

    Returns:
        The trust. Without clips: what is expected before votes are seen.

    Source:
        Ours: the discriminative prior of a latent-class model, fitted by its
        marginal likelihood; docs/statistics.md derives it. Power and bias are
        the vector scaling of Guo et al. (2017), section 4.2,
        https://arxiv.org/abs/1706.04599
    """
    views = np.full(len(log_q), 2.0) if n_views is None else n_views
    rows = np.flatnonzero(~np.isnan(log_q).any(axis=1) & (views > 0))
    checked = rows[views[rows] >= 2 - 1e-9]
    lone = len(checked) < min(ENOUGH, len(rows))
    rows = _thinned(rows if lone else checked)
    votes = vote_log_likelihood[rows]
    sharpening = _sharpening(votes, prior) if lone else 1.0
    likelihood = np.exp(sharpening * (votes - votes.max(axis=1, keepdims=True)))
    beta, bias, floor = _fit(_bounded(log_q[rows]), likelihood, prior)
    return ClassifierTrust(beta, bias, floor, prior, 1 / sharpening)


def _thinned(rows: Ints) -> Ints:
    """The same rows, or `MOST` of them, evenly spaced."""
    return rows if len(rows) <= MOST else rows[np.linspace(0, len(rows) - 1, MOST).astype(np.int64)]


def _bounded(log_q: Floats) -> Floats:
    """With nothing below `LOWEST`, so that one certain mistake cannot outweigh every other clip."""
    return np.maximum(log_softmax(np.maximum(log_q, LOWEST), axis=1), LOWEST)


def _sharpening(votes: Floats, prior: Floats) -> float:
    """Power, at least 1, that makes the votes alone right with `SURE` on average by their own account."""

    def excess(power: float) -> float:
        alone = softmax(power * votes + np.log(prior), axis=1)
        return float(alone.max(axis=1).mean()) - SURE

    if not len(votes) or excess(1.0) >= 0 or excess(64.0) <= 0:
        return 1.0
    return float(brentq(excess, 1.0, 64.0, xtol=1e-6))


def _fit(log_q: Floats, votes: Floats, prior: Floats) -> tuple[float, Floats, float]:
    """Beta, bias and floor that maximise the penalised marginal likelihood of `votes`."""
    start = np.concatenate([[np.log(TYPICAL_BETA)], np.zeros(log_q.shape[1]), [-2.0]])
    bounds = [(-6.0, 4.0), *[(-6.0, 6.0)] * log_q.shape[1], (-9.0, 9.0)]
    found = minimize(_loss, start, (log_q, votes, prior), "L-BFGS-B", jac=True, bounds=bounds)
    bias = found.x[1:-1] - found.x[1:-1].mean()
    return float(np.exp(found.x[0])), bias, float(expit(found.x[-1]))


def _loss(
    values: NDArray[np.float64], log_q: Floats, votes: Floats, prior: Floats
) -> tuple[float, NDArray[np.float64]]:
    """Minus the penalised log-likelihood, sum_i log sum_k votes_ik r_ik, and its gradient.

    `values` holds log beta, the biases and the logit of the floor.
    """
    beta, bias, floor = float(np.exp(values[0])), values[1:-1], float(expit(values[-1]))
    tempered = softmax(beta * log_q + bias, axis=1)
    likelihood = (votes * ((1 - floor) * tempered + floor * prior)).sum(axis=1, keepdims=True)
    known = (1 - floor) * tempered * votes / likelihood  # P(class, classifier not lost | votes)
    by_logit = known - tempered * known.sum(axis=1, keepdims=True)
    by_floor = floor * (1 - floor) * ((prior - tempered) * votes / likelihood).sum()
    gradient = np.concatenate([[beta * (by_logit * log_q).sum()], by_logit.sum(axis=0), [by_floor]])
    penalty, slope = _penalty(values, floor)
    return penalty - float(np.log(likelihood).sum()), slope - gradient


def _penalty(values: NDArray[np.float64], floor: float) -> tuple[float, NDArray[np.float64]]:
    """Minus the log density of the priors on log beta, bias and floor, and its gradient."""
    scales = np.concatenate([[BETA_SPREAD], np.full(len(values) - 2, BIAS_SPREAD)])
    scaled = (values[:-1] - np.concatenate([[np.log(TYPICAL_BETA)], np.zeros(len(values) - 2)])) / scales
    lost = FLOOR_SUCCESSES * np.log(floor) + FLOOR_FAILURES * np.log1p(-floor)
    by_floor = FLOOR_SUCCESSES - (FLOOR_SUCCESSES + FLOOR_FAILURES) * floor
    return float((scaled**2).sum() / 2 - lost), np.concatenate([scaled / scales, [-by_floor]])
