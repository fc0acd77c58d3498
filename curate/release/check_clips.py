"""Checks the clips of a release: rows, media, and the files they lie in."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandera.errors
import pandera.polars as pa
import polars as pl
import pyarrow as arrow
import pyarrow.parquet as pq

from curate.errors import Problem
from curate.files import sha256_of
from curate.release.features import CLASS_COLUMNS, FILE_COLUMN, MEDIA_COLUMNS
from curate.release.integrity import read_facts

_CLIP_FILE = re.compile(r"(data|pseudo)/(train|validation|test)(?:-(high|low))?-(\d{5})-of-(\d{5})\.parquet")


def clip_problems(folder: Path) -> Iterator[Problem]:
    """The clips, one row group at a time: media may be larger than memory."""
    may_lack_media = read_facts(folder).get("media") == "attached"
    seen = list[tuple[str, pl.Series]]()
    classes: dict[tuple[str, ...], str] = {}
    for path in clip_files(folder):
        where = path.relative_to(folder).as_posix()
        named = _CLIP_FILE.fullmatch(where)
        if named is None:
            yield Problem(
                where,
                "is no name of a file with clips, expected such as data/train-high-00000-of-00001.parquet",
            )
            continue
        yield from _shard_problems(folder, where, named)
        try:
            with pq.ParquetFile(path) as opened:
                names = class_names(opened.schema_arrow)
                classes.setdefault(names, where)
                first_row = 0
                for index in range(opened.num_row_groups):
                    frame = pl.DataFrame(pl.from_arrow(opened.read_row_group(index)))
                    yield from schema_problems(folder, "release_clips", frame, where, first_row)
                    first_row += frame.height
                    yield from _row_problems(frame, names, named, where, may_lack_media=may_lack_media)
                    yield from _file_problems(folder, frame, where)
                    if "clip_id" in frame.columns:
                        seen.append((where, frame["clip_id"]))
        except (OSError, arrow.ArrowException, pl.exceptions.PolarsError) as error:
            yield unreadable(where, error)
    if len(classes) > 1:
        yield Problem("data", f"files name different classes: {', '.join(classes.values())}")
    if seen:
        yield from _repeated(seen)
    yield from _count_problems(folder, sum(len(ids) for _, ids in seen))


def clip_files(folder: Path) -> list[Path]:
    """Every Parquet file with clips, labelled and unlabelled."""
    return sorted([*folder.glob("data/*.parquet"), *folder.glob("pseudo/*.parquet")])


def unreadable(where: str, error: Exception) -> Problem:
    """What is said of a file that is no Parquet."""
    return Problem(where, f"cannot be read as Parquet: {error}", "Write the release again")


def schema_problems(
    folder: Path, name: str, frame: pl.DataFrame, where: str, first_row: int = 0
) -> Iterator[Problem]:
    """Breaches of the schema of that name in the release itself, found by pandera alone.

    Args:
        folder: The release.
        name: Of the schema.
        frame: Some rows of a file.
        where: The file.
        first_row: Number of the first of these rows in it.
    """
    path = folder / "provenance" / "schema" / f"{name}.yaml"
    if not path.is_file():
        yield Problem(where, f"has no schema, expected provenance/schema/{name}.yaml")
        return
    try:
        _schema(path.read_text(encoding="utf-8"))[0].validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        for column, check, case, row in (
            errors.failure_cases.select("column", "check", "failure_case", "index")
            .unique(["column", "check"], keep="first", maintain_order=True)
            .iter_rows()
        ):
            place = "" if row is None else f"row {row + first_row}, "
            yield Problem(where, f"{place}column {column} has {case!r}, expected {check}")


def unique_key(folder: Path, name: str) -> tuple[str, ...]:
    """Columns that together tell a row of a table from every other; empty where none do."""
    path = folder / "provenance" / "schema" / f"{name}.yaml"
    return _schema(path.read_text(encoding="utf-8"))[1] if path.is_file() else ()


@lru_cache
def _schema(text: str) -> tuple[pa.DataFrameSchema, tuple[str, ...]]:
    """A schema from its YAML, which takes a while to read, and its key.

    Whether keys are unique is looked at over all rows, and by hashes: pandera does it for the rows at
    hand, and takes five times as long for it as for all the rest.
    """
    schema = pa.DataFrameSchema.from_yaml(text)
    alone = [column for column, spec in schema.columns.items() if spec.unique]
    key = tuple(schema.unique or alone[:1])
    schema.unique = None
    for column in alone:
        schema.columns[column].unique = False
    return schema, key


def _shard_problems(folder: Path, where: str, named: re.Match[str]) -> Iterator[Problem]:
    index, total = int(named.group(4)), int(named.group(5))
    following = where.replace(f"{index:05d}-of", f"{index + 1:05d}-of")
    if index >= total:
        yield Problem(where, f"is number {index} of {total}, expected a number below {total}")
    elif index + 1 < total and not (folder / following).is_file():
        yield Problem(following, "is missing", "Write the release again")
    if index and not (folder / where.replace(f"{index:05d}-of", f"{index - 1:05d}-of")).is_file():
        yield Problem(
            where.replace(f"{index:05d}-of", f"{index - 1:05d}-of"), "is missing", "Write the release again"
        )


def class_names(schema: arrow.Schema) -> tuple[str, ...]:
    """The classes as the file's Hugging Face features name them; none if they do not."""
    metadata = (schema.metadata or {}).get(b"huggingface", b"{}")
    features = json.loads(metadata).get("info", {}).get("features", {})
    return tuple(features.get("label", {}).get("names", ()))


def _row_problems(
    frame: pl.DataFrame, classes: tuple[str, ...], named: re.Match[str], where: str, *, may_lack_media: bool
) -> Iterator[Problem]:
    if not classes:
        yield Problem(where, "does not name the classes, expected Hugging Face features in its metadata")
        return
    missing = {"clip_id", "sha256", "split", "reliability_split", "soft_label", *CLASS_COLUMNS} - set(
        frame.columns
    )
    if missing:
        return  # the schema has told
    yield from _place_problems(frame, named, where)
    yield from _label_problems(frame, classes, where)
    if any(name in frame.columns for name in MEDIA_COLUMNS):
        yield from _media_problems(frame, where, least=int(not may_lack_media))


def _place_problems(frame: pl.DataFrame, named: re.Match[str], where: str) -> Iterator[Problem]:
    """Rows belong where the file's name says, since configs are globs over names."""
    place, split, side = named.group(1, 2, 3)
    labelled = frame["label_given"].is_not_null()
    wrong = (
        (frame["split"] != split)
        | (labelled != (place == "data"))
        | frame["reliability_split"].ne_missing(side)
    )
    for clip_id in frame.filter(wrong)["clip_id"].to_list()[:1]:
        yield Problem(where, f"clip {clip_id} belongs into another file ({wrong.sum()} such)")


def _label_problems(frame: pl.DataFrame, classes: tuple[str, ...], where: str) -> Iterator[Problem]:
    for column in CLASS_COLUMNS:
        outside = (
            frame[column].drop_nulls().filter(~frame[column].drop_nulls().is_between(0, len(classes) - 1))
        )
        if len(outside):
            yield Problem(where, f"column {column} has {outside[0]}, expected 0 to {len(classes) - 1}")
    lengths = frame["soft_label"].list.len()
    # Single precision: the sum of a few rounded shares is off by about 1e-7 each.
    off = (lengths != len(classes)) | ((frame["soft_label"].list.sum() - 1).abs() > 1e-5)
    if off.fill_null(True).any():
        first = frame.filter(off.fill_null(True)).row(0, named=True)
        found = np.round(np.array(first["soft_label"] or []), 4).tolist()
        yield Problem(
            where, f"soft_label of {first['clip_id']} is {found}, expected {len(classes)} shares, sum 1"
        )


def _media_problems(frame: pl.DataFrame, where: str, least: int) -> Iterator[Problem]:
    kinds = [name for name in MEDIA_COLUMNS if name in frame.columns]
    for row in frame.select("clip_id", "sha256", *kinds).iter_rows(named=True):
        held = [row[kind]["bytes"] for kind in kinds if row[kind] and row[kind]["bytes"] is not None]
        if not least <= len(held) <= 1:
            yield Problem(where, f"clip {row['clip_id']} holds {len(held)} media, expected one")
        elif held and (found := hashlib.sha256(held[0]).hexdigest()) != row["sha256"]:
            yield Problem(where, f"media of {row['clip_id']} has sha256 {found}, expected {row['sha256']}")


def _file_problems(folder: Path, frame: pl.DataFrame, where: str) -> Iterator[Problem]:
    """Media that are files of their own, against their rows."""
    if FILE_COLUMN not in frame.columns:
        return
    for clip_id, place, digest in frame.select("clip_id", FILE_COLUMN, "sha256").iter_rows():
        path = folder / place
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            yield Problem(where, f"clip {clip_id} names the file {place}, which is not in the release")
        elif (found := sha256_of(path)) != digest:
            yield Problem(place, f"has sha256 {found}, but {digest} in {where}", "Fetch this file again")


def _repeated(clips: Sequence[tuple[str, pl.Series]]) -> Iterator[Problem]:
    """Clips that are there more than once, over all files."""
    every = pl.DataFrame(
        {
            "clip_id": pl.concat([ids for _, ids in clips]),
            "where": pl.concat([pl.repeat(where, len(ids), eager=True) for where, ids in clips]),
        }
    )
    if every["clip_id"].n_unique() == every.height:
        return
    twice = (
        every.filter(pl.col("clip_id").is_duplicated()).group_by("clip_id", maintain_order=True).agg("where")
    )
    for clip_id, (first, *others) in twice.iter_rows():
        for other in others:
            yield Problem(other, f"clip {clip_id} is also in {first}, expected each clip once")


def _count_problems(folder: Path, n_clips: int) -> Iterator[Problem]:
    try:
        told = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["counts"]["clips"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # a file that cannot be read is told elsewhere; metrics of others may have no counts
    if told != n_clips:
        yield Problem("metrics.json", f"counts {told} clips, but data/ and pseudo/ hold {n_clips}")
