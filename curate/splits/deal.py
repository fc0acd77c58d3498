"""Deals clips to train, validation and test, and to folds, every unit to one side."""

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import polars as pl

from curate import tables
from curate.recipe import Splits
from curate.splits.ties import units

_STRICTEST = ("test", "validation", "train")
"""Whom a unit stays with that was on two sides before: what was held out stays held out."""


@dataclass(slots=True)
class _Side:
    """One split while it is being filled; counts are of clips."""

    target: float
    by_class: Mapping[str | None, float]
    """Clips of each class that it should get."""
    taken: Counter[str | None] = field(default_factory=Counter)

    @property
    def room(self) -> float:
        return self.target - self.taken.total()

    def need(self, classes: Counter[str | None]) -> float:
        """How much these clips are missed here: the unfilled share of each one's class, summed."""
        return sum(
            n * (1 - self.taken[name] / self.by_class[name]) if self.by_class[name] else -n
            for name, n in classes.items()
        )


def make_splits(
    clips: pl.DataFrame, ties: pl.DataFrame, splits: Splits, before: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Put every clip into train, validation or test, and into a fold if asked for.

    What belongs together (`curate.splits.ties.units`) is dealt as a whole, largest
    first, each to a side that still has room for all of it and misses its classes
    most; when none has, to the side with the most room. A side therefore ends
    within the largest unit's size of its share: only the roomiest side ever
    overflows, by less than the unit it takes. In order of time, the earliest go
    to train until it is full, then to validation, then to test.

    A clip of an earlier release keeps its side, and so does the whole unit that
    it belongs to: test clips of one version never train another.

    Args:
        clips: Table clips.
        ties: Table ties.
        splits: Shares, order and seed; with `make: false` given splits stay.
        before: Split by clip id in an earlier release.

    Returns:
        Table splits, sorted by clip. The same clips, ties and seed give the same
        splits in whatever order the rows come.
    """
    ordered = clips.sort("clip_id")
    names = units(ordered, ties, splits.together)
    side = ordered["split"].to_list()
    if splits.make:
        dealt = _sides_of(ordered, names, splits, _kept(ordered["clip_id"].to_list(), names, before or {}))
        side = [dealt[name] for name in names]
    made = ordered.select("clip_id").with_columns(
        pl.Series("split", side, dtype=pl.String),
        pl.Series("fold", _folds(ordered, names, side, splits), dtype=pl.Int64),
        pl.Series("unit", names, dtype=pl.String),
    )
    return tables.validate("splits", made)


def _sides_of(
    clips: pl.DataFrame, names: Sequence[str], splits: Splits, kept: Mapping[str, str]
) -> dict[str, str]:
    """Unit to side."""
    shares = {
        "train": 1 - splits.validation - splits.test,
        "validation": splits.validation,
        "test": splits.test,
    }
    members = _members(clips, names)
    if splits.order == "time":
        return {**_by_time(members, _last_recorded(clips, names), shares), **kept}
    return _deal(members, shares, _ranks(clips, names, splits.seed), kept)


def _members(clips: pl.DataFrame, names: Sequence[str]) -> dict[str, Counter[str | None]]:
    """Clips of each given label, by unit."""
    members: dict[str, Counter[str | None]] = {}
    for name, label in zip(names, clips["label_given"], strict=True):
        members.setdefault(name, Counter())[label] += 1
    return members


def _kept(ids: Sequence[str], names: Sequence[str], before: Mapping[str, str]) -> dict[str, str]:
    """The side of each unit of which a clip was in an earlier release."""
    found: dict[str, Counter[str]] = {}
    for clip_id, name in zip(ids, names, strict=True):
        if clip_id in before:
            found.setdefault(name, Counter())[before[clip_id]] += 1
    return {
        name: max(_STRICTEST, key=lambda side: (count[side], -_STRICTEST.index(side)))
        for name, count in found.items()
    }


def _last_recorded(clips: pl.DataFrame, names: Sequence[str]) -> dict[str, str]:
    """When the last clip of each unit was recorded."""
    last: dict[str, str] = {}
    for name, recorded_at in zip(names, clips["recorded_at"].fill_null(""), strict=True):
        last[name] = max(last.get(name, ""), recorded_at)
    return last


def _by_time(
    members: Mapping[str, Counter[str | None]], last: Mapping[str, str], shares: Mapping[str, float]
) -> dict[str, str]:
    """Side of each unit by where its middle lies on the way from the earliest clip to the latest."""
    total = sum(count.total() for count in members.values())
    edges = list(accumulate(share * total for share in shares.values()))
    sides: dict[str, str] = {}
    earlier = 0
    for name in sorted(last, key=lambda one: (last[one], one)):
        middle = earlier + members[name].total() / 2
        beyond = bisect_left(edges, middle - 1e-9)
        sides[name] = list(shares)[min(beyond, len(edges) - 1)]
        earlier += members[name].total()
    return sides


def _folds(
    clips: pl.DataFrame, names: Sequence[str], side: Sequence[str], splits: Splits
) -> list[int | None]:
    """Fold of each clip: units outside test, dealt like sides, classes as even as they allow."""
    if splits.folds is None:
        return [None] * len(names)
    inside = clips.filter(pl.Series(side, dtype=pl.String) != "test")
    mine = [name for name, where in zip(names, side, strict=True) if where != "test"]
    shares = {str(fold): 1 / splits.folds for fold in range(splits.folds)}
    dealt = _deal(_members(inside, mine), shares, _ranks(inside, mine, splits.seed), {})
    return [None if where == "test" else int(dealt[name]) for name, where in zip(names, side, strict=True)]


def _deal(
    members: Mapping[str, Counter[str | None]],
    shares: Mapping[str, float],
    ranks: Mapping[str, str],
    kept: Mapping[str, str],
) -> dict[str, str]:
    """Unit to name of its side."""
    classes = sum(members.values(), Counter[str | None]())
    sides = {
        name: _Side(share * classes.total(), {label: share * n for label, n in classes.items()})
        for name, share in shares.items()
    }
    dealt = dict(kept)
    for name, side in kept.items():
        sides[side].taken.update(members[name])
    for name in sorted(members.keys() - kept.keys(), key=lambda one: (-members[one].total(), ranks[one])):
        dealt[name] = _side_for(members[name], sides)
        sides[dealt[name]].taken.update(members[name])
    return dealt


def _ranks(clips: pl.DataFrame, names: Sequence[str], seed: int) -> dict[str, str]:
    """What puts units in a random order: by the name of their group, which more clips do not change."""
    least: dict[str, str] = {}
    for name, group in zip(names, clips["group"], strict=True):
        if group is not None:
            least[name] = min(least.get(name, group), group)
    keys = {name: f"group {least[name]}" if name in least else f"clip {name}" for name in names}
    return {name: hashlib.sha256(f"{seed} {key}".encode()).hexdigest() for name, key in keys.items()}


def _side_for(classes: Counter[str | None], sides: Mapping[str, _Side]) -> str:
    size = classes.total()
    with_room = [name for name in sides if sides[name].room >= size - 1e-9]
    if not with_room:
        return max(sides, key=lambda name: sides[name].room)
    return max(with_room, key=lambda name: sides[name].need(classes))
