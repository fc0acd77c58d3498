"""Which clips to have checked, so that as many labels as possible can be certified.

The plan may use anything that is known; the proof rests only on the last draw,
which is uniform over a set that was fixed before it. Gold from before, however it
came, helps to choose that set and counts as known.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.labels.evidence import Floats, Ints
from curate.labels.gold_plan import Ranking, plan_sizes

EXPLORING = (0.06, 0.06, 0.06, 0.06)
"""Share of the budget of each round that only looks where the boundary may be; the rest proves."""
EXPLORING_GROUPS = 0.1
"""Share of whole groups that only looks: each has many clips, and the proof needs groups."""
REACH = 0.85
"""Later rounds explore up to this share of the planned set; were that too large, the rest would be wasted."""


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """How the gold that is to prove something was drawn, and what it is to prove."""

    score: Floats
    """The ranking as it was before the draw, nan for clips without a label: (n_clips,)."""
    clips: Ints
    """Rows of the drawn clips, in random order: (n_drawn,)."""
    pool: NDArray[np.bool_]
    """Clips that could be drawn, each with the same probability: (n_clips,)."""
    thresholds: Floats
    """Scores from which on a clip is in each set to be tested, in that order, falling: (n_sets,)."""
    groups: Ints | None = None
    """Set if whole groups were drawn: the group of each clip, (n_clips,)."""
    assumed: bool = False
    """Whether that the draw was random is only an assumption."""

    @property
    def inclusion(self) -> Floats:
        """Probability that a clip (or its group) was drawn: (n_clips,)."""
        units = np.arange(len(self.pool)) if self.groups is None else self.groups
        n_drawn, n_units = len(np.unique(units[self.clips])), len(np.unique(units[self.pool]))
        return np.where(self.pool, n_drawn / max(n_units, 1), 0.0)


def schedule(budget: int) -> tuple[int, ...]:
    """Labels to ask for in each round: some rounds that explore, then one that proves.

    Args:
        budget: Gold labels in all, at least 0.
    """
    exploring = tuple(int(share * budget) for share in EXPLORING)
    return (*exploring, budget - sum(exploring))


def draw_to_explore(
    score: Floats,
    wrong: Ints,
    n_labels: int,
    n_later: int,
    epsilon: float,
    delta: float,
    rng: np.random.Generator,
) -> Ints:
    """Clips to check first, to find where the error passes epsilon. They prove nothing by themselves.

    Args:
        score: P(label is right), nan for clips without a label: (n_clips,).
        wrong: 1 where gold says the label is wrong, 0 where it says it is right,
            -1 without gold: (n_clips,).
        n_labels: Clips wanted.
        n_later: Labels that can be bought afterwards.
        epsilon: Share of errors that will be allowed.
        delta: Probability with which the certificate may be wrong.
        rng: Draws.

    Returns:
        Rows, evenly spread over the ranking: over all of it if there is no gold
        yet, otherwise over most of the set that would be tested now. Fewer than
        `n_labels` if there are not so many clips without gold.
    """
    rows, ranking = _ranking(score, wrong)
    places = np.flatnonzero(ranking.wrong < 0)
    n_labels = min(n_labels, len(places))
    if len(places) < len(rows):
        sizes = plan_sizes(ranking, n_later, epsilon, delta, rng)
        places = places[: max(n_labels, int((places < REACH * sizes[-1]).sum()))]
    pool = rows[places]
    edges = np.linspace(0, len(pool), n_labels + 1).astype(np.int64)
    drawn: Ints = pool[(edges[:-1] + rng.random(n_labels) * np.diff(edges)).astype(np.int64)]
    return drawn


def draw_to_certify(
    score: Floats, wrong: Ints, n_labels: int, epsilon: float, delta: float, rng: np.random.Generator
) -> Draw:
    """Clips to check that will prove the error of the set small, or not.

    Args:
        score: P(label is right), nan for clips without a label: (n_clips,).
        wrong: 1, 0 or -1 for wrong, right and without gold: (n_clips,). That
            gold may have come in any way, also by looking at the labels.
        n_labels: Clips wanted.
        epsilon: Share of errors that will be allowed.
        delta: Probability with which the certificate may be wrong.
        rng: Draws.

    Returns:
        A uniform draw among the clips without gold of the largest set that is
        worth testing. Once drawn, each of them must be checked.
    """
    rows, ranking = _ranking(score, wrong)
    sizes = plan_sizes(ranking, n_labels, epsilon, delta, rng)
    pool = np.zeros(len(score), dtype=bool)
    reach = sizes[-1] if len(sizes) else 0
    pool[rows[:reach][ranking.wrong[:reach] < 0]] = True
    clips = rng.permutation(np.flatnonzero(pool))[:n_labels]
    return Draw(score, clips, pool, score[rows[sizes - 1]])


def draw_at_random(
    score: Floats,
    wrong: Ints,
    epsilon: float,
    delta: float,
    rng: np.random.Generator,
    *,
    groups: Ints | None = None,
    assumed: bool = False,
) -> Draw:
    """Make gold that was drawn at random from all clips, or whole groups of them, ready to prove something.

    A random part of it chooses the sets to test, the rest proves.

    Args:
        score: P(label is right), nan for clips without a label: (n_clips,).
        wrong: 1, 0 or -1 for wrong, right and without gold: (n_clips,). Every
            clip with a score must have had the same chance of getting gold.
        epsilon: Share of errors that will be allowed.
        delta: Probability with which the certificate may be wrong.
        rng: Splits the gold in two.
        groups: If given, whole groups (subjects, source videos) were drawn
            instead, each with the same chance: (n_clips,). Not needed where
            clips were drawn one by one: that test is exact however they group.
        assumed: Whether that the draw was random is only an assumption; the
            certificate then says so.
    """
    rows, _ = _ranking(score, wrong)
    units = np.arange(len(score)) if groups is None else groups
    gold = rows[wrong[rows] >= 0]
    drawn = rng.permutation(np.unique(units[gold]))
    share = sum(EXPLORING) if groups is None else EXPLORING_GROUPS
    exploring, proving = np.split(drawn, [int(share * len(drawn))])
    labelled = np.isfinite(score)
    pool = labelled & ~np.isin(units, exploring)
    _, ranking = _ranking(score, np.where(pool, -1, wrong))
    n_proving = int(np.isin(units[gold], proving).sum())
    sizes = plan_sizes(ranking, n_proving, epsilon, delta, rng, everywhere=True)
    place = {unit: position for position, unit in enumerate(proving.tolist())}
    clips = np.flatnonzero(labelled & np.isin(units, proving))
    clips = np.array(sorted(clips.tolist(), key=lambda row: place[units[row]]), dtype=np.int64)
    return Draw(score, clips, pool, score[rows[sizes - 1]], groups, assumed)


def _ranking(score: Floats, wrong: Ints) -> tuple[Ints, Ranking]:
    """Rows with a score, surest first, and what is known of them in that order."""
    labelled = np.flatnonzero(np.isfinite(score))
    rows = labelled[np.argsort(-score[labelled], kind="stable")]
    ordered = score[rows]
    ends = np.flatnonzero(np.r_[ordered[1:] < ordered[:-1], True][: len(rows)]) + 1
    return rows, Ranking(1 - ordered, wrong[rows], ends)
