"""What a person should look at next: where a minute of theirs is worth most, and a random share beside it.

The random share is the beginning of a fixed order of all clips, by a hash of their ids. Each choice goes on
where the last one ended; a clip that was decided for another reason, or came with gold, counts where its turn
comes. So the clips up to that place are a random sample of all, however the rest was chosen.
"""

import hashlib
import heapq
from dataclasses import dataclass, field
from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.labels.batch import Batch
from curate.labels.evidence import Floats, Ints
from curate.labels.queue import Aim, next_clips

LOOK_S = 8.0
"""What a decision takes beside watching the clip, until enough of them were timed."""
ENOUGH_TIMED = 10
"""Timed decisions from which on their median counts instead."""
REVIEWER = 0.95
"""How often a reviewer is expected to be right; decides which clips are worth a look, and nothing else."""
GROUP_EXCESS = 2.0
"""A subject may fill so many times an even share of what is chosen."""
_MINUTE_S = 60.0
_COLUMNS = {
    "rank": pl.Int64,
    "clip_id": pl.String,
    "purpose": pl.String,
    "gain_per_minute": pl.Float64,
    "look_s": pl.Float64,
    "reason": pl.String,
}
_DRAWN = "drawn at random, so that what is decided tells of all clips"


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """All clips of a run, and what is known of them; rows are clips."""

    clip_ids: tuple[str, ...]
    classes: tuple[str, ...]
    posterior: Floats
    """(n_clips, n_classes)."""
    confusion: Floats
    """P(a person says l | class k): row l, column k, (n_classes, n_classes)."""
    labels: Ints
    """Class of the given label, -1 without: (n_clips,)."""
    look_s: Floats
    """What a look is expected to take: (n_clips,)."""
    known: NDArray[np.bool_]
    """Clips that nobody needs to look at again: (n_clips,)."""
    groups: Ints | None = None
    """Code of each clip's subject or source: (n_clips,)."""
    embeddings: Floats | None = None
    """(n_clips, n_dimensions)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for."""

    size: int
    """Clips, at least 1."""
    control: float = 0.2
    """Share of them that is drawn at random."""
    aim: Aim = field(default_factory=Aim)


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What to look at."""

    table: pl.DataFrame
    """rank, from 1; clip_id; purpose, chosen or control; gain_per_minute, see
    `curate.labels.queue.next_clips`, null for controls; look_s; reason."""
    drawn_through: str
    """How far this and earlier choices go in the random order, see `is_drawn`."""


def choose(candidates: Candidates, wish: Wish, drawn_before: str = "") -> Choice:
    """Choose the next clips.

    Controls lie scattered among the rest. Fewer than asked for come back where nothing more is
    worth a look.

    Args:
        candidates: All clips.
        wish: What is asked for.
        drawn_before: `drawn_through` of the choice before; empty without one.
    """
    controls = _controls(candidates, round(wish.control * wish.size))
    chosen = _chosen(candidates, wish, wish.size - len(controls), controls)
    rows = pl.concat([_control_rows(candidates, controls), chosen])
    # Whoever looks must not tell controls from the rest by their place: a hash again, but another one.
    rows = rows.sort(pl.Series([_hash("place", clip_id) for clip_id in rows["clip_id"]], dtype=pl.String))
    ranked = rows.with_columns(rank=pl.int_range(1, rows.height + 1, dtype=pl.Int64))
    last = max((_turn(candidates.clip_ids[row]) for row in controls), default="")
    return Choice(ranked.select(list(_COLUMNS)), max(drawn_before, last))


def reviewer_confusion(n_classes: int) -> Floats:
    """What somebody who takes the time says, given the class: (n_classes, n_classes), columns sum to 1.

    Right with `REVIEWER`, and otherwise each other class alike. People of the crowd are no measure of
    whoever is asked because they disagree.
    """
    other = (1 - REVIEWER) / (n_classes - 1)
    return np.full((n_classes, n_classes), other) + (REVIEWER - other) * np.eye(n_classes)


def is_drawn(clip_id: str, drawn_through: str) -> bool:
    """Whether a clip's turn in the random order has come."""
    return _turn(clip_id) <= drawn_through


def expected_look_s(duration_s: Floats, timed_s: Floats, timed_duration_s: Floats) -> Floats:
    """What a look at each clip takes: watching it once, and deciding.

    Args:
        duration_s: Of each clip, 0 for images: (n_clips,).
        timed_s: What decisions took whose tool told it: (n_timed,).
        timed_duration_s: Durations of the clips that those were about: (n_timed,).

    Returns:
        Seconds, (n_clips,): the duration, and the median of what was taken beyond it, at least a
        second; `LOOK_S` with fewer than `ENOUGH_TIMED`.

    Source:
        Ours.
    """
    beside = LOOK_S
    if len(timed_s) >= ENOUGH_TIMED:
        beside = max(1.0, float(np.median(timed_s - timed_duration_s)))
    return duration_s + beside


def _controls(candidates: Candidates, n: int) -> Ints:
    """The next clips in the random order that nobody has looked at: (n,)."""
    unknown = np.flatnonzero(~candidates.known).tolist()
    first = heapq.nsmallest(n, unknown, key=lambda row: _turn(candidates.clip_ids[row]))
    return np.array(first, dtype=np.int64)


def _chosen(candidates: Candidates, wish: Wish, n: int, controls: Ints) -> pl.DataFrame:
    """The clips that are worth most a minute, mixed in class and subject."""
    if n < 1:
        return pl.DataFrame(schema={name: kind for name, kind in _COLUMNS.items() if name != "rank"})
    already = candidates.known.copy()
    already[controls] = True
    per_group = None
    if candidates.groups is not None:
        per_group = ceil(GROUP_EXCESS * n / max(1, len(np.unique(candidates.groups))))
    ranked = next_clips(
        candidates.posterior,
        candidates.confusion,
        candidates.classes,
        n,
        aim=wish.aim,
        batch=Batch(per_group=per_group),
        labels=candidates.labels,
        groups=candidates.groups,
        embeddings=candidates.embeddings,
        already=already,
        weights=_MINUTE_S / candidates.look_s,
    )
    rows = ranked["clip"].to_numpy()
    return pl.DataFrame(
        {
            "clip_id": [candidates.clip_ids[row] for row in rows],
            "purpose": ["chosen"] * len(rows),
            "gain_per_minute": ranked["expected_gain"],
            "look_s": candidates.look_s[rows],
            "reason": ranked["reason"],
        }
    )


def _control_rows(candidates: Candidates, controls: Ints) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "clip_id": [candidates.clip_ids[row] for row in controls],
            "purpose": ["control"] * len(controls),
            "gain_per_minute": [None] * len(controls),
            "look_s": candidates.look_s[controls],
            "reason": [_DRAWN] * len(controls),
        },
        schema={name: kind for name, kind in _COLUMNS.items() if name != "rank"},
    )


def _turn(clip_id: str) -> str:
    """Place of a clip in the random order, as text that sorts by it; never empty."""
    return _hash("turn", clip_id)


def _hash(purpose: str, clip_id: str) -> str:
    return hashlib.sha256(f"{purpose} {clip_id}".encode()).hexdigest()
