"""Conditional logit: scores of classes as weighted sums of features, the weights drawn to given ones."""

import numpy as np
from scipy.special import log_softmax, softmax

from curate.labels.evidence import Floats, Ints

ROUNDS = 25
"""Newton steps at most; five to eight are usual."""

NEAR = 1e-4
"""A step below which the weights are taken as found."""


def fit_weights(features: Floats, labels: Ints, usual: Floats, pull: Floats) -> Floats:
    """Weights that make the labels likely without straying far from the usual ones.

    Args:
        features: Shape (n_clips, n_classes, n_features).
        labels: Right class of each clip, (n_clips,).
        usual: Weights in the absence of labels, (n_features,).
        pull: Precision of the normal prior around `usual`; infinite holds a
            weight at its usual value. (n_features,), > 0.

    Returns:
        The weights, (n_features,): the mode of the posterior; `usual` without clips.

    Source:
        McFadden (1974), Conditional logit analysis of qualitative choice
        behavior, section III; ridge and Newton steps with halving as usual.
    """
    free = np.isfinite(pull)
    weights = usual.copy()
    if not free.any() or not len(labels):
        return weights
    fixed = features[:, :, ~free] @ usual[~free]
    weights[free] = _newton(fixed, features[:, :, free], labels, usual[free], pull[free])
    return weights


def log_probabilities(features: Floats, weights: Floats) -> Floats:
    """Log-probability of each class: (n_clips, n_classes)."""
    logs: Floats = log_softmax(features @ weights, axis=1)
    return logs


def _newton(fixed: Floats, features: Floats, labels: Ints, usual: Floats, pull: Floats) -> Floats:
    weights, loss = usual, _loss(fixed, features, labels, usual, usual, pull)
    for _ in range(ROUNDS):
        step = _step(fixed, features, labels, weights - usual, weights, pull)
        size, best = 1.0, loss
        while size > 1e-3:
            best = _loss(fixed, features, labels, weights - size * step, usual, pull)
            if best <= loss:
                break
            size /= 2
        if best > loss:
            break
        weights, loss = weights - size * step, best
        if np.abs(size * step).max() < NEAR:
            break
    return weights


def _loss(
    fixed: Floats, features: Floats, labels: Ints, weights: Floats, usual: Floats, pull: Floats
) -> float:
    logs = log_softmax(fixed + features @ weights, axis=1)
    right = logs[np.arange(len(labels)), labels]
    return float((pull * (weights - usual) ** 2).sum() / 2 - right.sum())


def _step(
    fixed: Floats, features: Floats, labels: Ints, away: Floats, weights: Floats, pull: Floats
) -> Floats:
    """Inverse curvature times slope."""
    n_clips, n_classes, n_features = features.shape
    chances = softmax(fixed + features @ weights, axis=1)  # (n_clips, n_classes)
    excess = chances.copy()
    excess[np.arange(n_clips), labels] -= 1
    flat = features.reshape(n_clips * n_classes, n_features)
    mean = (chances[:, :, None] * features).sum(axis=1)  # (n_clips, n_features)
    curvature = flat.T @ (flat * chances.reshape(-1, 1)) - mean.T @ mean
    slope = flat.T @ excess.ravel() + pull * away
    step: Floats = np.linalg.solve(curvature + np.diag(pull), slope)
    return step
