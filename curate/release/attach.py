"""Joins a release without media to somebody's own copy of them, by the bytes."""

import mimetypes
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
from datasets import Features, Image, Video

from curate import tables
from curate.clips.pool import in_threads
from curate.errors import ReleaseError
from curate.files import sha256_of
from curate.release.check_clips import clip_files
from curate.release.features import MEDIA_COLUMNS
from curate.release.integrity import CLAIMS, read_facts, write_facts
from curate.release.shards import SHARD_BYTES, ShardWriter


@dataclass(frozen=True, slots=True)
class Attached:
    """What came of it."""

    n_clips: int
    n_found: int
    missing: tuple[str, ...]
    """Names of clips whose bytes are in no file of the folder."""


def attach(release: Path, media: Path, out: Path) -> Attached:
    """Write a copy of a release in which each row holds its media.

    Files are found by their sha256, whatever they are called. A clip whose media
    are not among them keeps its row, with null in the place of media.

    Args:
        release: A release that was made with `release.media: none`.
        media: A folder, searched with its subfolders.
        out: Where the copy goes; nothing may be there.

    Raises:
        ReleaseError: The release holds media already, no file of the folder
            belongs to it, or something is at `out`.
    """
    held = read_facts(release).get("media")
    if held != "none":
        raise ReleaseError(
            f"{release}: says media: {held!r}, expected a release that was made with media: none"
        )
    if out.exists():
        raise ReleaseError(f"{out}: is there already. Name another folder")
    files = _by_digest(media)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(release, partial)
    names, missing = list[str](), list[str]()
    for path in clip_files(partial):
        rows = pl.read_parquet(path)
        names += rows["name"].to_list()
        missing += _filled(path, rows, files)
    if len(missing) == len(names):
        shutil.rmtree(partial)
        raise ReleaseError(f"{media}: none of its {len(files)} files belongs to a clip of {release}")
    facts = {name: value for name, value in read_facts(release).items() if name not in CLAIMS}
    write_facts(partial, {**facts, "media": "attached"})
    partial.rename(out)
    return Attached(len(names), len(names) - len(missing), tuple(sorted(missing)))


def _by_digest(media: Path) -> dict[str, Path]:
    files = sorted(path for path in media.rglob("*") if path.is_file())
    return dict(zip(in_threads(sha256_of, files), files, strict=True))


def _filled(path: Path, rows: pl.DataFrame, files: Mapping[str, Path]) -> list[str]:
    """Write the clips of one file again, with media; the names of those that have none."""
    features = Features.from_arrow_schema(pq.read_schema(path))
    kinds = [_kind(name, duration) for name, duration in rows.select("name", "duration_s").iter_rows()]
    media = {"video": Video(decode=False), "image": Image()}
    every = {**features, **{name: media[name] for name in MEDIA_COLUMNS if name in kinds}}
    order = list(tables.schema("release_clips").columns)
    features = Features(dict(sorted(every.items(), key=lambda one: _place(one[0], order))))
    path.unlink()
    prefix = Path(str(path).rpartition("-00000-of-")[0])
    missing = []
    with ShardWriter(prefix, features, SHARD_BYTES) as writer:
        for row, kind in zip(rows.iter_rows(named=True), kinds, strict=True):
            if found := files.get(row["sha256"]):
                writer.add({**row, "media": kind}, found.read_bytes(), found.suffix.lower())
            else:
                missing.append(str(row["name"]))
                writer.add({**row, "media": kind}, None, "")
    return missing


def _place(column: str, order: Sequence[str]) -> int:
    """Where the schema has a column; answers, which it knows by a pattern, at the end as they are."""
    return order.index(column) if column in order else len(order)


def _kind(name: str, duration_s: float | None) -> str:
    told = (mimetypes.guess_type(name)[0] or "").partition("/")[0]
    if told in MEDIA_COLUMNS:
        return told
    return "image" if duration_s is None else "video"
