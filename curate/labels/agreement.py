"""Agreement: the plain rule that counts how many answers support the given label."""

import numpy as np

from curate.labels.evidence import Evidence, Floats, Ints


def agreement_share(evidence: Evidence, given: Ints) -> Floats:
    """Share of the answers on each clip that support its given label.

    An answer in the classes supports the label that it names. An answer to an
    item supports the given labels with which it is met more often than with
    all given labels together. A divided answer supports in part.

    Args:
        evidence: The answers. Given labels themselves do not count, nor does
            "cannot be seen".
        given: Class of each clip's given label, -1 without: (n_items,).

    Returns:
        Between 0 and 1; nan without a given label or without another answer: (n_items,).

    Source:
        Ours, the nearest to the accepted and rejected subsets of Vedernikov et
        al. (2025), https://arxiv.org/abs/2511.14749, whose exact rule is not
        public. No model is fitted: it is the baseline that the posterior is to
        beat.
    """
    kinds = np.array([instrument.kind == "given" for instrument in evidence.instruments], dtype=bool)
    counted = ~kinds[evidence.instrument] & ~evidence.is_unseen & (given[evidence.item] >= 0)
    item, weight = evidence.item[counted], evidence.weight[counted]
    backs = _supports(evidence, given, counted)[evidence.column[counted], given[item]]
    total = np.bincount(item, weight, evidence.n_items)
    support = np.bincount(item, weight * backs, evidence.n_items)
    return np.where(total > 0, support / np.where(total > 0, total, 1.0), np.nan)


def _supports(evidence: Evidence, given: Ints, counted: np.ndarray) -> np.ndarray:
    """Whether each option speaks for each class: bool, (n_columns, n_classes)."""
    n_columns, n_classes = int(evidence.offsets[-1]), evidence.n_classes
    cell = evidence.column[counted] * n_classes + given[evidence.item[counted]]
    met = np.bincount(cell, evidence.weight[counted], n_columns * n_classes).reshape(n_columns, n_classes)
    owner = evidence.owner
    of_class = np.zeros((len(evidence.instruments), n_classes))
    np.add.at(of_class, owner, met)
    rate = met / np.maximum(of_class[owner], 1e-9)
    usual = met.sum(axis=1) / np.maximum(of_class.sum(axis=1)[owner], 1e-9)
    supports = rate > usual[:, None] + 1e-9
    names_it = np.zeros((n_columns, n_classes), dtype=bool)
    for index in np.flatnonzero(evidence.is_class_valued):
        first = int(evidence.offsets[index])
        names_it[first : first + n_classes] = np.eye(n_classes, dtype=bool)
    voters = evidence.is_class_valued[owner]
    return np.where(voters[:, None], names_it, supports)
