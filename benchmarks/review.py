"""Review: what a person's time brings, and whether what they decide tells of all clips.

    python benchmarks/review.py [--clips N]

On real votes with known truth (test data folder), after all votes are in. Clips get durations drawn at
random (lognormal, median 8 s). A reviewer looks at N clips, is right 95 times of 100, and what they say is
kept as gold; then everything is refined again.

First table: right labels gained an hour of looking, all clips counted, by what was handed out: the choice
of `curate review export`, the same without regard to time, the largest entropy, by lot. Means over seeds.

Second table: the share of right labels as it is estimated from all that was decided, and from what was
drawn at random alone: mean error, and how often the 95 % interval holds the truth.

Exits with 1 if the choice brings less an hour than by lot on the mean of the sets, or if the intervals
from the draw hold less than 90 % of the time.
"""

import argparse
import sys
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import entr
from vote_sets import VoteSet, read_sets

from curate.labels.evidence import Floats, Ints
from curate.labels.refine import Labels, refine
from curate.show.review.choose import Candidates, Wish, choose, expected_look_s, is_drawn, reviewer_confusion

SETS = (
    "bluebirds",
    "dog",
    "face_sentiment",
    "weather_sentiment",
    "music_genre",
    "zencrowd_all",
    "snow_rte",
    "adult",
)
SEEDS = 3
ESTIMATES = 12
"""Seeds of the second table."""
RIGHT = 0.95
CONTROL = 0.3
MEDIAN_S, SPREAD = 8.0, 0.8
NOTHING = np.zeros(0)
WAYS = ("ours", "ours, time aside", "largest entropy", "by lot")


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One set as one seed has it; its clips go by other ids, so that another share of them is drawn."""

    votes: VoteSet
    ids: tuple[str, ...]
    look_s: Floats
    said: Ints
    """What the reviewer would say of each clip, (n_clips,)."""


def main() -> int:
    """Print both tables; 1 if one of them is not as it should be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=60, help="clips that the reviewer looks at")
    n_clips = parser.parse_args().clips
    sets = [votes for votes in read_sets("human") if votes.name in SETS]
    return int(gains(sets, n_clips) | estimates(sets, n_clips))


def gains(sets: list[VoteSet], n_clips: int) -> bool:
    """The first table; whether ours brings less than by lot."""
    print(f"right labels gained an hour of looking, {n_clips} clips, {SEEDS} seeds")
    print(f"{'set':20}{''.join(f'{way:>18}' for way in WAYS)}")
    table = np.array([[_gains(votes, n_clips, seed) for seed in range(SEEDS)] for votes in sets]).mean(axis=1)
    for votes, row in zip(sets, table, strict=True):
        print(f"{votes.name:20}{''.join(f'{value:18.1f}' for value in row)}")
    mean = table.mean(axis=0)
    print(f"{'mean':20}{''.join(f'{value:18.1f}' for value in mean)}")
    return bool(mean[0] <= mean[WAYS.index("by lot")])


def _gains(votes: VoteSet, n_clips: int, seed: int) -> list[float]:
    drawn, rng = _drawn(votes, seed), np.random.default_rng(seed)
    before = refine(votes.evidence, votes.evidence.classes)
    posterior = _posterior(before)
    chosen = {
        "ours": _ours(drawn, posterior, drawn.look_s, n_clips),
        "ours, time aside": _ours(drawn, posterior, np.ones(len(drawn.ids)), n_clips),
        "largest entropy": np.argsort(-entr(posterior).sum(axis=1), kind="stable")[:n_clips],
        "by lot": rng.permutation(len(drawn.ids))[:n_clips],
    }
    right = _right(before, votes)
    return [
        (_right(_refined(drawn, rows), votes) - right) / (drawn.look_s[rows].sum() / 3600)
        for rows in (chosen[way] for way in WAYS)
    ]


def estimates(sets: list[VoteSet], n_clips: int) -> bool:
    """The second table; whether the draw's intervals hold too seldom."""
    print(f"\nshare of right labels, by {n_clips} decisions, {CONTROL:.0%} of them drawn, {ESTIMATES} seeds")
    print(f"{'set':20}{'all: error':>14}{'covered':>10}{'drawn: error':>16}{'covered':>10}")
    rows = np.array([[_estimated(votes, n_clips, seed) for seed in range(ESTIMATES)] for votes in sets])
    table = rows.mean(axis=1)
    for votes, (all_error, all_holds, error, holds) in zip(sets, table, strict=True):
        print(f"{votes.name:20}{all_error:+14.3f}{all_holds:10.2f}{error:+16.3f}{holds:10.2f}")
    all_error, all_holds, error, holds = table.mean(axis=0)
    print(f"{'mean':20}{all_error:+14.3f}{all_holds:10.2f}{error:+16.3f}{holds:10.2f}")
    return bool(holds < 0.9)


def _estimated(votes: VoteSet, n_clips: int, seed: int) -> list[float]:
    """Error and whether the interval holds: from all decisions, from those that were drawn."""
    drawn = _drawn(votes, seed)
    posterior = _posterior(refine(votes.evidence, votes.evidence.classes))
    candidates = _candidates(drawn, posterior, drawn.look_s)
    choice = choose(candidates, Wish(n_clips, CONTROL))
    place = {clip_id: row for row, clip_id in enumerate(drawn.ids)}
    rows = np.array([place[clip_id] for clip_id in choice.table["clip_id"]])
    at_random = [is_drawn(drawn.ids[row], choice.drawn_through) for row in rows]
    found = []
    for told in ([None] * len(rows), at_random):
        quality = _refined(drawn, rows, told).quality
        assert quality is not None
        # What is estimated is of labels as they are without each clip's own gold: nearly those of before.
        truth = _right(refine(votes.evidence, votes.evidence.classes), votes) / (votes.gold >= 0).sum()
        holds = quality.refined.low <= truth <= quality.refined.high
        found += [quality.refined.value - truth, float(holds)]
    return found


def _drawn(votes: VoteSet, seed: int) -> Drawn:
    rng = np.random.default_rng(seed)
    n = len(votes.evidence.clip_ids)
    duration_s = MEDIAN_S * np.exp(SPREAD * rng.standard_normal(n))
    n_classes = votes.evidence.n_classes
    others = (votes.gold + rng.integers(1, n_classes, n)) % n_classes
    said = np.where(rng.random(n) < RIGHT, votes.gold, others)
    ids = tuple(f"{seed} {clip_id}" for clip_id in votes.evidence.clip_ids)
    return Drawn(votes, ids, expected_look_s(duration_s, NOTHING, NOTHING), said)


def _candidates(drawn: Drawn, posterior: Floats, look_s: Floats) -> Candidates:
    classes = drawn.votes.evidence.classes
    n = len(drawn.ids)
    return Candidates(
        clip_ids=drawn.ids,
        classes=classes,
        posterior=posterior,
        confusion=reviewer_confusion(len(classes)),
        labels=np.full(n, -1),
        look_s=look_s,
        known=drawn.votes.gold < 0,
    )


def _ours(drawn: Drawn, posterior: Floats, look_s: Floats, n_clips: int) -> Ints:
    table = choose(_candidates(drawn, posterior, look_s), Wish(n_clips, control=0)).table
    place = {clip_id: row for row, clip_id in enumerate(drawn.ids)}
    return np.array([place[clip_id] for clip_id in table["clip_id"]])


def _refined(drawn: Drawn, rows: Ints, at_random: list[bool | None] | None = None) -> Labels:
    """Refined again, with what the reviewer said of some clips."""
    rows = rows[drawn.votes.gold[rows] >= 0] if at_random is None else rows
    evidence = drawn.votes.evidence
    gold = pl.DataFrame(
        {
            "clip_id": [evidence.clip_ids[row] for row in rows],
            "label": [evidence.classes[drawn.said[row]] for row in rows],
            "at_random": pl.Series([None] * len(rows) if at_random is None else at_random, dtype=pl.Boolean),
        }
    )
    return refine(evidence, evidence.classes, gold=gold)


def _posterior(labels: Labels) -> Floats:
    return np.array(labels.table["posterior"].to_list())


def _right(labels: Labels, votes: VoteSet) -> int:
    known = votes.gold >= 0
    return int((_posterior(labels).argmax(axis=1) == votes.gold)[known].sum())


if __name__ == "__main__":
    sys.exit(main())
