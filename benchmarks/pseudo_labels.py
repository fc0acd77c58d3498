"""Adaptive thresholds for pseudo-labels beside one threshold for all classes, on every real set with truth.

    python benchmarks/pseudo_labels.py

Columns: share of clips accepted; accuracy of these; recall (accepted and right,
of all clips of a class), mean over the classes, and of the worst class. One
threshold is shown at .9, at the mean confidence, and where it accepts as many
clips as the adaptive ones. The votes are no part of this repository: see
`vote_sets.py`.
"""

import sys

import numpy as np
from vote_sets import CIRCULAR, read_sets

from curate.labels import fit
from curate.labels.adaptive import adaptive_thresholds
from curate.labels.evidence import Floats, Ints


def main() -> int:
    """Print the table."""
    ways = ("one, .9", "one, mean", "adaptive", "one, as many")
    print(f"{'accepted, right, recall, worst':32}", *(f"{way:>24}" for way in ways))
    table = []
    for votes in read_sets():
        known = votes.gold >= 0
        if not known.any() or votes.name == CIRCULAR:
            continue
        table.append(compare(fit(votes.evidence).probabilities[known], votes.gold[known]))
        print_row(votes.name, np.array(table[-1]))
    print_row("mean of the sets", np.nanmean(table, axis=0))
    return 0


def compare(probabilities: Floats, gold: Ints) -> list[tuple[float, ...]]:
    """Every way's row."""
    sure, n_classes = probabilities.max(axis=1), probabilities.shape[1]
    adaptive = adaptive_thresholds(probabilities)
    n_accepted = int((sure >= adaptive[probabilities.argmax(axis=1)]).sum())
    as_many = np.sort(sure)[len(sure) - n_accepted]
    ways = (*(np.full(n_classes, t) for t in (0.9, sure.mean())), adaptive, np.full(n_classes, as_many))
    return [score(probabilities, gold, thresholds) for thresholds in ways]


def score(probabilities: Floats, gold: Ints, thresholds: Floats) -> tuple[float, ...]:
    """Share accepted, accuracy, mean recall, worst recall."""
    labels = probabilities.argmax(axis=1)
    accepted = probabilities.max(axis=1) >= thresholds[labels]
    right = accepted & (labels == gold)
    recalls = [right[gold == k].mean() for k in np.unique(gold)]
    accuracy = right.sum() / accepted.sum() if accepted.any() else np.nan
    return float(accepted.mean()), float(accuracy), float(np.mean(recalls)), float(np.min(recalls))


def print_row(name: str, rows: Floats) -> None:
    """One line: (n_ways, 4)."""
    cells = (" ".join(f"{value:5.3f}" for value in row) for row in rows)
    print(f"{name:32}", *(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
