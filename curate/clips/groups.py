"""Train, validation and test, with every group on one side."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from curate.recipe import Splits

SPLIT_NAMES = ("train", "validation", "test")
_WRITTEN = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_name(text: str) -> str | None:
    """train, validation or test as people write them; None for any other word."""
    return _WRITTEN.get(text.strip().lower())


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


def make_splits(clips: pl.DataFrame, splits: Splits) -> pl.DataFrame:
    """Put every clip into train, validation or test.

    Groups are dealt largest first, each to a side that still has room for all
    of it and misses its classes most; when none has, to the side with the most
    room. A side therefore ends within the largest group's size of its share:
    only the roomiest side ever overflows, by less than the group it takes.

    Args:
        clips: Table clips. A clip without a group is a group of its own.
        splits: Shares and seed; with `make: false` given splits stay, and null
            becomes train.

    Returns:
        The table with column split filled. The same clips and seed give the
        same splits in whatever order the rows come.
    """
    if not splits.make:
        return clips.with_columns(pl.col("split").fill_null("train"))
    keys = _group_keys(clips)
    members: dict[str, Counter[str | None]] = {}
    for key, label in zip(keys, clips["label_given"], strict=True):
        members.setdefault(key, Counter())[label] += 1
    sides = _deal(members, splits)
    return clips.with_columns(pl.Series("split", [sides[key] for key in keys], dtype=pl.String))


def _group_keys(clips: pl.DataFrame) -> list[str]:
    """A name for each clip's group; a group never shares its name with a lone clip."""
    pairs = zip(clips["group"], clips["clip_id"], strict=True)
    return [f"clip {clip_id}" if group is None else f"group {group}" for group, clip_id in pairs]


def _deal(members: Mapping[str, Counter[str | None]], splits: Splits) -> dict[str, str]:
    """Group to split name."""
    sides = _sides(sum(members.values(), Counter()), splits)
    dealt = {}
    for key in sorted(members, key=lambda key: (-members[key].total(), _shuffled(key, splits.seed))):
        dealt[key] = _side_for(members[key], sides)
        sides[dealt[key]].taken.update(members[key])
    return dealt


def _sides(classes: Counter[str | None], splits: Splits) -> dict[str, _Side]:
    shares = {
        "train": 1 - splits.validation - splits.test,
        "validation": splits.validation,
        "test": splits.test,
    }
    return {
        name: _Side(share * classes.total(), {label: share * n for label, n in classes.items()})
        for name, share in shares.items()
    }


def _shuffled(key: str, seed: int) -> str:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest()


def _side_for(classes: Counter[str | None], sides: Mapping[str, _Side]) -> str:
    size = classes.total()
    with_room = [name for name in SPLIT_NAMES if sides[name].room >= size - 1e-9]
    if not with_room:
        return max(SPLIT_NAMES, key=lambda name: sides[name].room)
    return max(with_room, key=lambda name: sides[name].need(classes))
