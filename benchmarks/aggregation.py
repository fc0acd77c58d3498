"""Are refined labels better than the majority of votes, on every set of people's votes at hand?

    python benchmarks/aggregation.py            the table and its guards
    python benchmarks/aggregation.py --peers    crowd-kit beside it, as it comes and with our tempering
    python benchmarks/aggregation.py --scale    200,000 clips, a million votes, 2,000 people

The votes are real and are not part of this repository: the folder `evidence`
of the test data folder, which the environment variable CURATE_TEST_DATA names.
Exits with 1 if a guard fails: no set may fall below the majority by more than
luck with ties explains, and all sets together may take 30 s.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from curate.labels import Evidence, evidence_from_frame, fit
from curate.labels.evaluate import calibration_error, log_loss, majority_accuracy
from curate.labels.evidence import Floats, Ints
from curate.labels.start import smoothed_shares

DATA = Path(os.environ.get("CURATE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")) / "evidence"

CIRCULAR = "ferplus_gpt4v"
"""Its truth is the majority of these very votes: shown, but it proves nothing."""

LIMIT_S = 30.0
SLOW_PEERS = ("GLAD", "MACE")
SLOW_FROM = 25_000
"""Votes from which on the slow peers are left out: they would take minutes."""


@dataclass(frozen=True, slots=True)
class VoteSet:
    """One set of people's votes."""

    name: str
    evidence: Evidence
    counts: Floats
    """Votes as they came, repeated ones counted each time: (n_clips, n_classes)."""
    gold: Ints
    """-1 where unknown: (n_clips,)."""
    votes: pl.DataFrame
    """Empty where there are only tallies."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    n_gold: int
    majority: float
    tolerance: float
    accuracy: float
    log_loss: float
    log_loss_majority: float
    ece: float
    ece_majority: float
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether the set is at least as good as the majority, give or take luck with ties."""
        return (
            self.name == CIRCULAR
            or np.isnan(self.majority)
            or self.accuracy >= self.majority - self.tolerance
        )


def main() -> int:
    """Print the tables that were asked for; 1 if a guard fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", action="store_true", help="run crowd-kit's methods too")
    parser.add_argument("--scale", action="store_true", help="measure speed on simulated votes")
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if asked.scale:
        measure_scale()
    if not DATA.is_dir():
        print(f"no test data at {DATA}: set CURATE_TEST_DATA")
        return 0 if asked.scale else 1
    sets = list(read_sets())
    rows = [measure(votes) for votes in sets]
    print_table(rows)
    if asked.peers:
        print_peers(sets)
    return conclude(rows)


def measure(votes: VoteSet) -> Row:
    """Majority and refined labels of one set against its truth."""
    started = time.perf_counter()
    probabilities = fit(votes.evidence).probabilities
    seconds = time.perf_counter() - started
    shares = smoothed_shares(votes.counts, 1.0)
    return Row(
        name=votes.name,
        n_gold=int((votes.gold >= 0).sum()),
        majority=majority_accuracy(votes.counts, votes.gold),
        tolerance=tie_luck(votes.counts, votes.gold),
        accuracy=majority_accuracy(probabilities, votes.gold),
        log_loss=log_loss(probabilities, votes.gold),
        log_loss_majority=log_loss(shares, votes.gold),
        ece=calibration_error(probabilities, votes.gold),
        ece_majority=calibration_error(shares, votes.gold),
        seconds=seconds,
    )


def tie_luck(counts: Floats, gold: Ints) -> float:
    """Two standard deviations of the majority's accuracy if ties are broken by lot.

    The majority is credited 1 / k for a tie of k classes, which is what a lot
    gives on average; a method that decides each tie once may have luck or not.
    """
    known = gold >= 0
    leading = counts[known] >= counts[known].max(axis=1, keepdims=True, initial=0)
    ties = 1 / leading.sum(axis=1)
    return float(2 * np.sqrt((ties * (1 - ties)).sum()) / max(known.sum(), 1))


def print_table(rows: list[Row]) -> None:
    """One line a set."""
    print(
        "\naccuracy, log-loss and calibration error of the majority (shares smoothed by one vote) and of ours"
    )
    print(f"{'set':24} {'gold':>6} {'major.':>7} {'refined':>7} {'gain':>7} {'ties':>6}", end=" ")
    print(f"{'loss m.':>8} {'loss':>6} {'ece m.':>7} {'ece':>6} {'s':>6}")
    for row in rows:
        mark = "" if row.holds else "  BELOW THE MAJORITY"
        mark = "  circular: truth is the votes' majority" if row.name == CIRCULAR else mark
        mark = "  no truth: timed only" if np.isnan(row.majority) else mark
        gain = row.accuracy - row.majority
        print(f"{row.name:24} {row.n_gold:6} {row.majority:7.4f} {row.accuracy:7.4f} {gain:+7.4f}", end=" ")
        print(f"{row.tolerance:6.4f} {row.log_loss_majority:8.3f} {row.log_loss:6.3f}", end=" ")
        print(f"{row.ece_majority:7.3f} {row.ece:6.3f} {row.seconds:6.2f}{mark}")


def conclude(rows: list[Row]) -> int:
    """The line of figures, and whether the guards hold."""
    scored = [row for row in rows if not np.isnan(row.majority) and row.name != CIRCULAR]
    seconds = sum(row.seconds for row in rows)
    failed = [row.name for row in rows if not row.holds] + (["time"] if seconds > LIMIT_S else [])
    mean = {
        key: np.mean([getattr(row, key) for row in scored])
        for key in ("majority", "accuracy", "log_loss_majority", "log_loss", "ece_majority", "ece")
    }
    print(f"\nguards: {'FAILED: ' + ', '.join(failed) if failed else 'hold'}")
    print(
        f"sets={len(scored)} accuracy={mean['accuracy']:.4f} majority={mean['majority']:.4f} "
        f"log_loss={mean['log_loss']:.4f} log_loss_majority={mean['log_loss_majority']:.4f} "
        f"ece={mean['ece']:.4f} ece_majority={mean['ece_majority']:.4f} seconds={seconds:.1f}"
    )
    return int(bool(failed))


def read_sets() -> Iterator[VoteSet]:
    """Every set of the index in which people voted."""
    index = pl.read_csv(DATA / "index.csv", infer_schema=False)
    for entry in index.filter(pl.col("kind").str.contains("human")).iter_rows(named=True):
        name, classes = entry["name"], entry["classes"].split("|")
        tallied = f"{name}.counts.csv.gz" in entry["files"]
        frame = _tallies(name, classes) if tallied else _votes(entry["files"])
        evidence = evidence_from_frame(frame, classes, ordinal=entry["ordinal"] == "yes")
        yield VoteSet(
            name=name,
            evidence=evidence,
            counts=_counts(frame, evidence),
            gold=_gold(name, evidence),
            votes=frame.head(0) if tallied else frame,
        )


def _votes(files: str) -> pl.DataFrame:
    [name] = [name for name in files.split() if ".votes.csv" in name]
    frame = pl.read_csv(DATA / name, infer_schema=False)
    return frame.select("clip_id", "instrument", "outcome", kind=pl.lit("human"))


def _tallies(name: str, classes: list[str]) -> pl.DataFrame:
    """Counts of people nobody can tell apart: one instrument for each modality, with one confusion matrix."""
    frame = pl.read_csv(DATA / f"{name}.counts.csv.gz", schema_overrides={"clip_id": pl.String})
    pool = pl.col("modality") if "modality" in frame.columns else pl.lit("people")
    long = frame.with_columns(instrument=pool).unpivot(
        on=classes, index=["clip_id", "instrument"], variable_name="outcome", value_name="count"
    )
    return long.filter(pl.col("count") > 0).with_columns(kind=pl.lit("human"))


def _counts(frame: pl.DataFrame, evidence: Evidence) -> Floats:
    count = pl.col("count").sum() if "count" in frame.columns else pl.len()
    long = frame.group_by("clip_id", "outcome").agg(count.alias("votes"))
    clips = {clip: row for row, clip in enumerate(evidence.clip_ids)}
    codes = {name: code for code, name in enumerate(evidence.classes)}
    counts = np.zeros((evidence.n_items, evidence.n_classes))
    for clip, outcome, votes in long.iter_rows():
        counts[clips[clip], codes[outcome]] = votes
    return counts


def _gold(name: str, evidence: Evidence) -> Ints:
    path = DATA / f"{name}.gold.csv"
    truth = dict(pl.read_csv(path, infer_schema=False).iter_rows()) if path.exists() else {}
    codes = {name: code for code, name in enumerate(evidence.classes)}
    return np.array([codes.get(truth.get(clip, ""), -1) for clip in evidence.clip_ids], dtype=np.int64)


def print_peers(sets: list[VoteSet]) -> None:
    """crowd-kit's methods, each as it comes and with our tempering and blend."""
    print("\ncrowd-kit: accuracy/log-loss/calibration error, then the same tempered and blended as ours")
    for votes in sets:
        if votes.votes.is_empty() or not (votes.gold >= 0).any():
            continue
        print(f"{votes.name:24}", end="")
        for name, method in _peers().items():
            if name in SLOW_PEERS and votes.votes.height >= SLOW_FROM:
                print(f"  {name} left out", end="")
                continue
            raw = _peer(method, votes)
            print(
                f"  {name} {_figures(raw, votes.gold)} {_figures(_tempered(raw, votes.counts), votes.gold)}",
                end="",
            )
        print(flush=True)


def _peers() -> dict[str, Callable[[], object]]:
    from crowdkit.aggregation import GLAD, MACE, DawidSkene, OneCoinDawidSkene

    return {
        "DS": lambda: DawidSkene(n_iter=100),
        "one-coin": lambda: OneCoinDawidSkene(n_iter=100),
        "MACE": lambda: MACE(random_state=0),
        "GLAD": lambda: GLAD(),
    }


def _peer(method: Callable[[], object], votes: VoteSet) -> Floats:
    frame = votes.votes.select(task="clip_id", worker="instrument", label="outcome").unique(
        ["task", "worker"]
    )
    table = method().fit_predict_proba(frame.to_pandas())  # type: ignore[attr-defined]
    table = table.reindex(
        index=list(votes.evidence.clip_ids), columns=list(votes.evidence.classes), fill_value=0
    )
    return np.nan_to_num(table.to_numpy())


def _tempered(probabilities: Floats, counts: Floats) -> Floats:
    power = 1 / (1 + np.maximum(counts.sum(axis=1, keepdims=True) - 1, 0) * 0.25)
    flat = np.maximum(probabilities, 1e-12) ** power
    return 0.6 * flat / flat.sum(axis=1, keepdims=True) + 0.4 * smoothed_shares(counts, 1.0)


def _figures(probabilities: Floats, gold: Ints) -> str:
    accuracy = majority_accuracy(probabilities, gold)
    return f"{accuracy:.3f}/{log_loss(probabilities, gold):.3f}/{calibration_error(probabilities, gold):.3f}"


def measure_scale() -> None:
    """Seconds for 200,000 clips, a million votes, 2,000 people and 10 classes."""
    rng = np.random.default_rng(0)
    clips, votes, people, classes = 200_000, 1_000_000, 2_000, 10
    truth, skill = rng.integers(0, classes, clips), rng.beta(6, 3, people)
    clip = np.concatenate([np.arange(clips), rng.integers(0, clips, votes - clips)])
    person = rng.integers(0, people, votes)
    says = np.where(rng.random(votes) < skill[person], truth[clip], rng.integers(0, classes, votes))
    names = [pl.Series(codes).cast(pl.String) for codes in (clip, person, says)]
    frame = pl.DataFrame(dict(zip(("clip_id", "instrument", "outcome"), names, strict=True)))
    started = time.perf_counter()
    evidence = evidence_from_frame(frame, [str(k) for k in range(classes)])
    read = time.perf_counter()
    posterior = fit(evidence)
    done = time.perf_counter()
    gold = truth[np.array(evidence.clip_ids, dtype=np.int64)]
    print(
        f"\n{clips} clips, {votes} votes: read in {read - started:.1f} s, fitted in {done - read:.1f} s;",
        end=" ",
    )
    print(f"accuracy {majority_accuracy(posterior.probabilities, gold):.4f},", end=" ")
    print(f"of the majority {majority_accuracy(evidence.class_votes(), gold):.4f}")


if __name__ == "__main__":
    sys.exit(main())
