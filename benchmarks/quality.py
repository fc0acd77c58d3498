"""Does the interval for the share of right labels hold what it promises, and is it narrower than gold alone?

    python benchmarks/quality.py            coverage and width on every real set with truth
    python benchmarks/quality.py --draws 100

Of each real set, gold is drawn again and again: clips by lot, clips where it
decides (with known inclusion probabilities), and whole subjects. The share of
right refined labels among all clips with truth is what each interval should
hold. Beside ours: Wald's interval of gold alone and of the prediction-powered
estimate, and Clopper and Pearson's. The votes are not part of this repository:
see `vote_sets.py`.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, t
from vote_sets import CIRCULAR, read_sets

from curate.labels import fit
from curate.labels.evidence import Floats, Ints
from curate.labels.share import Design, Estimate, estimate_share

SIZES = (20, 50, 100, 200, 500)
SUBJECTS = (5, 10, 20)
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Refined labels of one set, on clips with truth."""

    name: str
    predicted: Floats
    """P(the label is right), (n_clips,)."""
    right: Floats
    """Whether it is, 0 or 1: (n_clips,)."""
    groups: Ints
    classes: tuple[tuple[Floats, Floats], ...]
    """For each class: P(the clip is of it), and whether it is."""


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=1000, help="draws of gold for each line")
    draws = parser.parse_args().draws
    sets = list(read_labels())
    print_uniform(sets, draws)
    print_chosen(sets, draws)
    print_subjects(sets, draws)
    print_classes(sets, draws)
    return 0


def read_labels() -> Iterator[Labels]:
    """Every set with truth that is not circular, fitted without its truth."""
    for votes in read_sets():
        known = votes.gold >= 0
        if not known.any() or votes.name == CIRCULAR:
            continue
        probabilities, gold = fit(votes.evidence).probabilities[known], votes.gold[known]
        right = (probabilities.argmax(axis=1) == gold).astype(np.float64)
        classes = tuple(
            (probabilities[:, k], (gold == k).astype(np.float64)) for k in range(probabilities.shape[1])
        )
        yield Labels(votes.name, probabilities.max(axis=1), right, votes.groups[known], classes)


def print_uniform(sets: list[Labels], draws: int) -> None:
    """Coverage and width by set and number of gold clips, drawn by lot."""
    methods: dict[str, Callable[[Floats, Floats], Interval]] = {
        "ours": lambda predicted, observed: _ends(estimate_share(predicted, observed)),
        "gold alone, Wald": lambda predicted, observed: wald(np.zeros_like(predicted), observed, 0.0),
        "gold alone, exact": lambda predicted, observed: exact(observed),
        "predictions, Wald": lambda predicted, observed: wald(predicted, observed, None),
    }
    print(f"coverage / mean width of 95 % intervals over {draws} draws of gold by lot")
    print(f"{'set':24} {'gold':>5} {'right':>6}", *(f"{name:>18}" for name in methods))
    totals: dict[int, list[list[tuple[float, float]]]] = {}
    for labels in sets:
        for size in SIZES:
            if size < len(labels.right):
                rng = np.random.default_rng(size)
                found = [_rates(labels, size, draws, method, rng) for method in methods.values()]
                totals.setdefault(size, []).append(found)
                cells = (f"{coverage:.3f} / {width:.3f}" for coverage, width in found)
                print(f"{labels.name:24} {size:5} {labels.right.mean():6.3f}", *(f"{c:>18}" for c in cells))
    for size, found_at in totals.items():
        table = np.array(found_at)  # (n_sets, n_methods, 2)
        mean, least = table.mean(axis=0), table[:, :, 0].min(axis=0)
        cells = (f"{m[0]:.3f} / {m[1]:.3f}" for m in mean)
        print(f"{'mean of the sets':24} {size:5} {'':6}", *(f"{cell:>18}" for cell in cells))
        print(f"{'least coverage':24} {size:5} {'':6}", *(f"{low:>10.3f}        " for low in least))


def _rates(
    labels: Labels,
    size: int,
    draws: int,
    method: Callable[[Floats, Floats], Interval],
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Coverage and mean width."""
    truth, covered, widths = labels.right.mean(), 0, 0.0
    for _ in range(draws):
        observed = np.full(len(labels.right), np.nan)
        drawn = rng.choice(len(observed), size, replace=False)
        observed[drawn] = labels.right[drawn]
        low, high = method(labels.predicted, observed)
        covered += low - 1e-9 <= truth <= high + 1e-9
        widths += high - low
    return covered / draws, widths / draws


def wald(predicted: Floats, observed: Floats, power: float | None) -> Interval:
    """Estimate +- t standard errors, with the finite population correction; cut at 0 and 1."""
    known = ~np.isnan(observed)
    n_gold, guess, truth = known.sum(), predicted[known], observed[known]
    if power is None:
        power = float(np.clip(np.cov(truth, guess)[0, 1] / max(guess.var(ddof=1), 1e-12), 0, 1))
    rest = truth - power * guess
    value = power * predicted.mean() + rest.mean()
    half = t.ppf(0.975, n_gold - 1) * np.sqrt(rest.var(ddof=1) / n_gold * (1 - n_gold / len(observed)))
    return max(0.0, value - half), min(1.0, value + half)


def exact(observed: Floats) -> Interval:
    """Clopper and Pearson's interval."""
    n_gold, yes = int((~np.isnan(observed)).sum()), int(np.nansum(observed))
    low = beta.ppf(0.025, yes, n_gold - yes + 1) if yes else 0.0
    return float(low), float(beta.ppf(0.975, yes + 1, n_gold - yes)) if yes < n_gold else 1.0


def print_chosen(sets: list[Labels], draws: int) -> None:
    """Gold drawn where the model doubts, with known inclusion probabilities."""
    draws = max(draws // 4, 1)
    print(f"\ngold drawn where the model doubts, {draws} draws: coverage / width, and width of gold by lot")
    rows = []
    for labels in sets:
        for size in (100, 200):
            if size >= len(labels.right) / 2:
                continue
            doubt = 0.05 + np.sqrt(labels.predicted * (1 - labels.predicted))
            inclusion = np.minimum(1.0, doubt / doubt.sum() * size)
            rng = np.random.default_rng(size)
            found = []
            for _ in range(draws):
                drawn = rng.random(len(inclusion)) < inclusion
                observed = np.where(drawn, labels.right, np.nan)
                found.append(_ends(estimate_share(labels.predicted, observed, Design(inclusion))))
            by_lot = _rates(labels, size, draws, _ours, rng)[1]
            coverage, width = _summary(found, labels.right.mean())
            rows.append((coverage, width, by_lot))
            print(f"{labels.name:24} {size:5} {coverage:.3f} / {width:.3f} {by_lot:.3f}")
    coverage, width, by_lot = np.mean(rows, axis=0)
    least = min(row[0] for row in rows)
    print(f"{'mean, and least coverage':30} {coverage:.3f} / {width:.3f} {by_lot:.3f}, {least:.3f}")


def print_subjects(sets: list[Labels], draws: int) -> None:
    """Whole subjects drawn: told and not told who is who."""
    draws = max(draws // 4, 1)
    print(f"\ngold of whole subjects, {draws} draws: coverage / width, told who is who, and not told")
    for labels in sets:
        subjects = np.unique(labels.groups)
        if len(subjects) == len(labels.groups):
            continue
        for n_subjects in SUBJECTS:
            rng = np.random.default_rng(n_subjects)
            told, untold = [], []
            for _ in range(draws):
                drawn = np.isin(labels.groups, rng.choice(subjects, n_subjects, replace=False))
                observed = np.where(drawn, labels.right, np.nan)
                told.append(_ends(estimate_share(labels.predicted, observed, Design(groups=labels.groups))))
                untold.append(_ours(labels.predicted, observed))
            truth = labels.right.mean()
            cells = ("{:.3f} / {:.3f}".format(*_summary(found, truth)) for found in (told, untold))
            print(f"{labels.name:24} {n_subjects:5}", *cells)


def print_classes(sets: list[Labels], draws: int) -> None:
    """Shares of the classes: coverage over all classes of all sets."""
    draws = max(draws // 10, 1)
    print(f"\nshares of all classes, {draws} draws: coverage / width, and the same without predictions")
    for size in (100, 200):
        ours, alone = [], []
        for labels in sets:
            if size >= len(labels.right):
                continue
            rng = np.random.default_rng(size)
            for _ in range(draws):
                drawn = np.zeros(len(labels.right), dtype=bool)
                drawn[rng.choice(len(drawn), size, replace=False)] = True
                for predicted, truth in labels.classes:
                    observed = np.where(drawn, truth, np.nan)
                    for found, guess in ((ours, predicted), (alone, np.zeros_like(predicted))):
                        low, high = _ours(guess, observed)
                        found.append((low - 1e-9 <= truth.mean() <= high + 1e-9, high - low))
        cells = (
            f"{np.mean(found, axis=0)[0]:.3f} / {np.mean(found, axis=0)[1]:.3f}" for found in (ours, alone)
        )
        print(f"{'all sets':24} {size:5}", *cells)


def _ours(predicted: Floats, observed: Floats) -> Interval:
    return _ends(estimate_share(predicted, observed))


def _ends(estimate: Estimate) -> Interval:
    return estimate.low, estimate.high


def _summary(found: list[Interval], truth: float) -> tuple[float, float]:
    """Coverage and mean width."""
    low, high = np.array(found).T
    coverage = ((low - 1e-9 <= truth) & (truth <= high + 1e-9)).mean()
    return float(coverage), float((high - low).mean())


if __name__ == "__main__":
    sys.exit(main())
