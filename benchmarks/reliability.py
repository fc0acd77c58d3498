"""Is a wrong given label found, and found by us rather than by others?

    python benchmarks/reliability.py             three draws of every set
    python benchmarks/reliability.py --draws 1   a quick look

On every set of people's votes with truth, one vote a clip, drawn at random,
plays the given label, and up to `OTHERS` of the others are the evidence.
Every method gives each given label a number that should be low where it is
wrong; the table has the area under the curve (AUROC) for wrong given labels.

CROWDLAB and confident learning ask for a classifier's probabilities: on
cifar10h they get those of a real classifier, and so do we; elsewhere the share
of the other votes, smoothed by one vote. Beside each mean stands its difference
to ours, with a 95 % interval by drawing families of sets again and again.
"""

import argparse
import functools
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from classifier import fit_with_classifier, tempered
from cleanlab.rank import get_label_quality_scores
from crowdkit.aggregation import GLAD, DawidSkene
from vote_sets import CIRCULAR, DATA, VoteSet, read_sets

from curate.labels import Evidence, evidence_from_frame, fit
from curate.labels.cross_check import cross_check, without_given
from curate.labels.evaluate import auroc
from curate.labels.evidence import Floats, Ints
from curate.labels.reliability import given_codes, reliability
from curate.labels.start import smoothed_shares

MOST_CLIPS = 1_000
"""Clips drawn from each set in each draw: some peers take minutes beyond it."""

OTHERS = 4
"""Votes kept beside the given one where a set has only tallies, and hence no people."""

LEFT_OUT = (CIRCULAR, "adult_all")
"""Truth that is the votes' own majority; and a set that holds another one."""


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One set with one vote a clip as given label."""

    evidence: Evidence
    frame: pl.DataFrame
    """clip_id, instrument, kind, outcome; the given labels are those of the instrument "given"."""
    given: Ints
    gold: Ints
    classifier: Floats
    """Probabilities for the methods that ask for them: (n_clips, n_classes)."""
    real: bool
    """Whether they are those of a real classifier."""


Method = Callable[[Draw], Floats]


def main() -> int:
    """Print one line a set, then means and differences."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="names of sets")
    parser.add_argument("--without", nargs="*", default=[], help="names of methods")
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if not DATA.is_dir():
        print(f"no test data at {DATA}: set CURATE_TEST_DATA")
        return 1
    methods = {name: method for name, method in METHODS.items() if name not in asked.without}
    print(f"{'set':20} {'wrong':>6} " + " ".join(f"{name:>12}" for name in methods) + "      s")
    rows, families = [], []
    for votes in read_sets("human"):
        if votes.name in LEFT_OUT or not (votes.gold >= 0).any():
            continue
        if asked.only and votes.name not in asked.only:
            continue
        rows.append(measure(votes, methods, asked.draws))
        families.append(votes.family)
    conclude(np.array(rows), families, list(methods))
    return 0


def measure(votes: VoteSet, methods: dict[str, Method], draws: int) -> list[float]:
    """Mean AUROC of every method over the draws."""
    started = time.perf_counter()
    values, wrong = [], []
    for number in range(draws):
        one = draw(votes, np.random.default_rng(number))
        known = one.gold >= 0
        error = (one.given != one.gold)[known]
        wrong.append(error.mean())
        values.append([auroc(-method(one)[known], error) for method in methods.values()])
    mean = np.mean(values, axis=0)
    print(f"{votes.name:20} {np.mean(wrong):6.3f} " + " ".join(f"{value:12.4f}" for value in mean), end=" ")
    print(f"{time.perf_counter() - started:6.1f}", flush=True)
    return mean.tolist()


def conclude(values: Floats, families: list[str], names: list[str]) -> None:
    """Means over sets, and how far every method is from ours, with an interval over families."""
    rng = np.random.default_rng(0)
    kept = sorted(set(families))
    members = [np.flatnonzero([family == name for family in families]) for name in kept]
    print(f"{'mean':20} {'':6} " + " ".join(f"{value:12.4f}" for value in values.mean(axis=0)))
    print("\nours less the other, mean over sets [95 % interval over families of sets]")
    for column, name in enumerate(names[1:], start=1):
        ahead = values[:, 0] - values[:, column]
        means = []
        for _ in range(2_000):
            chosen = np.concatenate([members[i] for i in rng.integers(0, len(kept), len(kept))])
            means.append(ahead[chosen].mean())
        low, high = np.quantile(means, [0.025, 0.975])
        wins = f"ahead on {(ahead > 0).sum()} of {len(ahead)}"
        print(f"{name:20} {ahead.mean():+.4f} [{low:+.4f}, {high:+.4f}]  {wins}")


def draw(votes: VoteSet, rng: np.random.Generator) -> Draw:
    """Clips at random, one vote of each as given label, and the rest as evidence."""
    clips = np.array(votes.evidence.clip_ids)
    clips = np.sort(rng.choice(clips, min(MOST_CLIPS, len(clips)), replace=False))
    frame = _from_tallies(votes, clips, rng) if votes.tallied else _from_people(votes, clips)
    place = pl.Series("place", rng.permutation(frame.height))
    frame = frame.with_columns(place).with_columns(
        is_given=pl.col("place") == pl.col("place").min().over("clip_id")
    )
    frame = frame.select(
        "clip_id",
        "outcome",
        instrument=pl.when("is_given").then(pl.lit("given")).otherwise("instrument"),
        kind=pl.when("is_given").then(pl.lit("given")).otherwise(pl.lit("human")),
    )
    evidence = evidence_from_frame(frame, votes.evidence.classes, ordinal=votes.evidence.ordinal)
    gold = dict(zip(votes.evidence.clip_ids, votes.gold.tolist(), strict=True))
    return Draw(
        evidence=evidence,
        frame=frame,
        given=given_codes(evidence),
        gold=np.array([gold[clip] for clip in evidence.clip_ids], dtype=np.int64),
        classifier=_classifier(votes, evidence),
        real=votes.name == "cifar10h",
    )


def _from_people(votes: VoteSet, clips: np.ndarray) -> pl.DataFrame:
    """The votes on some clips, the first one of each person on each clip."""
    return (
        votes.frame.filter(pl.col("clip_id").is_in(clips.tolist()))
        .unique(["clip_id", "instrument"], keep="first", maintain_order=True)
        .select("clip_id", "instrument", "outcome")
        .sort("clip_id", "instrument")
    )


def _from_tallies(votes: VoteSet, clips: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """At most `OTHERS` + 1 votes a clip, by people who are only known by number."""
    row = {clip: index for index, clip in enumerate(votes.evidence.clip_ids)}
    rows = []
    for clip in clips:
        counts = votes.counts[row[clip]].astype(np.int64)
        cast = rng.permutation(np.repeat(np.arange(len(counts)), counts))[: OTHERS + 1]
        rows += [(clip, f"person {n}", votes.evidence.classes[code]) for n, code in enumerate(cast)]
    return pl.DataFrame(rows, schema=["clip_id", "instrument", "outcome"], orient="row")


def _classifier(votes: VoteSet, evidence: Evidence) -> Floats:
    """A real classifier's probabilities where there is one, else the smoothed share of the other votes."""
    if votes.name != "cifar10h":
        return smoothed_shares(without_given(evidence).class_votes(), 1.0)
    table = pl.read_parquet(DATA / "cifar10h.probs.parquet")
    known = dict(zip(table["clip_id"], table["probs"], strict=True))
    probabilities = np.array([known[clip].to_list() for clip in evidence.clip_ids], dtype=np.float64)
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def _ours(one: Draw) -> Floats:
    if one.real:
        return reliability(fit_with_classifier(one.evidence, np.log(one.classifier)), one.given)
    return reliability(fit(one.evidence).probabilities, one.given)


def _ours_votes(one: Draw) -> Floats:
    """Ours without the classifier."""
    return reliability(fit(one.evidence).probabilities, one.given)


def _crowdlab(one: Draw) -> Floats:
    checked = cross_check(one.evidence, one.classifier, one.given, one.classifier)
    return checked.table["crowdlab_given_quality"].to_numpy()


def _confident_learning(one: Draw) -> Floats:
    return np.asarray(get_label_quality_scores(one.given, one.classifier))


@functools.lru_cache(maxsize=1)
def _glad_posterior(one: Draw) -> Floats:
    return _crowdkit(one, GLAD())


def _crowdkit(one: Draw, method: object) -> Floats:
    table = one.frame.select(task="clip_id", worker="instrument", label="outcome").to_pandas()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = method.fit_predict_proba(table)  # type: ignore[attr-defined]
    order = {"index": list(one.evidence.clip_ids), "columns": list(one.evidence.classes)}
    return np.nan_to_num(found.reindex(**order, fill_value=0).to_numpy())


def _glad(one: Draw) -> Floats:
    return reliability(_glad_posterior(one), one.given)


def _tempered_ds(one: Draw) -> Floats:
    return reliability(tempered(_crowdkit(one, DawidSkene(n_iter=100)), one.evidence), one.given)


def _tempered_glad(one: Draw) -> Floats:
    return reliability(tempered(_glad_posterior(one), one.evidence), one.given)


def _majority(one: Draw) -> Floats:
    """Share of all votes, the given one included, that agree with the given label."""
    return reliability(smoothed_shares(one.evidence.class_votes(), 1.0), one.given)


METHODS: dict[str, Method] = {
    "ours": _ours,
    "ours, votes": _ours_votes,
    "CROWDLAB": _crowdlab,
    "conf. learn.": _confident_learning,
    "GLAD": _glad,
    "GLAD temp.": _tempered_glad,
    "DS temp.": _tempered_ds,
    "share": _majority,
}

if __name__ == "__main__":
    sys.exit(main())
