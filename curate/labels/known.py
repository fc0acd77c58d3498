"""What is known of clips besides the evidence: gold labels and groups, coded."""

import difflib
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeGuard

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.errors import InputError, Problem
from curate.labels.evidence import Evidence, Ints
from curate.labels.settings import Settings

SHOWN = 10
"""Problems of one sort that are listed."""


def gold_codes(evidence: Evidence, gold: pl.DataFrame | Mapping[str, str] | None) -> Ints:
    """Class of each clip's gold label, -1 without: (n_items,).

    Raises:
        InputError: A clip has two different gold labels, or one outside the
            classes; a table lacks a column; or no clip is one of the evidence.
    """
    rows = _rows(gold)
    problems = [*_contradictions(rows), *_strangers(evidence, rows), *_elsewhere(evidence, rows)]
    if problems:
        raise InputError("gold", problems)
    labels = dict(rows)
    place = {name: code for code, name in enumerate(evidence.classes)}
    return np.array([place.get(labels.get(clip, ""), -1) for clip in evidence.clip_ids], dtype=np.int64)


def is_drawn(
    evidence: Evidence, gold: pl.DataFrame | Mapping[str, str] | None, settings: Settings
) -> NDArray[np.bool_]:
    """Whether each clip's gold may measure and prove: (n_items,).

    Gold that a person chose to look at, because the clip was doubtful, says nothing of the others.
    Where nobody told how clips were chosen, all of them may.
    """
    if not _tells_draw(gold):
        return np.ones(evidence.n_items, dtype=bool)
    # Beside clips that are known to be drawn, those of which nothing is known prove nothing.
    otherwise = settings.drawn == "at random" or not gold["at_random"].any()
    told = dict(gold.select("clip_id", pl.col("at_random").fill_null(otherwise)).iter_rows())
    return np.array([told.get(clip, False) for clip in evidence.clip_ids], dtype=bool)


def drawn_as_told(settings: Settings, gold: pl.DataFrame | Mapping[str, str] | None) -> Settings:
    """The settings with what gold itself tells of how it was drawn."""
    if _tells_draw(gold) and gold["at_random"].any():
        return replace(settings, drawn="at random")
    return settings


def _tells_draw(gold: pl.DataFrame | Mapping[str, str] | None) -> TypeGuard[pl.DataFrame]:
    return isinstance(gold, pl.DataFrame) and "at_random" in gold.columns and gold["at_random"].count() > 0


def group_codes(evidence: Evidence, groups: Mapping[str, str] | None) -> Ints:
    """A number for each clip, the same for clips of one group: (n_items,)."""
    named = groups or {}
    # Names and clips are told apart by the first entry: a clip may be called as some group is.
    keys = [(0, named[clip]) if clip in named else (1, clip) for clip in evidence.clip_ids]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return np.array([places[key] for key in keys], dtype=np.int64)


def barred_codes(evidence: Evidence, barred: Mapping[str, str]) -> Ints:
    """Class that must not be accepted as each clip's pseudo-label, -1 without: (n_items,).

    Clips that are not in the evidence, and labels that are no class, bar nothing.
    """
    place = {name: code for code, name in enumerate(evidence.classes)}
    return np.array([place.get(barred.get(clip, ""), -1) for clip in evidence.clip_ids], dtype=np.int64)


def _rows(gold: pl.DataFrame | Mapping[str, str] | None) -> list[tuple[str, str]]:
    if gold is None:
        return []
    if isinstance(gold, pl.DataFrame):
        missing = [name for name in ("clip_id", "label") if name not in gold.columns]
        if missing:
            found = ", ".join(gold.columns) or "none"
            raise InputError(
                "gold", [Problem(f"column {name}", f"missing; found {found}", "Add it") for name in missing]
            )
        return list(
            gold.select("clip_id", "label").drop_nulls().unique().cast(pl.String).sort("*").iter_rows()
        )
    return sorted((str(clip), str(label)) for clip, label in gold.items())


def _elsewhere(evidence: Evidence, rows: list[tuple[str, str]]) -> list[Problem]:
    if not rows or not {clip for clip, _ in rows}.isdisjoint(evidence.clip_ids):
        return []
    what = f"none of {len(rows)} is in the evidence, such as {rows[0][0]!r}"
    return [Problem("clip_id", what, "Use the clip_id of the evidence")]


def _contradictions(rows: list[tuple[str, str]]) -> list[Problem]:
    said: dict[str, list[str]] = {}
    for clip, label in rows:
        said.setdefault(clip, []).append(label)
    twice = {clip: labels for clip, labels in said.items() if len(labels) > 1}
    listed = [
        Problem(f"clip {clip}", f"has {len(labels)} gold labels: {', '.join(labels)}", "Keep one")
        for clip, labels in list(twice.items())[:SHOWN]
    ]
    more = len(twice) - len(listed)
    return [*listed, *([Problem("clips", f"{more} more have several gold labels")] if more > 0 else [])]


def _strangers(evidence: Evidence, rows: list[tuple[str, str]]) -> list[Problem]:
    counts: dict[str, int] = {}
    for _, label in rows:
        if label not in evidence.classes:
            counts[label] = counts.get(label, 0) + 1
    return [
        Problem(
            f"label {label!r}",
            f"is not one of {', '.join(evidence.classes)}; {n} clips have it",
            _near(label, evidence.classes),
        )
        for label, n in list(counts.items())[:SHOWN]
    ]


def _near(label: str, classes: tuple[str, ...]) -> str:
    folded = {name.casefold(): name for name in classes}
    near = difflib.get_close_matches(label.strip().casefold(), folded, n=1)
    return f"Did you mean {folded[near[0]]}?" if near else "Rename it or leave the clip out"
