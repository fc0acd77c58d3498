"""What does a classifier add to people's votes, and what if it is too sure, or poor?

    python benchmarks/classifier.py             CIFAR-10H, CROWDLAB beside ours
    python benchmarks/classifier.py --clips 2000   a quick look

Votes of simulated people on real pictures: an honest one votes as one of the
real voters on the picture did, a spammer at random. The classifier is real
too: probabilities out of fold, as they are, and then made over-confident
(cubed), under-confident (cube roots), poor and sure (squared, and moved to
another class on 38 % of the pictures: at random, or always to the next class),
useless (those of another picture) and blind (its dogs are called cats).
Votes and probabilities are never tuned on the truth.
"""

import argparse
import os
import platform
import sys
import time
import warnings
from dataclasses import dataclass

import numpy as np
import polars as pl
from cleanlab.internal.multiannotator_utils import find_best_temp_scaler, temp_scale_pred_probs
from cleanlab.multiannotator import get_label_quality_multiannotator
from vote_sets import DATA

from curate.labels import Evidence, evidence_from_frame, fit
from curate.labels.evaluate import accuracy, calibration_error, log_loss
from curate.labels.evidence import Floats, Ints
from curate.labels.start import smoothed_shares

SPAM = (0.05, 0.3, 0.5)
"""Shares of spammers."""

PEOPLE = 100
MOVED = 0.38
"""Share of pictures that the poor classifier gets wrong beside its own mistakes."""

CAT, DOG = 3, 5


def tempered(probabilities: Floats, evidence: Evidence) -> Floats:
    """Powered down and blended with the votes' shares, as benchmarks/aggregation.py does with peers."""
    counts = evidence.class_votes()
    power = 1 / (1 + np.maximum(counts.sum(axis=1, keepdims=True) - 1, 0) * 0.25)
    flat = np.maximum(probabilities, 1e-12) ** power
    return 0.6 * flat / flat.sum(axis=1, keepdims=True) + 0.4 * smoothed_shares(counts, 1.0)


@dataclass(frozen=True, slots=True)
class Pictures:
    """The real part: who said what about each picture, what the classifier says, and the truth."""

    names: list[str]
    shares: Floats
    """Of the real votes: (n_clips, n_classes)."""
    probabilities: Floats
    gold: Ints


def main() -> int:
    """Print the tables that were asked for; 1 if CROWDLAB is ahead anywhere beyond luck."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--votes", type=int, nargs=2, default=[1, 5], help="fewest and most votes a clip")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--spam", type=float, nargs="*", default=list(SPAM))
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if not DATA.is_dir():
        print(f"no test data at {DATA}: set CURATE_TEST_DATA")
        return 1
    pictures = read_pictures(asked.clips, np.random.default_rng(asked.seed))
    print(f"{asked.clips} clips, {PEOPLE} people, {asked.votes[0]} to {asked.votes[1]} votes a clip")
    print("accuracy / calibration error / log-loss; CROWDLAB: as it is, with its own calibration of the")
    print("classifier, and powered down and blended as ours was; its log-loss is of its whole posterior")
    behind = [
        name
        for spam in asked.spam
        for name in compare(pictures, spam, (asked.votes[0], asked.votes[1]), asked.seed)
    ]
    print(f"\nCROWDLAB ahead in calibration, or in accuracy beyond luck: {', '.join(behind) or 'nowhere'}")
    return int(bool(behind))


def read_pictures(n_clips: int, rng: np.random.Generator) -> Pictures:
    """CIFAR-10H, or some of it at random."""
    counts = pl.read_csv(DATA / "cifar10h.counts.csv.gz", schema_overrides={"clip_id": pl.String})
    table = counts.join(pl.read_parquet(DATA / "cifar10h.probs.parquet"), on="clip_id").join(
        pl.read_csv(DATA / "cifar10h.gold.csv", infer_schema=False), on="clip_id"
    )
    classes = counts.columns[1:]
    chosen = np.sort(rng.choice(table.height, min(n_clips, table.height), replace=False))
    table = table[chosen]
    votes = table.select(classes).to_numpy().astype(np.float64)
    probabilities = np.array(table["probs"].to_list(), dtype=np.float64)
    return Pictures(
        names=table["clip_id"].to_list(),
        shares=votes / votes.sum(axis=1, keepdims=True),
        probabilities=probabilities / probabilities.sum(axis=1, keepdims=True),
        gold=np.array([classes.index(label) for label in table["gold"]], dtype=np.int64),
    )


def compare(pictures: Pictures, spam: float, votes: tuple[int, int], seed: int) -> list[str]:
    """One line for every classifier; the names of those with which CROWDLAB is ahead."""
    labels = cast_votes(pictures, spam, votes, np.random.default_rng(seed))
    evidence = _evidence(labels, pictures.shares.shape[1])
    gold, behind = pictures.gold, []
    alone = fit(evidence).probabilities
    print(f"\nspam {spam:g}: votes alone {_figures(alone, gold)}")
    print(
        f"{'classifier':16} {'alone':>17} {'ours':>17} {'CROWDLAB':>17} {'calibrated':>17} {'blended':>17}",
        end="",
    )
    print(f" {'s ours':>6} {'s CROWDLAB':>10}")
    for name, probabilities in reshaped(pictures, np.random.default_rng(seed + 1)).items():
        started = time.perf_counter()
        ours = fit(_evidence(labels, pictures.shares.shape[1], probabilities)).probabilities
        halfway = time.perf_counter()
        theirs = crowdlab(labels, probabilities, calibrate=False)
        done = time.perf_counter()
        calibrated = crowdlab(labels, probabilities, calibrate=True)
        found = (probabilities, ours, theirs, calibrated, tempered(theirs, evidence))
        print(f"{name:16} " + " ".join(_figures(one, gold) for one in found), end="")
        print(f" {halfway - started:6.1f} {done - halfway:10.1f}", flush=True)
        if _behind(ours, theirs, gold):
            behind.append(f"{name} at {spam:g}")
    return behind


def _behind(ours: Floats, theirs: Floats, gold: Ints) -> bool:
    """Whether ours is worse in calibration, or in accuracy by more than luck explains.

    Luck is two standard deviations of the number of clips that only one of
    both has right, if each such clip were decided by lot (McNemar's test).
    """
    mine, other = (found.argmax(axis=1) == gold for found in (ours, theirs))
    won, lost = int((mine & ~other).sum()), int((~mine & other).sum())
    return lost - won > 2 * np.sqrt(lost + won) or calibration_error(ours, gold) > calibration_error(
        theirs, gold
    )


def cast_votes(pictures: Pictures, spam: float, votes: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Simulated votes, nan where a person did not see the clip: (n_clips, n_people)."""
    n_clips, n_classes = pictures.shares.shape
    spams = rng.random(PEOPLE) < spam
    labels = np.full((n_clips, PEOPLE), np.nan)
    for clip, n_votes in enumerate(rng.integers(votes[0], votes[1] + 1, n_clips)):
        people = rng.choice(PEOPLE, n_votes, replace=False)
        honest = rng.choice(n_classes, n_votes, p=pictures.shares[clip])
        labels[clip, people] = np.where(spams[people], rng.integers(0, n_classes, n_votes), honest)
    return labels


def reshaped(pictures: Pictures, rng: np.random.Generator) -> dict[str, Floats]:
    """The classifier as it is, and spoiled in the ways of the module's docstring."""
    q = pictures.probabilities
    n_clips, n_classes = q.shape
    moved = rng.random(n_clips) < MOVED
    steps = np.where(moved, rng.integers(1, n_classes, n_clips), 0)
    astray = np.take_along_axis(q, (np.arange(n_classes) - steps[:, None]) % n_classes, axis=1)
    blind = q**3
    blind[:, CAT] += blind[:, DOG]
    blind[:, DOG] *= 1e-3
    spoiled = {
        "as it is": q,
        "over-confident": q**3,
        "under-confident": np.cbrt(q),
        "poor, at random": astray**2,
        "poor, next class": np.where(moved[:, None], np.roll(q, 1, axis=1), q) ** 2,
        "useless": q[rng.permutation(n_clips)] ** 3,
        "blind": blind,
    }
    return {
        name: np.maximum(p, 1e-30) / np.maximum(p, 1e-30).sum(axis=1, keepdims=True)
        for name, p in spoiled.items()
    }


def crowdlab(labels: Floats, probabilities: Floats, calibrate: bool) -> Floats:
    """CROWDLAB's whole posterior, of which cleanlab gives only the largest entry: (n_clips, n_classes).

    Goh et al. (2022), CROWDLAB, section 4, https://arxiv.org/abs/2210.06812: a
    weighted mean of the classifier's probabilities and of what each vote says.
    It cannot be run where no clip has two votes: there the classifier stands for it.
    """
    if (~np.isnan(labels)).sum(axis=1).max() < 2:
        return probabilities
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = get_label_quality_multiannotator(
            labels,
            probabilities,
            calibrate_probs=calibrate,
            verbose=False,
            return_detailed_quality=False,
            return_annotator_stats=False,
            return_weights=True,
        )
        if calibrate:
            temperature = find_best_temp_scaler(labels, probabilities)
            probabilities = temp_scale_pred_probs(probabilities, temperature)
    table, n_classes = found["label_quality"], probabilities.shape[1]
    many = (table["num_annotations"] != 1).to_numpy()
    likelihood = float(table["annotator_agreement"].to_numpy()[many].mean())
    weights, own = np.asarray(found["annotator_weight"]), float(found["model_weight"])
    posterior = own * probabilities
    for code in range(n_classes):
        said = np.where(labels == code, likelihood, (1 - likelihood) / (n_classes - 1))
        posterior[:, code] += np.where(np.isnan(labels), 0.0, said) @ weights
    return np.asarray(posterior / posterior.sum(axis=1, keepdims=True))


def _evidence(labels: Floats, n_classes: int, probabilities: Floats | None = None) -> Evidence:
    clip, person = np.nonzero(~np.isnan(labels))
    frame = pl.DataFrame(
        {
            "clip_id": [f"{number:05}" for number in clip],
            "instrument": [f"person {number:03}" for number in person],
            "outcome": [str(int(code)) for code in labels[clip, person]],
            "kind": "human",
        }
    )
    if probabilities is not None:
        judged = pl.DataFrame(
            {
                "clip_id": [f"{number:05}" for number in range(len(probabilities))],
                "instrument": "classifier",
                "probs": probabilities.tolist(),
                "kind": "model",
            }
        )
        frame = pl.concat([frame, judged], how="diagonal")
    return evidence_from_frame(frame, [str(code) for code in range(n_classes)])


def _figures(probabilities: Floats, gold: Ints) -> str:
    ece = calibration_error(probabilities, gold)
    return (
        f"{accuracy(probabilities.argmax(axis=1), gold):.4f}/{ece:.3f}/{log_loss(probabilities, gold):5.3f}"
    )


if __name__ == "__main__":
    sys.exit(main())
