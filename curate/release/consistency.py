"""What two files of a release say of one thing must be the same: an edited value is found, with its row."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as arrow
import pyarrow.parquet as pq

from curate.errors import Problem
from curate.release.check_clips import class_names, clip_files
from curate.release.rows import hash_of, hashes
from curate.release.tally import base_answers, is_base

_SAME = (
    "confidence",
    "reliability",
    "reliability_split",
    "soft_label",
    "pseudo_confidence",
    "pseudo_accepted",
)
_CODED = ("label_given", "pseudo_label")
"""Columns that data/ holds as places in the list of classes, and labels as names."""
_ITEM = "q_"
_FIX = "Fetch the file that was edited again, or write the release again"


def consistency_problems(folder: Path) -> Iterator[Problem]:
    """Rows of clips that differ from provenance/labels.parquet or answers/, and votes from the evidence."""
    try:
        labels = None if _labels_agree(folder) else _labels(folder)
        answers = None if _answers_agree(folder) else _answers(folder)
        for path in clip_files(folder) if labels is not None or answers is not None else ():
            where = path.relative_to(folder).as_posix()
            schema = pq.read_schema(path)
            wanted = ("clip_id", *_SAME, *_CODED)
            names = [name for name in schema.names if name in wanted or name.startswith(_ITEM)]
            rows = pl.read_parquet(path, columns=names).with_row_index("row")
            if labels is not None:
                yield from _against_labels(rows, labels, class_names(schema), where)
            if answers is not None:
                yield from _against_answers(rows, answers, where)
        yield from _votes(folder)
    except (OSError, arrow.ArrowException, pl.exceptions.PolarsError):
        return  # what cannot be read, or lacks a column, is told elsewhere


_LABELS = "provenance/labels.parquet"


def _labels(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / _LABELS, columns=["clip_id", *_SAME, *_CODED])


def _labels_agree(folder: Path) -> bool:
    """Whether each clip says what its row of labels does, by hashes: only if not, rows are looked at."""
    files = clip_files(folder)
    names = class_names(pq.read_schema(files[0])) if files else ()
    place = {name: code for code, name in enumerate(names)}
    coded = [pl.col(name).replace_strict(place, return_dtype=pl.Int64, default=None) for name in _CODED]
    same = [pl.col("clip_id"), *map(pl.col, _SAME)]
    said = hashes(folder / _LABELS, row=hash_of(*same, *coded))["row"]
    shown = pl.concat(hashes(path, row=hash_of(*same, *map(pl.col, _CODED)))["row"] for path in files)
    return said.sort().equals(shown.sort())


def _answers_agree(folder: Path) -> bool:
    """Whether every answer stands in its clip's row, by hashes: only if not, rows need be looked for."""
    clips, answers = clip_files(folder), sorted(folder.glob("answers/*.parquet"))
    return all(_item_agrees(clips, answers, item) for item in (_items(clips[0]) if clips else ()))


def _item_agrees(clips: Sequence[Path], answers: Sequence[Path], item: str) -> bool:
    """One item at a time, so that hashes of five million answers are never held at once."""
    mine, clip = pl.col("item") == item, hash_of(pl.col("clip_id"))
    nothing = pl.DataFrame(schema={"clip": pl.UInt64, "answer": pl.UInt64})
    said = [hashes(path, is_base(), mine, clip=clip, answer=pl.col("answer").hash()) for path in answers]
    shown = [hashes(path, clip=clip, answer=pl.col(_ITEM + item).hash()) for path in clips]
    both = pl.concat([nothing, *shown]).join(pl.concat([nothing, *said]), on="clip", how="left")
    empty = pl.select(pl.lit(None, pl.String).hash()).item()
    return not both.filter(pl.col("answer") != pl.col("answer_right").fill_null(empty)).height


def _items(path: Path) -> list[str]:
    names = pq.read_schema(path).names
    return [name.removeprefix(_ITEM) for name in names if name.startswith(_ITEM)]


def _answers(folder: Path) -> pl.DataFrame:
    files = sorted(folder.glob("answers/*.parquet"))
    columns = ["clip_id", "item", "variant", "control", "answer"]
    return (
        base_answers(pl.concat([pl.read_parquet(path, columns=columns) for path in files]))
        if files
        else pl.DataFrame()
    )


def _against_labels(
    rows: pl.DataFrame, labels: pl.DataFrame, classes: Sequence[str], where: str
) -> Iterator[Problem]:
    named = rows.with_columns(
        pl.col(_CODED).replace_strict(dict(enumerate(classes)), return_dtype=pl.String, default=None)
    )
    both = named.join(labels, on="clip_id", suffix="_labels")
    if both.height < rows.height:
        lost = rows.join(labels, on="clip_id", how="anti").row(0, named=True)
        what = f"row {lost['row']}, column clip_id: {lost['clip_id']} is not in provenance/labels.parquet"
        yield Problem(where, what, _FIX)
    for column in (*_SAME, *_CODED):
        wrong = both.filter(pl.col(column).ne_missing(pl.col(f"{column}_labels")))
        yield from _told(wrong, where, column, f"{column}_labels", "provenance/labels.parquet")


def _against_answers(rows: pl.DataFrame, answers: pl.DataFrame, where: str) -> Iterator[Problem]:
    if answers.is_empty():
        return
    for column in (name for name in rows.columns if name.startswith(_ITEM)):
        said = answers.filter(pl.col("item") == column.removeprefix(_ITEM)).select("clip_id", said="answer")
        both = rows.join(said, on="clip_id", how="left")
        wrong = both.filter(pl.col(column).ne_missing(pl.col("said")))
        yield from _told(wrong, where, column, "said", "answers/")


def _told(wrong: pl.DataFrame, where: str, column: str, other: str, place: str) -> Iterator[Problem]:
    if wrong.height:
        first = wrong.sort("row").row(0, named=True)
        what = (
            f"row {first['row']} (clip {first['clip_id']}), column {column}: is {_short(first[column])}, but "
            f"{place} says {_short(first[other])}"
        )
        yield Problem(where, what + (f" ({wrong.height} such rows)" if wrong.height > 1 else ""), _FIX)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _votes(folder: Path) -> Iterator[Problem]:
    """Every vote is somebody's word in the evidence, and no other."""
    files = sorted(folder.glob("votes/*.parquet"))
    if not files:
        return
    votes = pl.concat([pl.read_parquet(path) for path in files]).with_row_index("row")
    evidence = pl.read_parquet(folder / "provenance" / "evidence.parquet").filter(pl.col("kind") == "human")
    said = evidence.select("clip_id", instrument="instrument", label="outcome").unique()
    cast = votes.with_columns(instrument="vote:" + pl.col("annotator"))
    lost = cast.join(said, on=("clip_id", "instrument", "label"), how="anti")
    if lost.height and evidence.height:
        first = lost.row(0, named=True)
        what = (
            f"row {first['row']} (clip {first['clip_id']}), column label: is {first['label']!r} by "
            f"{first['annotator']!r}, which provenance/evidence.parquet does not say"
        )
        yield Problem(files[0].relative_to(folder).as_posix(), what, _FIX)
