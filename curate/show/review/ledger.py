"""The ledger of decisions in a run's folder: whatever was decided is added, and nothing is ever taken out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curate import tables
from curate.files import sha256_of
from curate.show.review.decision import Decision, Kept, Tool

_KEY = ("clip_id", "reviewer")
_SAID = ("verdict", "label", "comment")


@dataclass(frozen=True, slots=True, eq=False)
class Added:
    """What became of decisions that were brought in."""

    new: pl.DataFrame
    """Table decisions: what was added."""
    n_known: int
    """Decisions that the ledger held already, or that were brought twice."""
    replaced: pl.DataFrame
    """Earlier decisions of the same people about the same clips, which no longer count."""


def ledger_file(folder: Path) -> Path:
    """Where a run's decisions lie.

    Args:
        folder: The run's folder.
    """
    return folder / "reviews" / "decisions.parquet"


def read_ledger(folder: Path) -> pl.DataFrame:
    """Table decisions of a run, in the order in which they came; empty before the first."""
    path = ledger_file(folder)
    return tables.read("decisions", path) if path.is_file() else tables.empty("decisions")


def ledger_digest(folder: Path) -> str:
    """What changes when a decision is added; empty before the first."""
    path = ledger_file(folder)
    return sha256_of(path) if path.is_file() else ""


def standing(ledger: pl.DataFrame) -> pl.DataFrame:
    """The decisions that count: each person's last about each clip, in the ledger's order.

    By the time of deciding; of equal times the one that came later.
    """
    ordered = ledger.with_row_index("place").sort("decided_at", "place")
    return ordered.unique(_KEY, keep="last", maintain_order=True).sort("place").drop("place")


def add(
    folder: Path,
    decisions: Sequence[Decision],
    classes: Sequence[str],
    *,
    tool: Tool,
    kept_as: Kept,
    now: str,
) -> Added:
    """Add decisions to a run's ledger, those that it does not hold yet.

    A decision is known if the same person's standing one says the same, or if the ledger holds it at that
    time. To keep a decision as something else than before, bring it again: that counts as new.

    Args:
        folder: The run's folder.
        decisions: Without problems, see `decision_problems`.
        classes: The run's classes.
        tool: Where they were made.
        kept_as: What they are to count as.
        now: Time for those without one, as the table writes it.
    """
    ledger = read_ledger(folder)
    before = standing(ledger)
    held = {_identity(row, with_time=True) for row in ledger.iter_rows(named=True)}
    held_now = {_identity(row, with_time=False) for row in before.iter_rows(named=True)}
    rows = []
    for one in decisions:
        row: dict[str, object] = {
            "clip_id": one.clip_id,
            "reviewer": one.reviewer,
            "verdict": one.verdict,
            "label": one.label,
            "comment": one.comment,
            "decided_at": one.decided_at or now,
            "took_s": one.took_s,
            "tool": tool,
            "kept_as": kept_as,
        }
        if _identity(row, with_time=True) in held or _identity(row, with_time=False) in held_now:
            continue
        held.add(_identity(row, with_time=True))
        held_now.add(_identity(row, with_time=False))
        rows.append(row)
    new = tables.table("decisions", rows)
    if rows:
        tables.write("decisions", pl.concat([ledger, new]), ledger_file(folder), classes)
    after = standing(pl.concat([ledger, new]))
    return Added(new, len(decisions) - len(rows), _replaced(before, after))


def _identity(row: dict[str, object], *, with_time: bool) -> tuple[object, ...]:
    time = (row["decided_at"],) if with_time else ()
    return (*(row[name] for name in (*_KEY, *_SAID, "kept_as")), *time)


def _replaced(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Decisions that counted and no longer do, and say otherwise than those that do."""
    return before.join(after, on=[*_KEY, *_SAID], how="anti", nulls_equal=True)
