"""Writes a release: an ordinary Hugging Face dataset folder.

README.md  metrics.json
data/{train,validation,test}-{high,low}-*.parquet    clips that came with a label, media inside
pseudo/{train,validation,test}-*.parquet             clips that came without one, media inside
answers/*.parquet  votes/*.parquet                   long tables
{keypoints,features,embeddings}/*.parquet            a row a clip, with all its frames, where there are any
provenance/                                          how it came about, and the schemas
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, cast, get_args

import polars as pl
import pyarrow.parquet as pq
from datasets import Features

from curate import tables
from curate.errors import ReleaseError
from curate.release.card import render_card
from curate.release.check import check_release
from curate.release.content import ReleaseContent
from curate.release.features import clip_features, table_features, to_arrow
from curate.release.metrics import SPLITS
from curate.release.rationale import rationales
from curate.release.sequences import write_sequences
from curate.release.shards import ShardWriter
from curate.release.tally import base_answers
from curate.resources import resource
from curate.tables import TableName

SHARD_BYTES = 400_000_000
"""Media in one Parquet file, about; the Hub likes files under 500 MB."""

LONG_TABLES: tuple[TableName, ...] = ("answers", "votes")
PROVENANCE_TABLES: tuple[TableName, ...] = (
    "problems",
    "frames",
    "evidence",
    "labels",
    "instruments",
    "confusions",
    "cautions",
    "certificates",
    "quality",
    "cross_check",
    "context",
    "reasons",
    "calls",
)
_MARK = "provenance/schema/release_clips.yaml"
"""A folder with this file is a release of curate."""


def write_release(folder: Path, content: ReleaseContent, *, shard_bytes: int = SHARD_BYTES) -> None:
    """Write a release, check it, and only then put it in the folder's place.

    The same content gives the same bytes. Media are read clip by clip, so that
    memory does not grow with the release.

    Args:
        folder: Where the release goes; an earlier release there is replaced.
        content: What is released.
        shard_bytes: Media that one Parquet file holds before the next is begun.

    Raises:
        ReleaseError: The folder holds something else, clips and labels do not
            match, media have changed, or the written release does not pass
            `check_release`. The folder is then as it was.
    """
    folder = folder.resolve()
    if folder.exists() and not _may_replace(folder):
        raise ReleaseError(
            f"{folder}: holds something that is no release of curate. Name another folder, or empty this one"
        )
    rows = release_rows(content)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by a run that was killed
    try:
        _write_parts(partial, content, rows, shard_bytes)
        check_release(partial)
        _swap(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def release_rows(content: ReleaseContent) -> pl.DataFrame:
    """The clips as published but for their media, sorted by clip id, with `uri` and `media` kept.

    Raises:
        ReleaseError: Clips and labels are not of the same clips.
    """
    given, refined = content.tables.clips, content.tables.labels
    missing = sorted(set(given["clip_id"]) ^ set(refined["clip_id"]))
    if missing:
        raise ReleaseError(
            f"clips and labels: {len(missing)} clips are in only one of the two tables, such as "
            f"{missing[0]}. Make the labels again from these clips"
        )
    place = {name: index for index, name in enumerate(content.recipe.task.classes)}
    coded = refined.with_columns(
        pl.col("label_given", "label_refined", "pseudo_label").replace_strict(place, return_dtype=pl.Int64)
    )
    return (
        given.drop("label_given")
        .join(coded.with_columns(label=_published_label()), on="clip_id")
        .join(rationales(content.tables.reasons, place), on="clip_id", how="left")
        .join(_answer_columns(content), on="clip_id", how="left")
        .sort("clip_id")
    )


def _published_label() -> pl.Expr:
    accepted = pl.when(pl.col("pseudo_accepted")).then(pl.col("pseudo_label"))
    return pl.when(pl.col("label_given").is_not_null()).then(pl.col("label_refined")).otherwise(accepted)


def _answer_columns(content: ReleaseContent) -> pl.DataFrame:
    """One row a clip, one column q_<item> an item."""
    answers = base_answers(content.tables.answers)
    wide = content.tables.clips.select("clip_id")
    for item in content.questionnaire.items:
        column = answers.filter(pl.col("item") == item.id).select(
            "clip_id", pl.col("answer").alias(f"q_{item.id}")
        )
        wide = wide.join(column, on="clip_id", how="left")
    return wide


def _may_replace(folder: Path) -> bool:
    return folder.is_dir() and ((folder / _MARK).is_file() or not any(folder.iterdir()))


def _write_parts(partial: Path, content: ReleaseContent, rows: pl.DataFrame, shard_bytes: int) -> None:
    (partial / "provenance" / "schema").mkdir(parents=True)
    _write_clips(partial, content, rows, shard_bytes)
    for name in LONG_TABLES:
        frame: pl.DataFrame = getattr(content.tables, name)
        if frame.height:
            _write_table(partial / name / "train-00000-of-00001.parquet", name, frame)
    write_sequences(partial, content.sequences, set(rows["clip_id"]))
    _write_provenance(partial / "provenance", content)
    _write_json(partial / "metrics.json", content.metrics)
    (partial / "README.md").write_text(render_card(content, partial), encoding="utf-8")


def _write_clips(partial: Path, content: ReleaseContent, rows: pl.DataFrame, shard_bytes: int) -> None:
    items = [item.id for item in content.questionnaire.items]
    features = clip_features(content.recipe.task.classes, sorted(rows["media"].unique()), items)
    for split in SPLITS:
        here = rows.filter(pl.col("split") == split)
        for side in ("high", "low"):
            part = here.filter(pl.col("label_given").is_not_null() & (pl.col("reliability_split") == side))
            _write_part(partial / "data" / f"{split}-{side}", part, features, content, shard_bytes)
        part = here.filter(pl.col("label_given").is_null())
        _write_part(partial / "pseudo" / split, part, features, content, shard_bytes)


def _write_part(
    prefix: Path, rows: pl.DataFrame, features: Features, content: ReleaseContent, shard_bytes: int
) -> None:
    if not rows.height:
        return  # a file without rows would give a config a split that holds nothing
    with ShardWriter(prefix, features, shard_bytes) as writer:
        for row in rows.iter_rows(named=True):
            writer.add(*_released(row, content))


def _released(row: dict[str, Any], content: ReleaseContent) -> tuple[dict[str, Any], bytes, str]:
    """The row with its media and the suffix of their file."""
    stand_in = content.stand_ins.get(row["clip_id"])
    if stand_in is None:
        return row, content.media(row["uri"]), PurePosixPath(row["name"]).suffix.lower()
    return {**row, "sha256": stand_in.sha256}, stand_in.read(), stand_in.file.suffix


def _write_table(path: Path, name: TableName, frame: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrow = to_arrow(tables.validate(name, frame), table_features(name))
    pq.write_table(arrow, path, compression="zstd", use_content_defined_chunking=True)


def _write_provenance(folder: Path, content: ReleaseContent) -> None:
    for name in PROVENANCE_TABLES:
        _write_table(folder / f"{name}.parquet", name, getattr(content.tables, name))
    for name in cast(tuple[TableName, ...], get_args(TableName)):
        shutil.copyfile(resource(f"schemas/{name}.yaml"), folder / "schema" / f"{name}.yaml")
    (folder / "recipe.yaml").write_text(content.recipe_text, encoding="utf-8")
    (folder / "questionnaire.yaml").write_text(content.questionnaire_text, encoding="utf-8")
    _write_json(folder / "manifest.json", content.manifest)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _swap(partial: Path, folder: Path) -> None:
    """Put a finished folder in place; the old one goes only once the new one stands."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
