"""Files of clips' media that other programs can open: the originals, else what a release holds of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import polars as pl
import pyarrow.parquet as pq

from curate.errors import MediaError
from curate.files import replaced
from curate.release.compare.edition import Edition
from curate.release.features import FILE_COLUMN, MEDIA_COLUMNS

_NAME_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Places:
    """Where the media of clips lie."""

    files: dict[str, Path]
    """By clip id."""
    missing: tuple[str, ...]
    """Ids of clips whose media are nowhere."""


def media_places(
    clips: pl.DataFrame, release: Edition, folder: Path, original: Callable[[str], Path | bytes] | None = None
) -> Places:
    """Find a file for each clip, and write one where the media lie inside something else.

    Args:
        clips: Columns clip_id, name and sha256 (of what is shown).
        release: Holds the media of clips whose original is gone, if it holds any.
        folder: Where files are written that are nowhere else: named by what is in them, so that a
            second call finds them.
        original: Opens a clip's own media by its id, as `curate.run_media.seen_media` does.
    """
    files = dict[str, Path]()
    for clip_id, name, sha256 in clips.select("clip_id", "name", "sha256").iter_rows():
        if original is not None and (found := _opened(original, clip_id)) is not None:
            files[clip_id] = found if isinstance(found, Path) else _written(folder, sha256, name, found)
    lost = set(clips["clip_id"]) - files.keys()
    if lost:
        files |= _from_release(release, lost, folder)
    return Places(files, tuple(sorted(set(clips["clip_id"]) - files.keys())))


def _opened(original: Callable[[str], Path | bytes], clip_id: str) -> Path | bytes | None:
    try:
        found = original(clip_id)
    except MediaError:
        return None
    return found.resolve() if isinstance(found, Path) else found


def _written(folder: Path, sha256: str, name: str, media: bytes) -> Path:
    path = folder / f"{sha256[:_NAME_DIGITS]}{PurePosixPath(name).suffix.lower()}"
    if not path.is_file():
        with replaced(path) as partial:
            partial.write_bytes(media)
    return path.resolve()


def _from_release(release: Edition, wanted: set[str], folder: Path) -> dict[str, Path]:
    """Files of a release as they lie, or its embedded bytes as files."""
    found = dict[str, Path]()
    for path in release.clip_files():
        names = pq.read_schema(path).names
        media = [name for name in (*MEDIA_COLUMNS, FILE_COLUMN) if name in names]
        if not media:
            continue
        with pq.ParquetFile(path) as opened:
            for batch in opened.iter_batches(batch_size=64, columns=["clip_id", "name", "sha256", *media]):
                rows = batch.to_pylist()
                for row in rows:
                    if row["clip_id"] in wanted and (place := _place(release, row, media, folder)):
                        found[row["clip_id"]] = place
    return found


def _place(release: Edition, row: dict[str, object], media: Iterable[str], folder: Path) -> Path | None:
    for name in media:
        value = row[name]
        if name == FILE_COLUMN and isinstance(value, str):
            place = release.folder / value
            return place.resolve() if place.is_file() else None
        if isinstance(value, dict) and value.get("bytes") is not None:
            return _written(folder, str(row["sha256"]), str(row["name"]), value["bytes"])
    return None
