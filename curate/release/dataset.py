"""Writes a release: an ordinary Hugging Face dataset folder.

README.md  metrics.json  croissant.json
data/{train,validation,test}-{high,low}-*.parquet    clips that came with a label, media inside
pseudo/{train,validation,test}-*.parquet             clips that came without one, media inside
media/                                               the media, where they are files of their own
answers/*.parquet  votes/*.parquet                   long tables
{keypoints,features,embeddings}/*.parquet            a row a clip, with all its frames, where there are any
provenance/                                          how it came about, and the schemas
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast, get_args

import polars as pl
import pyarrow.parquet as pq

from curate.errors import ReleaseError
from curate.release.card import render_card
from curate.release.card_parts import CARD, patched
from curate.release.check import check_release
from curate.release.compare.changes import CHANGES
from curate.release.compare.difference import Difference, difference
from curate.release.compare.edition import Edition
from curate.release.compare.version import settle_version
from curate.release.content import LONG_TABLES, PROVENANCE_TABLES, ReleaseContent
from curate.release.croissant import CROISSANT, croissant
from curate.release.features import table_features
from curate.release.integrity import FACTS, read_facts, write_facts
from curate.release.media import write_clips
from curate.release.rows import batches, write_batches, write_rows
from curate.release.sequences import write_sequences
from curate.release.shards import SHARD_BYTES
from curate.resources import resource
from curate.tables import TableName


def write_release(folder: Path, content: ReleaseContent, *, shard_bytes: int = SHARD_BYTES) -> None:
    """Write a release, check it, and only then put it in the folder's place.

    The same content gives the same bytes. Media are read clip by clip, so that
    memory does not grow with the release. What people wrote into the card of the
    release that is replaced, outside curate's own part, stays.

    Args:
        folder: Where the release goes; an earlier release there is replaced.
        content: What is released.
        shard_bytes: Media that one Parquet file holds before the next is begun.

    Raises:
        ReleaseError: The folder holds something else, clips and labels do not
            match, media have changed, the version is lower than the changes ask
            for, or the written release does not pass `check_release`. The folder
            is then as it was.
    """
    folder = folder.resolve()
    if folder.exists() and not _may_replace(folder):
        raise ReleaseError(
            f"{folder}: holds something that is no release of curate. Name another folder, or empty this one"
        )
    _check_clips(content)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by a run that was killed
    try:
        _write_parts(partial, content, shard_bytes)
        _write_card(partial, content, folder / CARD)
        check_release(partial)
        _swap(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_clips(content: ReleaseContent) -> None:
    given, refined = content.tables.clips, content.tables.labels
    if given["clip_id"].sort().equals(refined["clip_id"].sort()):
        return
    if missing := sorted(set(given["clip_id"]) ^ set(refined["clip_id"])):
        raise ReleaseError(
            f"clips and labels: {len(missing)} clips are in only one of the two tables, such as "
            f"{missing[0]}. Make the labels again from these clips"
        )


def _may_replace(folder: Path) -> bool:
    return folder.is_dir() and ((folder / FACTS).is_file() or not any(folder.iterdir()))


def _write_parts(partial: Path, content: ReleaseContent, shard_bytes: int) -> None:
    (partial / "provenance" / "schema").mkdir(parents=True)
    long = {partial / name / "train-00000-of-00001.parquet": name for name in LONG_TABLES}
    every = long | {partial / "provenance" / f"{name}.parquet": name for name in PROVENANCE_TABLES}
    frames: dict[Path, pl.DataFrame] = {path: getattr(content.tables, name) for path, name in every.items()}
    # One after the other: two at once would hold twice as much.
    write_clips(partial, content, shard_bytes)
    if "answers" in content.stored:
        _copy_answers(partial, content.stored["answers"], content.tables.clips)
    for path, frame in frames.items():
        if frame.height or path not in long:
            _write_table(path, every[path], frame)
    if content.sequences:
        write_sequences(partial, content.sequences, set(content.tables.clips["clip_id"]))
    _write_provenance(partial / "provenance", content)
    _write_json(partial / "metrics.json", content.metrics)


def _copy_answers(partial: Path, stored: Path, clips: pl.DataFrame) -> None:
    """Table answers from the run's file, of the clips that are released, some rows at a time."""
    if not pq.read_metadata(stored).num_rows:
        return
    released = clips.select("clip_id")
    others = pl.scan_parquet(stored).join(released.lazy(), on="clip_id", how="anti").select(pl.len())
    parts: Iterator[pl.DataFrame] = batches(stored)
    if others.collect(engine="streaming").item():
        parts = (some.join(released, on="clip_id", how="semi") for some in parts)
    path = partial / "answers" / "train-00000-of-00001.parquet"
    write_batches(path, parts, table_features("answers"))


def _write_table(path: Path, name: TableName, frame: pl.DataFrame) -> None:
    write_rows(path, frame, table_features(name))


def _write_provenance(folder: Path, content: ReleaseContent) -> None:
    released = content.tables.clips
    for number, one in enumerate(content.further, start=1):
        answers = one.answers.join(released, on="clip_id", how="semi")
        keys = answers["calls"].explode().drop_nulls().unique().implode()
        _write_table(folder / f"answers-further-{number}.parquet", "answers", answers)
        calls = one.calls.filter(pl.col("key").is_in(keys))
        _write_table(folder / f"calls-further-{number}.parquet", "calls", calls)
        text = one.questionnaire_text
        (folder / f"questionnaire-further-{number}.yaml").write_text(text, encoding="utf-8")
    for name in cast(tuple[TableName, ...], get_args(TableName)):
        shutil.copyfile(resource(f"schemas/{name}.yaml"), folder / "schema" / f"{name}.yaml")
    (folder / "recipe.yaml").write_text(content.recipe_text, encoding="utf-8")
    (folder / "questionnaire.yaml").write_text(content.questionnaire_text, encoding="utf-8")
    _write_json(folder / "manifest.json", content.manifest)


def _write_card(partial: Path, content: ReleaseContent, earlier: Path) -> None:
    """Settle what changed and which version this is, and say so; then write down every file's digest."""
    changed = None if content.previous is None else _changes(partial, content.previous)
    before = None if content.previous is None else content.previous.version
    version = settle_version(content.recipe.release.version, before, changed.level if changed else None)
    ours = render_card(content, partial, version, changed)
    written = earlier.read_text(encoding="utf-8") if earlier.is_file() else ""
    (partial / CARD).write_text(patched(written, ours), encoding="utf-8")
    _write_json(partial / CROISSANT, croissant(content, partial, version))
    write_facts(partial, _facts(content, version))


def _changes(partial: Path, previous: Edition) -> Difference:
    changed = difference(previous, Edition(partial))
    _write_table(partial / "provenance" / CHANGES, "changes", changed.changes)
    return changed


def _facts(content: ReleaseContent, version: str) -> dict[str, object]:
    previous = content.previous
    facts = read_facts(previous.folder) if previous else {}
    return {
        "name": content.recipe.name,
        "version": version,
        "previous": previous and {"version": previous.version, "name": facts.get("name", "")},
        "media": content.recipe.release.media,
        "licence": content.recipe.release.licence,
        "allow_leakage": sorted(content.recipe.release.allow_leakage),
    }


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
