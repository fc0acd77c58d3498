"""How much time and memory do many votes take?

    python benchmarks/scale.py            beside crowd-kit's Dawid-Skene, then ten million votes, then by size
    python benchmarks/scale.py --quick    only beside crowd-kit's Dawid-Skene

The votes are drawn: people of different skill, five votes a clip on average.
Every measurement is a fresh process of its own that reads the table from a
file, so that no method pays for another's memory. Measured is the way from the
table to the probabilities: checking, coding and fitting. Both memory figures
are of the whole process: the largest it ever was, and by how much it grew
beyond what it held once the table was read. Exits with 1 if a limit is missed.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# Nothing else is imported here: a process pays only for what its own method needs.

CLASSES = 10
FASTER, LEANER = 25.0, 3.0
"""Times as fast as the peer, and times less memory, that are asked for."""
LIMIT_S, LIMIT_MB = 60.0, 3 * 1024.0
"""For ten million votes."""
LINEAR = 1.5
"""Seconds a million at ten million votes may be so many times those at one million."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much to draw."""

    votes: int
    clips: int
    people: int

    def __str__(self) -> str:
        """The size on one line."""
        return f"{self.votes:,} votes, {self.clips:,} clips, {self.people:,} people, {CLASSES} classes"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took."""

    seconds: float
    cpu_s: float
    """Of all threads."""
    peak_mb: float
    growth_mb: float
    accuracy: float


def main() -> int:
    """Print the tables that were asked for; 1 if a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="only beside crowd-kit")
    parser.add_argument(
        "--make", nargs=4, metavar=("VOTES", "CLIPS", "PEOPLE", "FILE"), help=argparse.SUPPRESS
    )
    parser.add_argument("--measure", nargs=2, metavar=("METHOD", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.make:
        make(Size(*(int(number) for number in asked.make[:3])), Path(asked.make[3]))
        return 0
    if asked.measure:
        print(json.dumps(MEASURED[asked.measure[0]](Path(asked.measure[1]))))
        return 0
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        missed = beside_the_peer(Path(folder))
        missed += [] if asked.quick else by_size(Path(folder))
    print(f"\nlimits: {'MISSED: ' + ', '.join(missed) if missed else 'hold'}")
    return int(bool(missed))


def beside_the_peer(folder: Path) -> list[str]:
    """Ours and crowd-kit's Dawid-Skene on the same table; the limits that were missed."""
    size = Size(1_000_000, 200_000, 2_000)
    path = drawn(size, folder)
    ours, peer = measured("ours", path), measured("peer", path)
    path.unlink()
    print(f"\n{size}")
    print_costs({"ours": ours, "crowd-kit Dawid-Skene": peer})
    faster, leaner = peer.seconds / ours.seconds, peer.peak_mb / ours.peak_mb
    grows = peer.growth_mb / max(ours.growth_mb, 1.0)
    print(
        f"crowd-kit takes {faster:.1f} times the time, {peer.cpu_s / ours.cpu_s:.1f} times the CPU time,",
        end=" ",
    )
    print(f"{leaner:.1f} times the memory, and grows by {grows:.1f} times as much")
    return [
        *(["speed beside the peer"] if faster < FASTER else []),
        *(["memory beside the peer"] if grows < LEANER else []),
    ]


def by_size(folder: Path) -> list[str]:
    """Ours on one to ten million votes, and on a million people with one vote each."""
    print("\nours by size")
    sizes = [Size(n * 1_000_000, n * 200_000, n * 2_000) for n in (1, 2, 5, 10)]
    costs = {}
    for size in (*sizes, Size(1_000_000, 500_000, 1_000_000)):
        path = drawn(size, folder)
        costs[size] = measured("ours", path)
        path.unlink()
    print_costs({str(size): cost for size, cost in costs.items()})
    each = [costs[size].cpu_s / (size.votes / 1e6) for size in sizes]
    print("CPU seconds a million votes:", ", ".join(f"{seconds:.2f}" for seconds in each))
    largest = costs[sizes[-1]]
    return [
        *(["time for ten million votes"] if largest.seconds > LIMIT_S else []),
        *(["memory for ten million votes"] if largest.peak_mb > LIMIT_MB else []),
        *(["linear time"] if each[-1] > LINEAR * each[0] else []),
    ]


def print_costs(costs: dict[str, Cost]) -> None:
    """One line a run."""
    width = max(len(name) for name in costs)
    print(f"{'':{width}} {'s':>7} {'CPU s':>7} {'peak MB':>8} {'growth MB':>9} {'accuracy':>8}")
    for name, cost in costs.items():
        print(f"{name:{width}} {cost.seconds:7.2f} {cost.cpu_s:7.2f} {cost.peak_mb:8.0f}", end=" ")
        print(f"{cost.growth_mb:9.0f} {cost.accuracy:8.4f}")


def drawn(size: Size, folder: Path) -> Path:
    """A file of votes of that size, drawn in a process of its own."""
    path = folder / "votes.parquet"
    numbers = [str(number) for number in (size.votes, size.clips, size.people)]
    subprocess.run([sys.executable, __file__, "--make", *numbers, str(path)], check=True)
    return path


def measured(method: str, path: Path) -> Cost:
    """What a method takes for the votes of a file, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, __file__, "--measure", method, str(path)], check=True, stdout=subprocess.PIPE
    )
    return Cost(**json.loads(ran.stdout))


def make(size: Size, path: Path) -> None:
    """Draw votes and write them; truth is the number in front of the clip's id."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(0)
    truth, skill = rng.integers(0, CLASSES, size.clips), rng.beta(6, 3, size.people)
    clip = np.concatenate([np.arange(size.clips), rng.integers(0, size.clips, size.votes - size.clips)])
    # As many people as votes: one vote each. Else anybody may vote on anything.
    one_each = size.people == size.votes
    person = rng.permutation(size.votes) if one_each else rng.integers(0, size.people, size.votes)
    right = rng.random(size.votes) < skill[person]
    says = np.where(right, truth[clip], rng.integers(0, CLASSES, size.votes))
    order = rng.permutation(size.votes)
    names = pl.Series(truth).cast(pl.String) + "-" + pl.Series(np.arange(size.clips)).cast(pl.String)
    pl.DataFrame(
        {
            "clip_id": names.gather(clip[order]),
            "instrument": "person " + pl.Series(person[order]).cast(pl.String),
            "outcome": pl.Series(says[order]).cast(pl.String),
        }
    ).write_parquet(path)


def measure_ours(path: Path) -> dict[str, float]:
    """The table to the posterior, as a user would call it."""
    import polars as pl

    from curate.labels.intake import evidence_from_frame
    from curate.labels.model import fit

    frame = pl.read_parquet(path)
    started = _now()
    evidence = evidence_from_frame(frame, [str(k) for k in range(CLASSES)])
    probabilities = fit(evidence).probabilities
    took = _since(started)
    truth = [int(clip.partition("-")[0]) for clip in evidence.clip_ids]
    return {**took, "accuracy": float((probabilities.argmax(axis=1) == truth).mean())}


def measure_peer(path: Path) -> dict[str, float]:
    """The same with crowd-kit, as its documentation calls it: at most 100 steps, its own tolerance."""
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    frame = pd.read_parquet(path).set_axis(["task", "worker", "label"], axis=1)
    started = _now()
    labels = DawidSkene(n_iter=100).fit_predict(frame)
    took = _since(started)
    truth = labels.index.str.partition("-").get_level_values(0)
    return {**took, "accuracy": float((labels.to_numpy() == truth).mean())}


MEASURED = {"ours": measure_ours, "peer": measure_peer}


def _now() -> tuple[float, float, float]:
    return time.perf_counter(), time.process_time(), _peak_mb()


def _since(started: tuple[float, float, float]) -> dict[str, float]:
    now = _now()
    return {
        "seconds": now[0] - started[0],
        "cpu_s": now[1] - started[1],
        "peak_mb": now[2],
        "growth_mb": now[2] - started[2],
    }


def _peak_mb() -> float:
    """Largest resident size of this process so far; kilobytes on Linux, bytes on macOS."""
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    sys.exit(main())
