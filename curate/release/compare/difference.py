"""Everything in which two releases differ, and the version that this asks for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from curate.release.compare.changes import find_changes
from curate.release.compare.edition import CLIPS, Edition
from curate.release.compare.version import Level
from curate.release.rows import hash_of, hashes
from curate.tables import TableName

_KEYS: dict[TableName, tuple[str, ...]] = {
    "answers": ("clip_id", "item", "variant", "control"),
    "votes": ("clip_id", "annotator", "asked_at"),
}
"""What makes a row of a long table the same row in both releases."""
_SAID: dict[TableName, tuple[str, ...]] = {"answers": ("outcome", "answer"), "votes": ("label",)}
_RULES = ("task", "splits", "frames", "embeddings", "vlm", "answers", "labels")
"""Sections of a recipe that decide what is asked and believed."""
_PLACES = ("answers.questionnaire", "frames.detector")
"""Keys that name a file: where it lies says nothing."""
_ITEM_FIELDS = ("ask", "options", "why", "scale", "reverse")
_HEADLINES = ("accuracy_given", "accuracy_refined", "reliability_auroc")


@dataclass(frozen=True, slots=True)
class Count:
    """Rows of a long table: only in the new release, only in the old one, in both but otherwise."""

    added: int
    removed: int
    changed: int

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """What a release is, held against the one before it."""

    before: str
    """Version of the previous release."""
    after: str
    """Version of this one; empty while it is being settled."""
    changes: pl.DataFrame
    """Table changes."""
    n_moved_little: int
    """Clips whose reliability or soft label moved by less than is listed."""
    tables: Mapping[str, Count]
    """Long tables in which something changed."""
    schema: tuple[str, ...]
    """Classes and columns, in words."""
    questionnaire: tuple[str, ...]
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    rules: tuple[str, ...]
    """Keys of the recipe."""
    software: tuple[str, ...]
    measured: Mapping[str, tuple[float | None, float | None]]
    """Headlines that moved, before and after."""

    @property
    def level(self) -> Level | None:
        """What the next version must raise; None where nothing that is published changed."""
        if self.schema:
            return "major"
        counts = self.by_kind
        more = any(count.added for count in self.tables.values())
        if counts.get("added") or counts.get("removed") or counts.get("sha256") or self.questionnaire or more:
            return "minor"
        rest = (self.changes.height, self.n_moved_little, self.tables, self.models, self.prompts, self.rules)
        return "patch" if any(rest) or self.software else None

    @property
    def by_kind(self) -> dict[str, int]:
        """How many clips changed in what."""
        return dict(self.changes["what"].value_counts().sort("what").iter_rows())


def difference(before: Edition, after: Edition) -> Difference:
    """Hold two releases against each other.

    Raises:
        ReleaseError: One of the folders is no release.
    """
    rules = tuple(_rules(before, after))
    changes, n_little = find_changes(before, after, rules)
    counts = {name: _count(before, after, name) for name in _KEYS}
    models, prompts = _calls(before, after)
    return Difference(
        before=before.version,
        after=after.version,
        changes=changes,
        n_moved_little=n_little,
        tables={name: count for name, count in counts.items() if count},
        schema=tuple(_schema(before, after)),
        questionnaire=tuple(_questionnaire(before, after)),
        models=models,
        prompts=prompts,
        rules=rules,
        software=tuple(_software(before, after)),
        measured=_measured(before, after),
    )


def _schema(before: Edition, after: Edition) -> Iterator[str]:
    if before.classes != after.classes:
        yield f"classes were {', '.join(before.classes)}, and are {', '.join(after.classes)}"
    if before.media != after.media:
        yield f"media were in mode {before.media}, and are in mode {after.media}"
    old, new = before.columns(), after.columns()
    for name in old.keys() & new.keys():
        was, now = old[name], new[name]
        yield from (f"{name}: column {one} is gone" for one in was if one not in now)
        yield from (f"{name}: column {one} is new" for one in now if one not in was)
        yield from (
            f"{name}: column {one} was {was[one]}, and is {now[one]}"
            for one in was
            if one in now and was[one] != now[one]
        )
    # A table that came is no breach for those who read the others; one that went is.
    yield from (f"{name} is gone" for name in sorted(old.keys() - new.keys() - {CLIPS}))


def _count(before: Edition, after: Edition, name: TableName) -> Count:
    if before.digests(name) == after.digests(name):
        return Count(0, 0, 0)
    old, new = (_hashed(edition, name) for edition in (before, after))
    if old["key"].equals(new["key"]):  # as a rule, the same rows in the same order
        return Count(0, 0, int((old["said"] != new["said"]).sum()))
    old, new = (frame.unique("key", keep="first", maintain_order=True) for frame in (old, new))
    both = old.join(new, on="key", suffix="_after")
    changed = both.filter(pl.col("said") != pl.col("said_after")).height
    return Count(new.height - both.height, old.height - both.height, changed)


def _hashed(edition: Edition, name: TableName) -> pl.DataFrame:
    """Which row it is and what it says, a number each: columns key and said."""
    key, said = (hash_of(*map(pl.col, columns[name])) for columns in (_KEYS, _SAID))
    parts = [hashes(path, key=key, said=said) for path in edition.files(name)]
    return pl.concat([pl.DataFrame(schema={"key": pl.UInt64, "said": pl.UInt64}), *parts])


def _questionnaire(before: Edition, after: Edition) -> Iterator[str]:
    old, new = (_items(edition) for edition in (before, after))
    yield from (f"item {one} is gone" for one in old if one not in new)
    yield from (f"item {one} is new" for one in new if one not in old)
    for one in old.keys() & new.keys():
        for field in _ITEM_FIELDS:
            if old[one].get(field) != new[one].get(field):
                yield f"item {one}, {field}: was {old[one].get(field)!r}, and is {new[one].get(field)!r}"


def _items(edition: Edition) -> dict[str, Mapping[str, Any]]:
    return {
        str(item["id"]): item for item in edition.yaml("questionnaire.yaml").get("items", []) if "id" in item
    }


def _calls(before: Edition, after: Edition) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Models and versions of prompts that came and went."""
    columns = ("model", "prompt_version")
    old, new = (edition.table("calls").select(columns).unique() for edition in (before, after))
    models, prompts = (
        tuple(_came_and_went(set(old[column]), set(new[column]), what))
        for column, what in zip(columns, ("model", "prompt version"), strict=True)
    )
    return models, prompts


def _came_and_went(old: set[str], new: set[str], what: str) -> Iterator[str]:
    yield from (f"{what} {one} is gone" for one in sorted(old - new))
    yield from (f"{what} {one} is new" for one in sorted(new - old))


def _rules(before: Edition, after: Edition) -> Iterator[str]:
    old, new = (dict(_flat(edition.yaml("recipe.yaml"))) for edition in (before, after))
    for key in sorted(old.keys() | new.keys()):
        if key.partition(".")[0] in _RULES and key not in _PLACES and old.get(key) != new.get(key):
            yield f"{key} was {_told(old, key)}, and is {_told(new, key)}"


def _told(values: Mapping[str, object], key: str) -> str:
    return repr(values[key]) if key in values else "left out"


def _flat(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Leaves of nested mappings by their path, as labels.split.rule."""
    if not isinstance(value, dict):
        yield path, value
        return
    for key, inner in value.items():
        yield from _flat(inner, f"{path}.{key}" if path else str(key))


def _software(before: Edition, after: Edition) -> Iterator[str]:
    old, new = (edition.json("provenance/manifest.json").get("versions", {}) for edition in (before, after))
    if old.get("curate") != new.get("curate"):
        yield f"curate was {old.get('curate', 'unknown')}, and is {new.get('curate', 'unknown')}"


def _measured(before: Edition, after: Edition) -> dict[str, tuple[float | None, float | None]]:
    old, new = before.json("metrics.json"), after.json("metrics.json")
    pairs = {name: (old.get(name), new.get(name)) for name in _HEADLINES}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
