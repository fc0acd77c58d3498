"""Are refined labels ahead of every other way to weigh votes, on every real set at hand?

    python benchmarks/aggregation.py            without gold: every set, every peer as it comes and tempered
    python benchmarks/aggregation.py --quick    the same without the slow peers
    python benchmarks/aggregation.py --gold     with 20, 50, 100 and 500 gold labels, 50 draws a set

The votes are real and no part of this repository: see benchmarks/vote_sets.py.
Exits with 1 if a set of people's votes falls more than .01 below the majority.

What is printed as "curate" uses the settings that ship, which were chosen on
these sets. "left out" chooses the settings anew for each family of sets, on
the other families alone, and scores them on the one left out.
"""

import argparse
import itertools
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from vote_sets import CIRCULAR, DATA, VoteSet, read_sets

from curate.labels import FitSettings, fit
from curate.labels.alpha import krippendorff_alpha
from curate.labels.evaluate import calibration_error, log_loss, majority_accuracy
from curate.labels.evidence import Floats, Ints
from curate.labels.gold import learn_from_gold
from curate.labels.start import smoothed_shares
from curate.labels.trust import people_redundancy

SLOW_PEERS = ("GLAD", "MACE")
SLOW_FROM = 60_000
"""Votes from which on the slow peers are left out: they would take many minutes."""

WORST_DROP = 0.01
GOLD_SIZES = (20, 50, 100, 500)
DRAWS = 50
FEWEST_LEFT = 50
"""Gold labels that must be left for measuring."""

Scores = tuple[float, float, float]
"""Accuracy, log-loss, calibration error."""


def main() -> int:
    """Print the tables that were asked for; 1 if the guard fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="without the slow peers")
    parser.add_argument("--gold", action="store_true", help="learning from gold")
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if not DATA.is_dir():
        print(f"no test data at {DATA}: set CURATE_TEST_DATA")
        return 1
    sets = [votes for votes in read_sets() if (votes.gold >= 0).any()]
    if asked.gold:
        learn(sets)
        return 0
    return compare(sets, slow=not asked.quick)


def compare(sets: Sequence[VoteSet], *, slow: bool) -> int:
    """Without gold: ours, the majority and every peer."""
    started = time.perf_counter()
    found = {votes.name: {"curate": scores(fit(votes.evidence).probabilities, votes)} for votes in sets}
    seconds = time.perf_counter() - started
    for votes in sets:
        found[votes.name]["majority"] = scores(smoothed_shares(votes.counts, 1.0), votes)
    for votes, mine in zip(sets, left_out(sets), strict=True):
        found[votes.name]["left out"] = mine
    for votes in sets:
        found[votes.name] |= peers(votes, slow=slow)
        print_set(votes, found[votes.name])
    for kind in ("human", "machine", None):
        print_means([v for v in sets if v.name != CIRCULAR and kind in (v.kind, None)], found, kind or "all")
    print_families([votes for votes in sets if votes.name != CIRCULAR], found)
    print(f"\nall fits of curate: {seconds:.1f} s")
    return guard(sets, found)


def scores(probabilities: Floats, votes: VoteSet) -> Scores:
    """Accuracy (ties shared), log-loss and calibration error against the truth."""
    return (
        majority_accuracy(probabilities, votes.gold),
        log_loss(probabilities, votes.gold),
        calibration_error(probabilities, votes.gold),
    )


def left_out(sets: Sequence[VoteSet]) -> list[Scores]:
    """Scores under settings that were chosen without any set of the same family."""
    choices = list(_settings())
    table = np.array([[scores(fit(v.evidence, choice).probabilities, v) for v in sets] for choice in choices])
    result = []
    for place, votes in enumerate(sets):
        others = [
            index
            for index, other in enumerate(sets)
            if other.kind == votes.kind and other.family != votes.family and other.name != CIRCULAR
        ]
        best = int(table[:, others, 1].mean(axis=1).argmin())
        result.append(tuple(table[best, place].tolist()))
    return result


def _settings() -> list[FitSettings]:
    """The settings that were chosen from, around those that ship: three or so values of each that matters."""
    base = FitSettings()
    choices = []
    for error, blend, smoothing in itertools.product(
        (0.5, 0.6, 0.7, 0.8), (0.05, 0.15, 0.3), (0.3, 0.5, 1.0)
    ):
        people = replace(base.people, blend=blend, smoothing=smoothing)
        machines = replace(base.machines, blend=2 * blend, smoothing=2 * smoothing)
        choices.append(
            replace(
                base, people=people, machines=machines, shared_error=error, machine_redundancy=error * 5 / 7
            )
        )
    for skill, even in itertools.product((0.5, 0.75, 1.0), (0.25, 0.5, 0.75)):
        people = replace(base.people, skill=skill, even=even)
        machines = replace(base.machines, skill=2.6 * skill)
        choices.append(replace(base, people=people, machines=machines))
    return choices


def peers(votes: VoteSet, *, slow: bool) -> dict[str, Scores]:
    """Every peer that can read the set, as it comes and tempered."""
    if votes.tallied:
        return {}
    everybody = np.ones(len(votes.evidence.item), dtype=bool)
    redundancy = people_redundancy(votes.evidence, everybody, FitSettings().shared_error)
    redundancy = redundancy if votes.kind == "human" else 1.0
    found: dict[str, Scores] = {}
    for name, method in _methods().items():
        if name in SLOW_PEERS and (not slow or len(votes.frame) >= SLOW_FROM):
            continue
        raw = _run(method, votes)
        found[name] = scores(raw, votes)
        found[f"{name}, tempered"] = scores(_tempered(raw, votes.counts, redundancy), votes)
    return found


def _methods() -> dict[str, Callable[[], object]]:
    from crowdkit.aggregation import GLAD, MACE, DawidSkene, OneCoinDawidSkene

    return {
        "Dawid-Skene": lambda: DawidSkene(n_iter=100),
        "one-coin": lambda: OneCoinDawidSkene(n_iter=100),
        "MACE": lambda: MACE(random_state=0),
        "GLAD": lambda: GLAD(),
    }


def _run(method: Callable[[], object], votes: VoteSet) -> Floats:
    frame = votes.frame.select(task="clip_id", worker="instrument", label="outcome")
    frame = frame.unique(["task", "worker"], keep="first", maintain_order=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = method().fit_predict_proba(frame.to_pandas())  # type: ignore[attr-defined]
    ids, classes = list(votes.evidence.clip_ids), list(votes.evidence.classes)
    return np.nan_to_num(table.reindex(index=ids, columns=classes, fill_value=0).to_numpy())


def _tempered(probabilities: Floats, counts: Floats, redundancy: float) -> Floats:
    """The redundancy and the blend of ours, given to a peer."""
    power = 1 / (1 + np.maximum(counts.sum(axis=1, keepdims=True) - 1, 0) * redundancy)
    flat = np.maximum(probabilities, 1e-12) ** power
    return np.asarray(0.85 * flat / flat.sum(axis=1, keepdims=True) + 0.15 * smoothed_shares(counts, 0.5))


def print_set(votes: VoteSet, found: dict[str, Scores]) -> None:
    """Every method on one set."""
    note = "  circular: its truth is the majority of these votes" if votes.name == CIRCULAR else ""
    everybody = np.ones(len(votes.evidence.item), dtype=bool)
    alpha = krippendorff_alpha(votes.evidence, everybody).alpha
    print(f"\n{votes.name} ({votes.kind}, {(votes.gold >= 0).sum()} with truth, alpha {alpha:.2f}){note}")
    for name, (accuracy, loss, error) in found.items():
        print(f"  {name:22} accuracy {accuracy:.4f}  log-loss {loss:.3f}  calibration error {error:.3f}")


def print_means(sets: Sequence[VoteSet], found: dict[str, dict[str, Scores]], title: str) -> None:
    """Means of every method over the sets that it could read, and of ours over the same sets."""
    print(f"\n{title}: means; in brackets curate on the same sets")
    for name in dict.fromkeys(name for votes in sets for name in found[votes.name]):
        both = [found[v.name] for v in sets if name in found[v.name]]
        mean = np.mean([row[name] for row in both], axis=0)
        ours = np.mean([row["curate"] for row in both], axis=0)
        pairs = "  ".join(f"{m:.4f} [{o:.4f}]" for m, o in zip(mean, ours, strict=True))
        print(f"  {name:22} {len(both):2} sets  accuracy, log-loss, calibration error: {pairs}")


def print_families(sets: Sequence[VoteSet], found: dict[str, dict[str, Scores]]) -> None:
    """Paired differences of ours from each method, with an interval over families of sets."""
    print(
        "\ncurate less each method, paired, mean over families with a 95 % bootstrap interval over families"
    )
    rng = np.random.default_rng(0)
    for name in dict.fromkeys(name for votes in sets for name in found[votes.name] if name != "curate"):
        by_family: dict[str, list[Floats]] = {}
        for votes in sets:
            if name in found[votes.name]:
                gap = np.subtract(found[votes.name]["curate"], found[votes.name][name])
                by_family.setdefault(votes.family, []).append(gap)
        gaps = np.array([np.mean(rows, axis=0) for rows in by_family.values()])
        draws = gaps[rng.integers(0, len(gaps), (2000, len(gaps)))].mean(axis=1)
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        cells = (
            f"{what} {m:+.4f} ({a:+.4f} to {b:+.4f})"
            for what, m, a, b in zip(
                ("accuracy", "log-loss", "ece"), gaps.mean(axis=0), low, high, strict=True
            )
        )
        print(f"  {name:22} {len(gaps):2} families  {'  '.join(cells)}")


def guard(sets: Sequence[VoteSet], found: dict[str, dict[str, Scores]]) -> int:
    """1 if a set of people's votes falls too far below the majority."""
    drops = {
        votes.name: majority_accuracy(votes.counts, votes.gold) - found[votes.name]["curate"][0]
        for votes in sets
        if votes.kind == "human"
    }
    failed = {name: drop for name, drop in drops.items() if drop > WORST_DROP}
    worst = max(drops, key=lambda name: drops[name])
    print(f"furthest below the majority: {worst}, {drops[worst]:+.4f}; {'FAILED' if failed else 'holds'}")
    return int(bool(failed))


def learn(sets: Sequence[VoteSet]) -> None:
    """With gold: accuracy and log-loss of the rest, without and with what gold teaches, mean over draws."""
    print(f"accuracy and log-loss on clips without gold, mean over {DRAWS} draws; best: the best single")
    print("instrument that answered at least half of the clips, known only to this table")
    for votes in sets:
        posterior = fit(votes.evidence)
        best, known = best_single(votes), np.flatnonzero(votes.gold >= 0)
        for size in GOLD_SIZES:
            if len(known) < size + FEWEST_LEFT:
                continue
            table = [_draw(votes, posterior, known, size, seed) for seed in range(DRAWS)]
            without, taught = np.mean(table, axis=0).reshape(2, 2)
            flag = "  WORSE" if taught[0] < without[0] - 1e-9 or taught[1] > without[1] + 1e-9 else ""
            print(f"{votes.name:20} {size:4} gold: accuracy {without[0]:.4f} -> {taught[0]:.4f}", end="  ")
            print(f"log-loss {without[1]:.4f} -> {taught[1]:.4f}  best {best:.4f}{flag}", flush=True)


def _draw(votes: VoteSet, posterior, known: Ints, size: int, seed: int) -> list[float]:  # type: ignore[no-untyped-def]
    chosen = np.random.default_rng(seed).choice(known, size, replace=False)
    gold = np.full(len(votes.gold), -1)
    gold[chosen] = votes.gold[chosen]
    taught = learn_from_gold(votes.evidence, posterior, gold).posterior.probabilities
    rest = np.where(gold >= 0, -1, votes.gold)
    return [f(p, rest) for p in (posterior.probabilities, taught) for f in (majority_accuracy, log_loss)]


def best_single(votes: VoteSet) -> float:
    """Accuracy of the best instrument among those that answered half of the clips; nan if there is none."""
    evidence, known = votes.evidence, votes.gold >= 0
    best = float("nan")
    for index in range(len(evidence.instruments)):
        rows = (evidence.instrument == index) & known[evidence.item]
        right = evidence.option[rows] == votes.gold[evidence.item[rows]]
        if not votes.tallied and rows.sum() >= known.sum() / 2:
            best = float(np.nanmax([best, right.mean()]))
    return best


if __name__ == "__main__":
    sys.exit(main())
