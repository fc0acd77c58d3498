"""The clips of a release and where their media lie: in the tables, in files of their own, or nowhere."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from datasets import Features

from curate.clips.split_names import SPLIT_NAMES
from curate.errors import ReleaseError
from curate.release.content import ReleaseContent
from curate.release.features import FILE_COLUMN, clip_features, to_arrow
from curate.release.published import published_rows
from curate.release.rows import BATCH_ROWS, open_writer
from curate.release.shards import ShardWriter

_FOLDER = "media"
INDEX = "metadata.parquet"
"""What `load_dataset("videofolder", data_dir="media/video")` and its like for images read."""
_INDEXED = (FILE_COLUMN, "clip_id", "split", "reliability_split", "label")


def write_clips(folder: Path, content: ReleaseContent, shard_bytes: int) -> None:
    """Write data/ and pseudo/, and media/ where the recipe asks for it, some clips at a time.

    Args:
        folder: The release.
        content: What is released.
        shard_bytes: Media that one Parquet file holds before the next is begun.
    """
    items = [item.id for item in content.questionnaire.items]
    how, classes = content.recipe.release.media, content.recipe.task.classes
    kinds = sorted(content.tables.clips["media"].unique())
    columns = {"embed": kinds, "files": [FILE_COLUMN], "none": []}
    features = clip_features(classes, columns[how], items)
    index = []
    rows = published_rows(content)
    for prefix, mine in _parts(folder, rows):
        parts = (rows[mine[begin : begin + BATCH_ROWS]] for begin in range(0, len(mine), BATCH_ROWS))
        match how:
            case "embed":
                _embed(prefix, parts, features, content, shard_bytes)
            case "files":
                index += _write(prefix, (_as_files(folder, content, part) for part in parts), features)
            case "none":
                _write(prefix, parts, features)
    if index:
        _write_index(folder, pl.concat(index).sort("clip_id"), features)


def _parts(folder: Path, rows: pl.DataFrame) -> Iterator[tuple[Path, pl.Series]]:
    """Prefixes of files, and the places of their rows; one without any would make a config of nothing."""
    for split in SPLIT_NAMES:
        for level in ("high", "low", None):
            mine = (rows["split"] == split) & rows["reliability_split"].eq_missing(level)
            prefix = folder / "pseudo" / split if level is None else folder / "data" / f"{split}-{level}"
            if mine.any():
                yield prefix, mine.arg_true()


def _embed(
    prefix: Path,
    parts: Iterable[pl.DataFrame],
    features: Features,
    content: ReleaseContent,
    shard_bytes: int,
) -> None:
    with ShardWriter(prefix, features, shard_bytes) as writer:
        for part in parts:
            for row in part.iter_rows(named=True):
                writer.add(*_released(row, content))


def _write(prefix: Path, parts: Iterable[pl.DataFrame], features: Features) -> list[pl.DataFrame]:
    """Write one file, and return what an index of its media would hold."""
    told = []
    with open_writer(Path(f"{prefix}-00000-of-00001.parquet"), features) as writer:
        for part in parts:
            writer.write_table(to_arrow(part, features))
            told.append(part.select("media", *(name for name in _INDEXED if name in part.columns)))
    return told


def _as_files(folder: Path, content: ReleaseContent, rows: pl.DataFrame) -> pl.DataFrame:
    """Write each clip's media once; the rows with the file's place, and the digest of what lies there."""
    places: list[str] = []
    digests: list[str] = []
    for row in rows.iter_rows(named=True):
        published, media, suffix = _released(row, content)
        place = f"{_FOLDER}/{row['media']}/{row['clip_id'][:2]}/{row['clip_id']}{suffix}"
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(media)
        places.append(place)
        digests.append(published["sha256"])
    return rows.with_columns(pl.Series(FILE_COLUMN, places), pl.Series("sha256", digests))


def _write_index(folder: Path, rows: pl.DataFrame, features: Features) -> None:
    """Beside the files of each kind, a table with what a loader of such folders shows with them."""
    chosen = Features({name: features[name] for name in _INDEXED})
    for kind in rows["media"].unique():
        place = f"{_FOLDER}/{kind}/"
        mine = rows.filter(pl.col("media") == kind).with_columns(pl.col(FILE_COLUMN).str.strip_prefix(place))
        path = folder / place / INDEX
        pq.write_table(to_arrow(mine, chosen), path, compression="zstd", write_page_checksum=True)


def _released(row: dict[str, Any], content: ReleaseContent) -> tuple[dict[str, Any], bytes, str]:
    """The row with its media and the suffix of their file."""
    stand_in = content.stand_ins.get(row["clip_id"])
    if stand_in is None:
        media, suffix = content.media(row["uri"]), PurePosixPath(row["name"]).suffix.lower()
    else:
        row, media, suffix = {**row, "sha256": stand_in.sha256}, stand_in.read(), stand_in.file.suffix
    _check_media(row, media)
    return row, media, suffix


def _check_media(row: dict[str, Any], media: bytes) -> None:
    """The bytes must be those that the row was made from."""
    found = hashlib.sha256(media).hexdigest()
    if found != row["sha256"]:
        raise ReleaseError(
            f"{row['uri']}: its bytes have sha256 {found}, but {row['sha256']} when it was read. "
            "The file has changed: run again"
        )
