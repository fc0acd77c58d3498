"""Do ordered classes gain from being known to be ordered?

    python benchmarks/ordinal.py

Real votes on ordered classes (see `vote_sets`): two sets with known truth, and
pictures rated by 25 people each, of whose votes 3, 5 or 10 are drawn and the
others tell the truth: their median, and their mean. Posteriors answer with
their median class, and with their expected value where the mean is asked for.
Prints mean absolute errors in class steps, accuracy and log-loss, then the
differences from our model with their 95 % intervals (bootstrap over clips,
paired, the same clips for all sets of a family). Exits with 1 unless, over all
sets, our mean absolute error is below that of Dawid and Skene and of the median
of the votes.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from vote_sets import DATA, VoteSet, read_sets

from curate.labels import Evidence, evidence_from_frame, fit
from curate.labels.evidence import Floats, Ints
from curate.labels.ordinal import expected_value, median_class
from curate.labels.start import smoothed_shares

DRAWN = (3, 5, 10)
"""Votes a clip that are used where there is no other truth than the remaining votes."""

DRAWS = 4
RESAMPLES = 2000
OURS = "ours, ordinal"


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Votes on ordered classes, and what the answers should have been."""

    name: str
    family: str
    evidence: Evidence
    median: Floats
    """In class steps, nan where it is unknown: (n_clips,)."""
    mean: Floats
    """The same for the mean; nan throughout where the truth is one class: (n_clips,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a method says of each clip, in class steps."""

    middle: Floats
    mean: Floats
    likeliest: Floats
    probabilities: Floats | None
    """None for methods that give none."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Errors of one method on one task, per clip with truth; columns as in `MEASURES`."""

    task: str
    family: str
    method: str
    errors: Floats


MEASURES = ("to median", "to mean", "accuracy", "log-loss")


def main() -> int:
    """Print both tables; 1 if a guard fails."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if not DATA.is_dir():
        print(f"no test data at {DATA}: set CURATE_TEST_DATA")
        return 1
    results = merged([measure(task, name) for task in tasks() for name in METHODS])
    print_scores(results)
    print_differences(results, np.random.default_rng(0))
    return conclude(results)


def tasks() -> Iterator[Task]:
    """Every set with ordered classes."""
    for votes in read_sets("human"):
        if not votes.evidence.ordinal:
            continue
        if (votes.gold >= 0).any():
            truth = np.where(votes.gold >= 0, votes.gold, np.nan)
            nothing = np.full(len(truth), np.nan)
            yield Task(votes.name, votes.family, votes.evidence, truth, nothing)
        else:
            rng = np.random.default_rng(0)
            yield from (draw(votes, n_votes, rng) for n_votes in DRAWN for _ in range(DRAWS))


def draw(votes: VoteSet, n_votes: int, rng: np.random.Generator) -> Task:
    """Some votes of each clip as evidence, the others as truth."""
    order = pl.Series("order", rng.random(votes.frame.height))
    frame = votes.frame.with_columns(order).with_columns(place=pl.col("order").rank().over("clip_id"))
    used, held = frame.filter(pl.col("place") <= n_votes), frame.filter(pl.col("place") > n_votes)
    evidence = evidence_from_frame(
        used.select("clip_id", "instrument", "outcome", "kind"), votes.evidence.classes, ordinal=True
    )
    codes = {name: float(code) for code, name in enumerate(evidence.classes)}
    steps = pl.col("outcome").replace_strict(codes, return_dtype=pl.Float64)
    truth = (
        held.group_by("clip_id").agg(median=steps.median(), mean=steps.mean()).sort("clip_id")
    )  # the order of evidence.clip_ids
    name = f"{votes.name} {n_votes}"
    return Task(name, votes.family, evidence, truth["median"].to_numpy(), truth["mean"].to_numpy())


def measure(task: Task, method: str) -> Result:
    """Errors of one method on one task."""
    answer = METHODS[method](task.evidence)
    known = ~np.isnan(task.median)
    target = np.floor(task.median[known] + 0.5).astype(np.int64)  # a half step belongs to the upper class
    loss = np.full(len(target), np.nan)
    if answer.probabilities is not None:
        loss = -np.log(np.clip(answer.probabilities[known][np.arange(len(target)), target], 1e-6, 1))
    errors = [
        np.abs(answer.middle - task.median)[known],
        np.abs(answer.mean - task.mean)[known],
        (np.floor(answer.likeliest[known] + 0.5) == target).astype(np.float64),
        loss,
    ]
    return Result(task.name, task.family, method, np.stack(errors, axis=1))


def merged(results: list[Result]) -> list[Result]:
    """Draws of the same task and method averaged, clip by clip."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.task, result.method), []).append(result)
    return [
        replace(alike[0], errors=np.mean([result.errors for result in alike], axis=0))
        for alike in groups.values()
    ]


def print_scores(results: list[Result]) -> None:
    """One line a task and method."""
    print("\nmean absolute error in class steps, accuracy and log-loss (nats); - where it does not apply")
    print(f"{'set':28} {'method':16} " + " ".join(f"{measure:>9}" for measure in MEASURES))
    for result in results:
        print(f"{result.task:28} {result.method:16} {_line(result.errors.mean(axis=0))}")
    print()
    for method in METHODS:
        print(f"{'mean over sets':28} {method:16} {_line(over_sets(results, method))}")


def over_sets(results: list[Result], method: str) -> Floats:
    """Mean over the sets that have the measure: (n_measures,)."""
    means = np.stack([result.errors.mean(axis=0) for result in results if result.method == method])
    present = ~np.isnan(means)
    total = np.where(present, means, 0.0).sum(axis=0)
    return np.where(present.any(axis=0), total / np.maximum(present.sum(axis=0), 1), np.nan)


def _line(values: Floats) -> str:
    return " ".join(f"{'-' if np.isnan(value) else f'{value:.4f}':>9}" for value in values)


def print_differences(results: list[Result], rng: np.random.Generator) -> None:
    """Ours less each other method; below 0 is better, except for accuracy."""
    families = sorted({result.family for result in results})
    sizes = {family: len(next(r for r in results if r.family == family).errors) for family in families}
    chosen = {family: rng.integers(0, n, (RESAMPLES, n)) for family, n in sizes.items()}
    print(f"\n{OURS}, less the method, with 95 % intervals: {', '.join(MEASURES)}")
    for method in [name for name in METHODS if name != OURS]:
        for family in families:
            print(
                f"{family:14} {method:16} " + _intervals(difference(results, method, family, chosen[family]))
            )


def difference(results: list[Result], method: str, family: str, chosen: Ints) -> Floats:
    """Mean difference over a family's sets, as it is and resampled: (1 + n_resamples, n_measures)."""
    mine = {r.task: r.errors for r in results if r.method == OURS and r.family == family}
    other = {r.task: r.errors for r in results if r.method == method and r.family == family}
    by_clip = np.mean([mine[task] - other[task] for task in mine], axis=0)  # (n_clips, n_measures)
    return np.vstack([by_clip.mean(axis=0), by_clip[chosen].mean(axis=1)])


def _intervals(differences: Floats) -> str:
    cells = []
    for values in differences.T:
        low, high = np.quantile(values[1:], [0.025, 0.975])
        cells.append("-" if np.isnan(values[0]) else f"{values[0]:+.4f} ({low:+.4f}, {high:+.4f})")
    return " ".join(f"{cell:>27}" for cell in cells)


def conclude(results: list[Result]) -> int:
    """Whether the guards hold."""
    ours = over_sets(results, OURS)[0]
    failed = [name for name in ("Dawid-Skene", "median vote") if ours >= over_sets(results, name)[0]]
    print(f"\nguards: {'FAILED: not below ' + ', '.join(failed) if failed else 'hold'}")
    return int(bool(failed))


def _votes_answer(evidence: Evidence, answer: Callable[[Floats], Floats]) -> Answer:
    steps = answer(evidence.class_votes())
    return Answer(steps, steps, steps, None)


def _median_vote(votes: Floats) -> Floats:
    """The usual median: between two classes if the votes are halved there."""
    reached = np.cumsum(votes, axis=1) / votes.sum(axis=1, keepdims=True)
    lower, upper = (reached >= 0.5 - 1e-9).argmax(axis=1), (reached > 0.5 + 1e-9).argmax(axis=1)
    return np.asarray((lower + upper) / 2)


def _mean_vote(votes: Floats) -> Floats:
    return expected_value(votes / votes.sum(axis=1, keepdims=True))


def _posterior_answer(probabilities: Floats) -> Answer:
    likeliest = probabilities.argmax(axis=1).astype(np.float64)
    middle = median_class(probabilities).astype(np.float64)
    return Answer(middle, expected_value(probabilities), likeliest, probabilities)


def _majority(evidence: Evidence) -> Answer:
    shares = smoothed_shares(evidence.class_votes(), 1.0)
    likeliest = shares.argmax(axis=1).astype(np.float64)
    return Answer(likeliest, likeliest, likeliest, shares)


def _dawid_skene(evidence: Evidence) -> Answer:
    from crowdkit.aggregation import DawidSkene

    rows = pl.DataFrame({"task": evidence.item, "worker": evidence.instrument, "label": evidence.option})
    table = DawidSkene(n_iter=100).fit_predict_proba(
        rows.unique(["task", "worker"], keep="first").to_pandas()
    )
    table = table.reindex(index=range(evidence.n_items), columns=range(evidence.n_classes), fill_value=0)
    return _posterior_answer(np.nan_to_num(table.to_numpy()))


METHODS: dict[str, Callable[[Evidence], Answer]] = {
    "median vote": lambda evidence: _votes_answer(evidence, _median_vote),
    "mean vote": lambda evidence: _votes_answer(evidence, _mean_vote),
    "majority": _majority,
    "Dawid-Skene": _dawid_skene,
    "ours, nominal": lambda evidence: _posterior_answer(fit(replace(evidence, ordinal=False)).probabilities),
    OURS: lambda evidence: _posterior_answer(fit(evidence).probabilities),
}


if __name__ == "__main__":
    sys.exit(main())
