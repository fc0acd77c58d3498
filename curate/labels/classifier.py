"""Classifier: class probabilities from embeddings, by a model that saw nothing of the clip's group."""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from curate.errors import InputError, Problem
from curate.labels.evidence import Floats, Ints

FOLDS = 5
"""Parts that the clips are cut into; each is judged by a model of the other four."""

STEPS = 1000
"""Rounds of the solver; far more than it needs, so that it never stops early."""

LOGIT_VARIANCE = 1.0
"""What the model expects of a logit before it has seen a clip, however many dimensions there are. Labels
are noisy and dimensions many: weights let loose learn the noise by heart. Where this makes the model too
modest, `calibrate_probabilities` puts it right."""


def out_of_fold_probabilities(
    embeddings: Floats, targets: Floats, groups: Ints, rng: np.random.Generator, folds: int = FOLDS
) -> Floats:
    """Judge every clip by a logistic regression that was trained on other groups.

    Args:
        embeddings: What a network makes of each clip, (n_clips, n_dims), finite.
        targets: What is believed of each clip, (n_clips, n_classes), rows sum to
            1: `one_hot` of given labels, or a posterior. A row of zeros is a
            clip of which nothing is believed: it is judged, but teaches nothing.
        groups: The subject or source of each clip, (n_clips,): clips of one
            group are never on both sides.
        rng: Deals groups into parts. The same state gives the same result.
        folds: Parts, at least 2; fewer are made if there are fewer groups.

    Returns:
        P(class | embedding): (n_clips, n_classes), every entry > 0, rows sum to
        1. A class that the training clips lack gets less than a clip's worth of
        probability; if they have one class only, its share is all there is.

    Raises:
        InputError: The lengths differ, an embedding is not finite, or fewer
            than two classes occur in two groups or more.

    Source:
        Ridge logistic regression weighted by soft labels: each clip stands once for
        every class, with its probability as weight, which gives the
        cross-entropy to the soft label. The estimate out of fold is what
        confident learning asks for: Northcutt et al. (2021), section 3,
        https://arxiv.org/abs/1911.00068
    """
    problems = _problems(embeddings, targets, groups, folds)
    if problems:
        raise InputError("embeddings", problems)
    probabilities = np.empty(targets.shape)
    for train, judged in _parts(targets, groups, rng, folds):
        probabilities[judged] = _judge(embeddings[train], targets[train], embeddings[judged])
    return probabilities


def one_hot(codes: Ints, n_classes: int) -> Floats:
    """Labels as certain beliefs, -1 as a row of zeros: (n_clips, n_classes)."""
    targets = np.zeros((len(codes), n_classes))
    known = np.flatnonzero(codes >= 0)
    targets[known, codes[known]] = 1.0
    return targets


def _problems(embeddings: Floats, targets: Floats, groups: Ints, folds: int) -> list[Problem]:
    if not len(embeddings) == len(targets) == len(groups):
        found = f"{len(embeddings)} embeddings, {len(targets)} targets and {len(groups)} groups"
        return [Problem("rows", f"{found}; one of each per clip expected")]
    problems = []
    if folds < 2:
        problems.append(Problem("folds", f"{folds} found, at least 2 expected"))
    if broken := int((~np.isfinite(embeddings)).any(axis=1).sum()):
        problems.append(Problem("embeddings", f"{broken} hold a nan or an infinity", "Leave these clips out"))
    spread = [len(np.unique(groups[targets[:, k] > 0])) for k in range(targets.shape[1])]
    if sum(n_groups >= 2 for n_groups in spread) < 2:
        listed = ", ".join(f"class {k} in {n}" for k, n in enumerate(spread))
        problems.append(
            Problem(
                "groups",
                f"two classes must occur in two groups or more, found {listed or 'no class'}",
                "Label clips of more subjects or sources",
            )
        )
    return problems


def _parts(
    targets: Floats, groups: Ints, rng: np.random.Generator, folds: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Training and judged clips of each part; parts are alike in classes as far as groups allow."""
    believed = np.flatnonzero(targets.any(axis=1))
    strata = np.full(len(targets), targets.shape[1])  # one more for clips of which nothing is believed
    strata[believed] = targets[believed].argmax(axis=1)
    folds = min(folds, len(np.unique(groups)), int(np.bincount(strata).max()))
    deal = StratifiedGroupKFold(folds, shuffle=True, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a rare class cannot be in every part: `_judge` copes
        parts = list(deal.split(strata, strata, groups))
    return [(np.intersect1d(train, believed), judged) for train, judged in parts]


def _judge(embeddings: Floats, targets: Floats, judged: Floats) -> Floats:
    """Probabilities of a model of `targets`, as if one more clip had been seen of no class in particular."""
    n_classes = targets.shape[1]
    row, label = np.nonzero(targets)
    shares = np.zeros((len(judged), n_classes))
    seen = np.unique(label)
    if len(seen) > 1:
        weight_variance = LOGIT_VARIANCE / embeddings.shape[1]
        regression = LogisticRegression(C=weight_variance, max_iter=STEPS)
        model = make_pipeline(StandardScaler(), regression)
        model.fit(embeddings[row], label, logisticregression__sample_weight=targets[row, label])
        shares[:, seen] = model.predict_proba(judged)
    else:
        shares[:, seen] = 1.0
    n_clips = float(targets.sum())
    smoothed: Floats = (n_clips * shares + 1 / n_classes) / (n_clips * shares.sum(axis=1, keepdims=True) + 1)
    return smoothed
