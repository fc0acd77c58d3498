"""Evidence from a CSV file: clip_id, instrument, outcome, as `curate refine` reads it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curate.errors import InputError, Problem

_NEEDED = ("clip_id", "instrument", "outcome")


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
    given for the instrument of that name), `rank` (an ordered list of answers,
    of which the first is the answer), `group` (instruments taken to be alike)
    and `count` (a tally: so many people said it).

    Raises:
        InputError: The file cannot be read, or a needed column is missing.
    """
    frame = _read_csv(path, _NEEDED)
    if frame.is_empty():
        raise InputError(str(path), [Problem("rows", "found none, expected a row an answer")])
    if "rank" in frame.columns:
        frame = frame.filter(pl.col("rank").fill_null("1") == "1")
    kind = pl.when(pl.col("instrument") == "given").then(pl.lit("given")).otherwise(pl.lit("human"))
    if "kind" in frame.columns:
        kind = pl.coalesce(pl.col("kind"), kind)
    extra = [pl.col("group")] if "group" in frame.columns else []
    if "count" in frame.columns:
        extra.append(_counts(frame, path))
    frame = frame.with_columns(pl.col("outcome").str.strip_chars())  # "cat " is no other class than "cat"
    evidence = frame.select(*_NEEDED, *extra, kind=kind, probs=pl.lit(None, pl.List(pl.Float64)))
    return EvidenceFile(evidence, tuple(classes) if classes else _outcomes(evidence))


def _counts(frame: pl.DataFrame, path: Path) -> pl.Expr:
    """The column of tallies as numbers; 1 where it is empty."""
    numbers = frame["count"].cast(pl.Float64, strict=False)
    wrong = frame.filter(numbers.is_null() & frame["count"].is_not_null())["count"].to_list()
    if wrong:
        raise InputError(str(path), [Problem("count", f"found {wrong[:5]}, expected numbers of votes")])
    return pl.col("count").cast(pl.Float64).fill_null(1.0)


def read_gold(path: Path) -> pl.DataFrame:
    """Read labels known to be right, every cell as text; rows without a label are left out.

    Returns:
        Columns clip and label, as written.

    Raises:
        InputError: The file cannot be read, a needed column is missing, or a clip has several labels.
    """
    clip, label = gold_columns(path)
    frame = (
        _read_csv(path, (clip, label)).select(clip=clip, label=label).drop_nulls().unique(maintain_order=True)
    )
    if twice := sorted(frame.filter(pl.col("clip").is_duplicated())["clip"].unique()):
        raise InputError(
            str(path), [Problem(name, "has several gold labels", "Keep one") for name in twice[:20]]
        )
    return frame


def gold_columns(path: Path) -> tuple[str, str]:
    """Names of the columns that name the clip (clip_id, else file) and the label (gold, else label).

    Raises:
        InputError: The file cannot be read, or has no such columns.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as opened:
            header = [name.strip(' "\r\n') for name in re.split("[,;\t]", opened.readline())]
    except OSError as error:
        raise InputError(str(path), [Problem("file", f"cannot be read: {error.strerror}")]) from error
    pairs = (("clip_id", "file"), ("gold", "label"))
    found = [next((name for name in names if name in header), None) for names in pairs]
    problems = [
        Problem("header", f"found {header}, expected {' or '.join(names)}")
        for names, name in zip(pairs, found, strict=True)
        if name is None
    ]
    if problems:
        raise InputError(str(path), problems)
    return str(found[0]), str(found[1])


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
