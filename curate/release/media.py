"""The clips of a release and where their media lie: in the tables, in files of their own, or nowhere."""

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from datasets import Features

from curate.clips.split_names import SPLIT_NAMES
from curate.errors import ReleaseError
from curate.release.content import ReleaseContent
from curate.release.features import FILE_COLUMN, clip_features, to_arrow
from curate.release.shards import ShardWriter

_FOLDER = "media"
INDEX = "metadata.parquet"
"""What `load_dataset("videofolder", data_dir="media/video")` and its like for images read."""
_INDEXED = (FILE_COLUMN, "clip_id", "split", "reliability_split", "label")
_GROUP_ROWS = 100_000


def write_clips(folder: Path, content: ReleaseContent, rows: pl.DataFrame, shard_bytes: int) -> None:
    """Write data/ and pseudo/, and media/ where the recipe asks for it.

    Args:
        folder: The release.
        content: What is released.
        rows: The clips as published, with `uri` and `media`.
        shard_bytes: Media that one Parquet file holds before the next is begun.
    """
    items = [item.id for item in content.questionnaire.items]
    how, classes = content.recipe.release.media, content.recipe.task.classes
    columns = {"embed": sorted(rows["media"].unique()), "files": [FILE_COLUMN], "none": []}
    features = clip_features(classes, columns[how], items)
    if how == "files":
        rows = _as_files(folder, content, rows)
        _write_index(folder, rows, features)
    for prefix, part in _parts(folder, rows):
        if how == "embed":
            _embed(prefix, part, features, content, shard_bytes)
        else:
            _write(prefix, part, features)


def _parts(folder: Path, rows: pl.DataFrame) -> Iterator[tuple[Path, pl.DataFrame]]:
    """Prefixes of files with their rows; one without rows would give a config a split that holds nothing."""
    labelled = pl.col("label_given").is_not_null()
    for split in SPLIT_NAMES:
        here = rows.filter(pl.col("split") == split)
        parts = {
            folder / "data" / f"{split}-{side}": here.filter(labelled & (pl.col("reliability_split") == side))
            for side in ("high", "low")
        }
        parts[folder / "pseudo" / split] = here.filter(~labelled)
        yield from ((prefix, part) for prefix, part in parts.items() if part.height)


def _embed(
    prefix: Path, rows: pl.DataFrame, features: Features, content: ReleaseContent, shard_bytes: int
) -> None:
    with ShardWriter(prefix, features, shard_bytes) as writer:
        for row in rows.iter_rows(named=True):
            writer.add(*_released(row, content))


def _write(prefix: Path, rows: pl.DataFrame, features: Features) -> None:
    prefix.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        to_arrow(rows, features),
        f"{prefix}-00000-of-00001.parquet",
        row_group_size=_GROUP_ROWS,
        compression="zstd",
        use_content_defined_chunking=True,
        write_page_checksum=True,
    )


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
