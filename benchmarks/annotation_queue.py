"""Does asking about the clips of the queue really beat asking about any? Annotation replayed on real votes.

    python benchmarks/annotation_queue.py                start from one vote a clip
    python benchmarks/annotation_queue.py --start 2
    python benchmarks/annotation_queue.py --scale        how long 200,000 clips take

Of each set, a few votes a clip are known at first and the rest is held back.
Each way of choosing asks for batches of clips; each clip gets one of its
held-back votes, and all are fitted again. Ways: by lot; the clips with the
fewest votes; the largest entropy of the posterior; ours, for each aim; and ours
with clips that have the same answers made worth less (`same_answers`). The
votes are not part of this repository: see `vote_sets.py`. (Not called queue.py:
scripts beside it would import it instead of Python's own module.)
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import entr
from vote_sets import VoteSet, read_sets

from curate.labels import Evidence, fit
from curate.labels.batch import Batch
from curate.labels.evaluate import log_loss, majority_accuracy
from curate.labels.evidence import Floats, Ints
from curate.labels.queue import Aim, next_clips, person_confusion

SETS = {
    "music_genre": 1.5,
    "dog": 3.0,
    "weather_sentiment": 3.0,
    "face_sentiment": 3.0,
    "zencrowd_all": 3.0,
    "snow_rte": 3.0,
}
"""Votes a clip that are asked for in the end."""

N_BATCHES = 8
SEEDS = 8
MEASURES = ("accuracy", "log-loss", "high split at .10", "high split at .05")
COMPARED = (
    ("ours", "by lot", 0),
    ("ours", "fewest votes", 0),
    ("ours", "largest entropy", 0),
    ("ours", "largest entropy", 1),
    ("certificate .10", "by lot", 2),
    ("certificate .10", "fewest votes", 2),
    ("certificate .05", "by lot", 3),
    ("certificate .05", "fewest votes", 3),
)
"""Which ways are compared, and by which measure."""

ERRORS = (0.10, 0.05)
"""Errors that a high split may have."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known before a batch."""

    evidence: Evidence
    probabilities: Floats
    n_votes: Ints
    """Votes of each clip so far, (n_clips,)."""
    done: np.ndarray
    """Clips without a held-back vote, (n_clips,)."""
    size: int


Way = Callable[[State, np.random.Generator], Ints]


def queue(aim: Aim, batch: Batch) -> Way:
    """Our queue."""

    def ask(state: State, rng: np.random.Generator) -> Ints:
        confusion = person_confusion(state.evidence, state.probabilities)
        clips = next_clips(
            state.probabilities,
            confusion,
            state.evidence.classes,
            state.size,
            aim=aim,
            batch=batch,
            already=state.done,
        )
        return clips["clip"].to_numpy()

    return ask


def by_score(score: Callable[[State, np.random.Generator], Floats]) -> Way:
    """The clips with the largest scores, ties by lot."""

    def ask(state: State, rng: np.random.Generator) -> Ints:
        luck = rng.random(len(state.done))
        values = np.where(state.done, -np.inf, score(state, rng))
        return np.lexsort((luck, -values))[: state.size]

    return ask


WAYS: dict[str, Way] = {
    "by lot": by_score(lambda state, rng: rng.random(len(state.done))),
    "fewest votes": by_score(lambda state, rng: -state.n_votes.astype(np.float64)),
    "largest entropy": by_score(lambda state, rng: entr(state.probabilities).sum(axis=1)),
    "ours": queue(Aim(), Batch()),
    "ours, same .9": queue(Aim(), Batch(same_answers=0.9)),
    "ours, same .99": queue(Aim(), Batch(same_answers=0.99)),
    "ours, same 1": queue(Aim(), Batch(same_answers=1.0)),
    "ours, any class": queue(Aim(), Batch(class_excess=1e9)),
    "certificate .10": queue(Aim("certificate", 0.10), Batch()),
    "certificate .05": queue(Aim("certificate", 0.05), Batch()),
}


def main() -> int:
    """Print the tables; 1 if ours does not beat asking by lot."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--start", type=int, default=1, help="votes a clip that are known at first")
    parser.add_argument("--scale", action="store_true", help="measure speed on simulated posteriors")
    asked = parser.parse_args()
    if asked.scale:
        measure_scale()
        return 0
    return compare([votes for votes in read_sets("human") if votes.name in SETS], asked.start)


def compare(sets: list[VoteSet], start: int) -> int:
    """Every way on every set, the same seeds for all."""
    curves = np.zeros((len(sets), len(WAYS), SEEDS, N_BATCHES + 1, 4))
    for row, votes in enumerate(sets):
        for column, way in enumerate(WAYS.values()):
            for seed in range(SEEDS):
                curves[row, column, seed] = replay(votes, way, start, np.random.default_rng(seed))
        print_set(votes.name, curves[row].mean(axis=1))
    print_set("mean of the sets", curves.mean(axis=(0, 2)))
    print("\nmeans over the batches, and twice their standard errors over seeds")
    for one, other, column in COMPARED:
        print_difference(sets, curves[..., 1:, column].mean(axis=3), one, other, column)
    gain, error = difference(curves[..., 1:, 0].mean(axis=3), "ours", "by lot")
    beaten = bool((gain > error).all())
    print(
        "ours beats asking by lot on every set" if beaten else "OURS DOES NOT BEAT ASKING BY LOT EVERYWHERE"
    )
    return int(not beaten)


def difference(means: Floats, one: str, other: str) -> tuple[Floats, Floats]:
    """Mean gain of one way over another, twice its standard error, by set; (n_sets, n_ways, n_seeds)."""
    names = list(WAYS)
    gain = means[:, names.index(one)] - means[:, names.index(other)]
    return gain.mean(axis=1), 2 * gain.std(axis=1, ddof=1) / np.sqrt(gain.shape[1])


def print_difference(sets: list[VoteSet], means: Floats, one: str, other: str, column: int) -> None:
    """One line: each set, then all together."""
    gain, error = difference(means, one, other)
    cells = (f"{votes.name} {g:+.4f} +- {e:.4f}" for votes, g, e in zip(sets, gain, error, strict=True))
    print(f"{MEASURES[column]}, {one} less {other}: {gain.mean():+.4f}", f"({'; '.join(cells)})")


def replay(votes: VoteSet, way: Way, start: int, rng: np.random.Generator) -> Floats:
    """Accuracy, log-loss and oracle's high split at each error, after each batch: (N_BATCHES + 1, 4)."""
    order, place, available = _shuffled(votes.evidence, rng)
    n_votes = np.minimum(start, available)
    size = int(np.ceil(SETS[votes.name] * votes.evidence.n_items / N_BATCHES))
    curve = []
    for step in range(N_BATCHES + 1):
        evidence = votes.evidence.of_rows(np.sort(order[place < n_votes[votes.evidence.item[order]]]))
        probabilities = fit(evidence).probabilities
        curve.append(_scores(probabilities, votes.gold))
        if step < N_BATCHES:
            asked = way(State(evidence, probabilities, n_votes, n_votes >= available, size), rng)
            n_votes = n_votes + np.bincount(asked, minlength=len(n_votes)) * (n_votes < available)
    return np.array(curve)


def _shuffled(evidence: Evidence, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Rows clip by clip in random order, each row's place within its clip, and rows of each clip."""
    order = rng.permutation(len(evidence.item))
    order = order[np.argsort(evidence.item[order], kind="stable")]
    clip = evidence.item[order]
    return (
        order,
        np.arange(len(order)) - np.searchsorted(clip, clip),
        np.bincount(clip, minlength=evidence.n_items),
    )


def _scores(probabilities: Floats, gold: Ints) -> tuple[float, ...]:
    kept = (largest_split(probabilities, gold, error) for error in ERRORS)
    return majority_accuracy(probabilities, gold), log_loss(probabilities, gold), *kept


def largest_split(probabilities: Floats, gold: Ints, error: float) -> float:
    """Share of clips in the largest split by confidence that truly has at most `error` wrong."""
    known = gold >= 0
    ranked = np.argsort(-probabilities[known].max(axis=1), kind="stable")
    wrong = (probabilities[known].argmax(axis=1) != gold[known])[ranked]
    good = np.flatnonzero(np.cumsum(wrong) <= error * np.arange(1, len(wrong) + 1))
    return float((good[-1] + 1) / len(wrong)) if len(good) else 0.0


def print_set(name: str, curves: Floats) -> None:
    """Accuracy at the start and after each batch, then means over the batches: (n_ways, n_steps, 4)."""
    print(f"\n{name}: accuracy at the start and after each batch; then the means after the start of")
    print(f"{'':18}{'':{6 * curves.shape[1]}}  accuracy  log-loss  high split at error .10, .05")
    for way, curve in zip(WAYS, curves, strict=True):
        steps = " ".join(f"{value:.3f}"[1:].rjust(5) for value in curve[:, 0])
        accuracy, loss, tenth, twentieth = curve[1:].mean(axis=0)
        print(f"{way:18}{steps}  {accuracy:8.4f}  {loss:8.3f}  {tenth:.3f} {twentieth:.3f}")


def measure_scale() -> None:
    """Seconds to choose 1,000 of 200,000 clips."""
    rng = np.random.default_rng(0)
    n_clips, n_classes = 200_000, 10
    probabilities = rng.dirichlet(np.full(n_classes, 0.5), n_clips)
    confusion = 0.6 * np.eye(n_classes) + 0.4 / n_classes
    names = tuple(f"class {k}" for k in range(n_classes))
    same = np.repeat(probabilities[:200], n_clips // 200, axis=0)
    looks = rng.normal(size=(n_clips, 64))
    runs = {
        "different answers": lambda: next_clips(probabilities, confusion, names, 1000),
        "200 patterns of answers": lambda: next_clips(same, confusion, names, 1000),
        "certificate": lambda: next_clips(probabilities, confusion, names, 1000, aim=Aim("certificate")),
        "with embeddings": lambda: next_clips(probabilities, confusion, names, 1000, embeddings=looks),
    }
    for name, run in runs.items():
        started = time.perf_counter()
        run()
        print(f"1,000 of {n_clips:,} clips, {name}: {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
