"""Evidence from a CSV file: clip_id, instrument, outcome, as `curate refine` reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curate.errors import InputError, Problem

_NEEDED = ("clip_id", "instrument", "outcome")
_GOLD_COLUMNS = {"clip": ("clip_id", "file"), "label": ("gold", "label")}


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """What a CSV file says."""

    evidence: pl.DataFrame
    """Columns clip_id, instrument, kind, outcome, probs, as the label model reads them."""
    classes: tuple[str, ...]
    """The classes named by the caller, else every outcome of a person or given label, sorted."""


def read_evidence(path: Path, classes: Sequence[str] | None = None) -> EvidenceFile:
    """Read evidence in long form, every cell as text.

    Optional columns: `kind` (given, human, vlm, model; human if left out, and
    given for the instrument of that name) and `rank` (an ordered list of
    answers, of which the first is the answer).

    Raises:
        InputError: The file cannot be read, or a needed column is missing.
    """
    frame = _read_csv(path, _NEEDED)
    if "rank" in frame.columns:
        frame = frame.filter(pl.col("rank") == "1")
    kind = pl.when(pl.col("instrument") == "given").then(pl.lit("given")).otherwise(pl.lit("human"))
    if "kind" in frame.columns:
        kind = pl.coalesce(pl.col("kind"), kind)
    evidence = frame.select(*_NEEDED, kind=kind, probs=pl.lit(None, pl.List(pl.Float64)))
    return EvidenceFile(evidence, tuple(classes) if classes else _outcomes(evidence))


def read_gold(path: Path) -> pl.DataFrame:
    """Read labels known to be right, every cell as text.

    Columns: clip_id (or file), and gold (or label). Rows without a label are left out.

    Returns:
        Columns clip and label, as written.

    Raises:
        InputError: The file cannot be read, or a needed column is missing.
    """
    frame = _read_csv(path, ())
    found = {name: _first_of(frame, path, names) for name, names in _GOLD_COLUMNS.items()}
    return frame.select(**found).filter(pl.col("label").is_not_null())


def _first_of(frame: pl.DataFrame, path: Path, names: Sequence[str]) -> pl.Expr:
    for name in names:
        if name in frame.columns:
            return pl.col(name)
    raise InputError(str(path), [Problem("header", f"found {frame.columns}, expected {' or '.join(names)}")])


def _outcomes(evidence: pl.DataFrame) -> tuple[str, ...]:
    by_people = evidence.filter(pl.col("kind").is_in(["given", "human"]))
    named = by_people if by_people.height else evidence
    return tuple(named["outcome"].drop_nulls().unique().sort())


def _read_csv(path: Path, needed: Sequence[str]) -> pl.DataFrame:
    try:
        # Ids such as 00012 and classes such as 0 are text: nothing is guessed.
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(str(path), [Problem("file", f"cannot be read as CSV: {error}")]) from error
    if missing := [name for name in needed if name not in frame.columns]:
        problems = [Problem("header", f"found {frame.columns}, expected a column {name}") for name in missing]
        raise InputError(str(path), problems)
    return frame
