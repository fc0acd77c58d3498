"""Copies of releases without media: enough to be held against the next one, at a small part of the bytes."""

import shutil
from pathlib import Path, PurePosixPath
from typing import Any

import httpx2
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem
from huggingface_hub import HfFileSystem
from huggingface_hub.errors import HfHubHTTPError

from curate.errors import ReleaseError, in_short
from curate.release.compare.edition import Edition
from curate.release.features import MEDIA_COLUMNS
from curate.release.hub.reference import HubReference
from curate.release.integrity import FACTS

_WITH_MEDIA = ("data", "pseudo")
_LEFT_OUT = ("media", "keypoints", "features", "embeddings")
"""Folders of which a comparison reads nothing."""


def light_copy(source: Path | HubReference, target: Path) -> Edition:
    """Copy a release without its media.

    Of tables with media only the other columns are read, also over the network.

    Args:
        source: A release.
        target: Where the copy goes; takes the place of one that is there, once it is whole.

    Raises:
        ReleaseError: There is no release, or it cannot be read.
    """
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _copy(source, partial)
    except (OSError, HfHubHTTPError, httpx2.HTTPError) as error:
        raise ReleaseError(f"{source}: cannot be read: {in_short(error)}") from error
    if not (partial / FACTS).is_file():
        shutil.rmtree(partial, ignore_errors=True)
        raise ReleaseError(f"{source}: is no release of curate: it has no {FACTS}")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return Edition(target)


def _copy(source: Path | HubReference, partial: Path) -> None:
    files, root = _opened(source)
    for found in sorted(files.find(root)):
        name = PurePosixPath(found).relative_to(PurePosixPath(root))
        if name.parts[0] in _LEFT_OUT:
            continue
        if ".." in name.parts:
            raise ReleaseError(f"{source}: {name} leads out of the release")
        place = partial / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if name.parts[0] in _WITH_MEDIA and name.suffix == ".parquet":
            _copy_without_media(files, found, place)
        else:
            with files.open(found, "rb") as opened, place.open("wb") as written:
                shutil.copyfileobj(opened, written)


def _opened(source: Path | HubReference) -> tuple[Any, str]:
    if isinstance(source, Path):
        return LocalFileSystem(), str(source.resolve())
    # What was listed a while ago may have changed since.
    return HfFileSystem(use_listings_cache=False), f"datasets/{source}"


def _copy_without_media(files: Any, found: str, place: Path) -> None:
    with files.open(found, "rb") as opened, pq.ParquetFile(opened) as table:
        kept = [name for name in table.schema_arrow.names if name not in MEDIA_COLUMNS]
        # In this thread alone: one of arrow's that still holds the file, an object of Python's, when the
        # program ends would bring it down.
        pq.write_table(table.read(columns=kept, use_threads=False), place, compression="zstd")
