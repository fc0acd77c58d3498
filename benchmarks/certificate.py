"""How many clips can be certified, and how often is a certificate wrong, on real sets of votes?

    python benchmarks/certificate.py                     1,000 draws of 200 gold on every set, 200 of the rest
    python benchmarks/certificate.py --draws 100         quicker
    python benchmarks/certificate.py --only dog adult    some sets

The population of a set is its clips with gold; gold is hidden, drawn and looked
up. "oracle" knows all of it: the largest share of the surest clips with an error
of at most epsilon. Tested on every draw of gold: the binomial test in a fixed
sequence from three starts, 30, 60 and 100 % of the ranking, with .3, .4 and .3
of delta ("binomial"); ours, with gold drawn at random ("random"), and with gold
drawn in rounds where it decides ("chosen"). Label under test: the likeliest
class; with "given", one random vote. Ties of the ranking are broken at random,
before gold. Exits with 1 if more than delta of the certificates of a set are
wrong, give or take three deviations of chance.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr
from vote_sets import VoteSet, read_sets

from curate.labels import fit
from curate.labels.certificate import certify
from curate.labels.evidence import Floats, Ints
from curate.labels.gold_sample import draw_at_random, draw_to_certify, draw_to_explore, schedule

EPSILON, DELTA = 0.10, 0.05
STARTS = ((0.3, 0.3), (0.6, 0.4), (1.0, 0.3))
"""Share of the ranking at which a sequence starts, and its share of delta."""
FEWEST = 300
"""Sets with less gold are left out: a draw of 200 would be most of it."""
BUDGETS = (200, 400)
LESS = 5
"""So many times fewer draws for all but the first budget and the likeliest class."""

Method = Callable[[Floats, Ints, int, np.random.Generator], int]
"""Score, errors, budget, randomness: clips kept. Clips come surest first, no two equally sure."""


@dataclass(frozen=True, slots=True)
class Task:
    """One set with one kind of label under test."""

    name: str
    kind: str
    score: Floats
    """Falling: (n_clips,)."""
    errors: Ints
    """1 where the label under test is wrong: (n_clips,)."""
    n_draws: int
    budgets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one task: for each method and budget, clips kept and wrong certificates, as shares."""

    name: str
    kind: str
    n_clips: int
    oracle: float
    kept: tuple[float, ...]
    violated: tuple[float, ...]
    n_draws: int

    @property
    def holds(self) -> bool:
        """Whether no method is wrong more often than it may be."""
        chance = 3 * np.sqrt(DELTA * (1 - DELTA) / self.n_draws)
        return max(self.violated) <= DELTA + chance


def main() -> int:
    """Run every set and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    sets = [found for found in read_sets() if not options.only or found.name in options.only]
    small = [f"{s.name} ({(s.gold >= 0).sum()})" for s in sets if (s.gold >= 0).sum() < FEWEST]
    sets = [found for found in sets if (found.gold >= 0).sum() >= FEWEST]
    print(f"{platform.machine()}, {os.cpu_count()} cores; epsilon {EPSILON}, delta {DELTA}")
    print(f"left out, fewer than {FEWEST} clips with gold: {', '.join(small) or 'none'}")
    fewer = max(options.draws // LESS, 1)
    plans = (
        ("likeliest class", False, BUDGETS[:1], options.draws),
        ("likeliest class", False, BUDGETS[1:], fewer),
        ("given: one random vote", True, BUDGETS, fewer),
    )
    holds = [
        _table(f"{title}, {n} draws", [_task(found, given, n, budgets) for found in sets])
        for title, given, budgets, n in plans
    ]
    return 0 if all(holds) else 1


def _task(found: VoteSet, given: bool, n_draws: int, budgets: tuple[int, ...]) -> Task:
    rng = np.random.default_rng(0)
    probabilities = fit(found.evidence).probabilities
    known = (found.gold >= 0) & found.counts.any(axis=1)
    probabilities, gold, counts = probabilities[known], found.gold[known], found.counts[known]
    labels = _one_vote(counts, rng) if given else probabilities.argmax(axis=1)
    score = probabilities[np.arange(len(gold)), labels]
    order = np.lexsort((rng.random(len(gold)), -score))
    falling = score[order] - 1e-9 * np.arange(len(gold))
    errors = (labels != gold)[order].astype(np.int64)
    return Task(found.name, found.kind, falling, errors, n_draws, budgets)


def _one_vote(counts: Floats, rng: np.random.Generator) -> Ints:
    shares = np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)
    drawn: Ints = (rng.random((len(counts), 1)) >= shares).sum(axis=1)
    return np.minimum(drawn, counts.shape[1] - 1)


def _table(title: str, tasks: list[Task]) -> bool:
    names = [f"{name}{budget}" for budget in tasks[0].budgets for name in METHODS]
    print(f"\n{title}: share of clips kept | share of certificates that are wrong")
    print(f"{'set':20s}{'clips':>7s}{'oracle':>8s}" + "".join(f"{name:>12s}" for name in names))
    rows = []
    with ProcessPoolExecutor() as pool:
        for row in pool.map(_run, tasks):
            _show(row.name, row.n_clips, row.oracle, row.kept, row.violated)
            rows.append(row)
    for kind in ("human", "machine"):
        _mean(f"mean of {kind}", [row for row in rows if row.kind == kind])
    _mean("mean", rows)
    return all(row.holds for row in rows)


def _mean(name: str, rows: list[Row]) -> None:
    if rows:
        kept = tuple(np.nanmean([row.kept for row in rows], axis=0))
        _show(name, 0, float(np.mean([row.oracle for row in rows])), kept, ())


def _show(name: str, n: int, oracle: float, kept: tuple[float, ...], violated: tuple[float, ...]) -> None:
    shares = "".join(f"{value:12.3f}" for value in kept)
    wrong = " |" + " ".join(f"{value:.3f}" for value in violated) if violated else ""
    print(f"{name:20s}{n or '':>7}{oracle:8.3f}{shares}{wrong}", flush=True)


def _run(task: Task) -> Row:
    found = [_repeat(task, method, budget) for budget in task.budgets for method in METHODS.values()]
    n = len(task.errors)
    fine = np.flatnonzero(np.cumsum(task.errors) <= _allowed(np.arange(1, n + 1)))
    oracle = (fine[-1] + 1) / n if len(fine) else 0.0
    kept, violated = zip(*found, strict=True)
    return Row(task.name, task.kind, n, float(oracle), kept, violated, task.n_draws)


def _repeat(task: Task, method: Method, budget: int) -> tuple[float, float]:
    """Mean share kept and share of wrong certificates; nan where there is not that much gold."""
    n = len(task.errors)
    if n < budget:
        return float("nan"), 0.0
    rngs = [np.random.default_rng(seed) for seed in range(task.n_draws)]
    kept = np.array([method(task.score, task.errors, budget, rng) for rng in rngs])
    wrong = np.r_[0, np.cumsum(task.errors)][kept]
    return float(kept.mean() / n), float((wrong > _allowed(kept)).mean())


def _allowed(sizes: Ints) -> Floats:
    allowed: Floats = np.floor(EPSILON * sizes + 1e-9)
    return allowed


def _binomial(score: Floats, errors: Ints, budget: int, rng: np.random.Generator) -> int:
    """As a first prototype did it: 5 % steps of the ranking, until a sequence fails."""
    n = len(score)
    drawn = np.sort(rng.choice(n, budget, replace=False))
    found = np.r_[0, np.cumsum(errors[drawn])]
    kept = 0
    for start, share in STARTS:
        for size in (np.arange(start, 1.0001, 0.05) * n).astype(int):
            seen = np.searchsorted(drawn, size)
            if not seen or bdtr(found[seen], seen, EPSILON) > share * DELTA:
                break
            kept = max(kept, int(size))
    return kept


def _random(score: Floats, errors: Ints, budget: int, rng: np.random.Generator) -> int:
    wrong = np.full(len(score), -1)
    drawn = rng.choice(len(score), budget, replace=False)
    wrong[drawn] = errors[drawn]
    draw = draw_at_random(score, wrong, EPSILON, DELTA, rng)
    return certify(draw, wrong, EPSILON, DELTA).n_kept


def _chosen(score: Floats, errors: Ints, budget: int, rng: np.random.Generator) -> int:
    wrong, left = np.full(len(score), -1), budget
    for n_labels in schedule(budget)[:-1]:
        left -= n_labels
        rows = draw_to_explore(score, wrong, n_labels, left, EPSILON, DELTA, rng)
        wrong[rows] = errors[rows]
    draw = draw_to_certify(score, wrong, left, EPSILON, DELTA, rng)
    wrong[draw.clips] = errors[draw.clips]
    return certify(draw, wrong, EPSILON, DELTA).n_kept


METHODS: dict[str, Method] = {"binomial": _binomial, "random": _random, "chosen": _chosen}

if __name__ == "__main__":
    sys.exit(main())
