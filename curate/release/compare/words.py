"""A difference as people read it, and as machines do."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import polars as pl

from curate.release.compare.changes import MOVED
from curate.release.compare.difference import Difference
from curate.release.compare.version import Version

_TITLES = {
    "added": "clips that are new",
    "removed": "clips that are gone",
    "sha256": "media that are other bytes",
    "label_given": "given labels that changed",
    "label": "labels that changed",
    "pseudo_label": "pseudo-labels that changed",
    "pseudo_accepted": "pseudo-labels newly accepted or refused",
    "reliability_split": "clips that changed between high and low",
    "split": "clips that changed between train, validation and test",
    "fold": "clips that changed their fold",
    "reliability": f"reliabilities that moved by {MOVED:g} or more",
    "soft_label": f"soft labels that moved by {MOVED:g} or more",
}
_HEADLINES = {
    "accuracy_given": "share of given labels that are right",
    "accuracy_refined": "share of refined labels that are right",
    "reliability_auroc": "area under the ROC curve of reliability",
}
_EXAMPLES = 5


def difference_lines(found: Difference) -> Iterator[str]:
    """What changed, in lines for a terminal: counts first, then examples with their reasons."""
    yield f"{found.before or 'unknown'} -> {found.after or 'not settled'}: {_level(found)}"
    yield from (f"{n:7}  {title}" for title, n in change_rows(found))
    for name, count in found.tables.items():
        yield f"{name}: {count.added} rows more, {count.removed} fewer, {count.changed} say something else"
    for title in ("schema", "questionnaire", "models", "prompts", "rules", "software"):
        yield from (f"{title}: {line}" for line in getattr(found, title))
    for name, (was, now) in found.measured.items():
        yield f"{_HEADLINES[name]}: {_number(was)} -> {_number(now)}"
    yield from _flows(found.changes)
    yield from _examples(found.changes)


def difference_json(found: Difference) -> str:
    """The same with every change, for machines."""
    told = {
        "before": found.before,
        "after": found.after,
        "level": found.level,
        "counts": found.by_kind,
        "moved_little": found.n_moved_little,
        "tables": {name: asdict(count) for name, count in found.tables.items()},
        "schema": found.schema,
        "questionnaire": found.questionnaire,
        "models": found.models,
        "prompts": found.prompts,
        "rules": found.rules,
        "software": found.software,
        "measured": {name: {"before": was, "after": now} for name, (was, now) in found.measured.items()},
        "changes": found.changes.to_dicts(),
    }
    return json.dumps(told, ensure_ascii=False, indent=1)


def change_rows(found: Difference) -> Iterator[tuple[str, int]]:
    """What changed in how many clips, for a card's table."""
    for kind, n in sorted(found.by_kind.items(), key=lambda pair: list(_TITLES).index(pair[0])):
        yield _TITLES[kind], n
    if found.n_moved_little:
        yield "clips whose reliability or soft label moved by less", found.n_moved_little


def _level(found: Difference) -> str:
    if found.level is None:
        return "nothing that is published changed"
    if not found.before:
        return f"a {found.level} change"
    return f"a {found.level} change, which asks for {Version.parse(found.before).raised(found.level)} or more"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _flows(changes: pl.DataFrame) -> Iterator[str]:
    """From which label to which, the most first."""
    labels = changes.filter(pl.col("what") == "label")
    if labels.is_empty():
        return
    yield "labels, from and to:"
    counted = (
        labels.group_by("before", "after")
        .len()
        .sort(["len", "before", "after"], descending=[True, False, False])
    )
    for was, now, n in counted.iter_rows():
        yield f"{n:7}  {was or 'none'} -> {now or 'none'}"


def _examples(changes: pl.DataFrame) -> Iterator[str]:
    """The labels that changed, a few of them, with their reasons."""
    labels = changes.filter(pl.col("what") == "label").head(_EXAMPLES)
    if labels.is_empty():
        return
    yield "such as:"
    for row in labels.iter_rows(named=True):
        was, now = row["before"] or "none", row["after"] or "none"
        yield f"  {row['clip_id']}: {was} -> {now}, because {row['because']}"
