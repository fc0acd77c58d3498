"""Listen: what classifiers add, as far as the votes bear out how sure they are."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from curate.labels.classifier_trust import calibrate_probabilities
from curate.labels.confusion import choose_strengths, confusions
from curate.labels.evidence import Evidence, Floats
from curate.labels.layout import Layout
from curate.labels.posterior import ClassifierWord, Posterior, assemble

ROUNDS = 2
"""Times that confusions are estimated again once classifiers are heard."""

SMOOTHING = 1.0
"""Clips added to each row of a classifier's confusions, for people to read."""


def classifier_rows(evidence: Evidence) -> NDArray[np.bool_]:
    """Rows of models that give probabilities over the classes: (n_rows,).

    A model that names classes is a voter, and so are classifiers where nobody
    else speaks in classes: then nothing bears them out.
    """
    model = np.array([one.kind == "model" and one.soft for one in evidence.instruments], dtype=bool)
    classifiers = model & evidence.is_class_valued
    if not classifiers.any():
        return np.zeros(len(evidence.item), dtype=bool)
    rows = classifiers[evidence.instrument]
    others = evidence.is_class_valued[evidence.instrument] & ~rows
    return rows if others.any() else np.zeros(len(rows), dtype=bool)


def without(evidence: Evidence, rows: NDArray[np.bool_]) -> Evidence:
    """The same evidence with some rows weighing nothing."""
    return replace(evidence, weight=np.where(rows, 0.0, evidence.weight))


def listen(evidence: Evidence, rows: NDArray[np.bool_], posterior: Posterior, where: Layout) -> Posterior:
    """Add what classifiers say.

    Args:
        evidence: With the classifiers' rows.
        rows: Which rows are theirs: (n_rows,).
        posterior: Fitted without them.
        where: The columns of the other instruments.

    Returns:
        The posterior with a `ClassifierWord` each. Their trust and the others'
        confusions are estimated in turn, the confusions from clips with two
        voices or more, where a voice and the classifier can be told apart. Each
        of n that spoke on a clip counts as 1 / (1 + (n - 1) / 2). Ours; docs/statistics.md.
    """
    voices = without(evidence, rows)
    heard, spoken = voices.matrix(posterior.scales.loop_rows), voices.matrix().T.tocsr()
    n_voices = np.bincount(voices.item, voices.weight, voices.n_items).astype(np.float64)
    checked = (n_voices >= 2 - 1e-9)[:, None]  # parts of a vote may add up to a little less
    told = np.bincount(evidence.item, minlength=evidence.n_items) > 0
    table, prior = posterior.confusions, posterior.prior
    indices = np.unique(evidence.instrument[rows])
    asked = [_log_probabilities(evidence, int(index)) for index in indices]
    spoke = np.sum([~np.isnan(logs).any(axis=1) for logs in asked], axis=0)  # (n_items,)
    words = _words(indices, asked, heard @ np.log(table), prior, n_voices, spoke)
    for _ in range(ROUNDS if checked.any() else 0):
        logs = heard @ np.log(table) + np.log(prior) + sum(word.logs for word in words)
        belief = softmax(logs, axis=1)
        counts = spoken @ (belief * checked)
        table, prior = confusions(counts, where, choose_strengths(counts, where)), belief[told].mean(axis=0)
        words = _words(indices, asked, heard @ np.log(table), prior, n_voices, spoke)
    # The prior that the voters' redundancy took away comes back: trust is relative to all of it.
    missing = (1 - posterior.scales.prior)[:, None] * np.log(prior) / np.maximum(spoke, 1)[:, None]
    words = tuple(
        replace(word, logs=word.logs + np.where(word.logs.any(axis=1, keepdims=True), missing, 0.0))
        for word in words
    )
    mute = _columns_of(evidence, indices)
    says = np.log(table) if checked.any() else posterior.says
    says = np.where(mute[:, None], 0.0, says)
    found = assemble(voices, posterior.scales, says, table, posterior.share, prior, words)
    table = np.where(mute[:, None], _confusions(evidence, found.probabilities), table)
    return replace(found, confusions=table)


def _log_probabilities(evidence: Evidence, index: int) -> Floats:
    """Log of a classifier's probabilities, nan where it said nothing: (n_items, n_classes)."""
    mine = np.flatnonzero(evidence.instrument == index)
    probabilities = np.zeros((evidence.n_items, evidence.n_classes))
    probabilities[evidence.item[mine], evidence.option[mine]] = evidence.weight[mine]
    total = probabilities.sum(axis=1, keepdims=True)
    probabilities /= np.where(total > 0, total, np.nan)
    with np.errstate(divide="ignore"):
        logs: Floats = np.log(probabilities)
    return logs


def _words(
    indices: NDArray[np.int64],
    asked: list[Floats],
    votes: Floats,
    prior: Floats,
    n_voices: Floats,
    spoke: NDArray[np.int64],
) -> tuple[ClassifierWord, ...]:
    power = (1 / (1 + (np.maximum(spoke, 1) - 1) / 2))[:, None]
    return tuple(
        ClassifierWord(
            int(index), power * calibrate_probabilities(logs, votes, prior, n_voices).log_evidence(logs)
        )
        for index, logs in zip(indices, asked, strict=True)
    )


def _columns_of(evidence: Evidence, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
    owner = evidence.owner
    return np.isin(owner, indices)


def _confusions(evidence: Evidence, probabilities: Floats) -> Floats:
    """What each instrument was seen to say, by the belief that came out: (n_columns, n_classes)."""
    counts = evidence.matrix().T @ probabilities + SMOOTHING / evidence.n_classes
    owner = evidence.owner
    total = np.zeros((len(evidence.instruments), evidence.n_classes))
    np.add.at(total, owner, counts)
    return np.asarray(counts / total[owner])
