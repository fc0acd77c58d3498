"""How the bytes of a clip's media are reached, by the uri of table clips."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from curate.clips.dataset import load_splits
from curate.errors import MediaError
from curate.recipe import Clips, FolderClips


class MediaStore(Protocol):
    """Opens media by uri; safe to use from several threads."""

    def open(self, uri: str) -> Path | bytes:
        """The file, or the bytes where there is no file.

        Raises:
            MediaError: There is nothing under that uri.
        """
        ...


@dataclass(frozen=True, slots=True)
class FolderStore:
    """Media files in a folder; a uri is a path relative to it, with / between its parts."""

    root: Path

    def open(self, uri: str) -> Path:
        """The file's path."""
        place = self.root / uri
        if not _is_file(place):
            raise MediaError(f"{uri} is no longer in {self.root}")
        return place


@dataclass(frozen=True, slots=True)
class DatasetStore:
    """A media column of a Hugging Face dataset; a uri is "split/row", rows from 0."""

    splits: Mapping[str, Any]
    """Split name to `datasets.Dataset` of the media column alone, not decoded."""
    column: str

    def open(self, uri: str) -> Path | bytes:
        """The row's bytes, or the file that the row points to."""
        split, _, row = uri.rpartition("/")
        value = self.splits[split][int(row)][self.column]
        if not value:
            raise MediaError(f"{uri} has no media in column {self.column}")
        if value["bytes"] is not None:
            return bytes(value["bytes"])
        place = Path(value["path"] or "")
        if not _is_file(place):
            raise MediaError(f"{uri} points to {str(value['path'])!r}, and no such file is there")
        return place


def media_store(clips: Clips) -> MediaStore:
    """The store that the uris of a recipe's clips refer to.

    Raises:
        InputError: The dataset cannot be loaded.
    """
    if isinstance(clips, FolderClips):
        return FolderStore(clips.path)
    return dataset_store(load_splits(clips), clips.media)


def dataset_store(splits: Mapping[str, Any], column: str) -> DatasetStore:
    """The store of a dataset that `load_splits` loaded."""
    # The other columns are left behind: some could not even be read without their decoders.
    alone = {name: split.select_columns([column]).with_format(None) for name, split in splits.items()}
    return DatasetStore(alone, column)


def media_bytes(place: Path | bytes) -> bytes:
    """The bytes themselves.

    Raises:
        MediaError: The file cannot be read any more.
    """
    if isinstance(place, bytes):
        return place
    try:
        return place.read_bytes()
    except OSError as error:
        raise MediaError(f"{place} cannot be opened ({error.strerror})") from error


def _is_file(place: Path) -> bool:
    """Whether a file is there, and no pipe or device, which a decoder would wait for.

    Raises:
        MediaError: It cannot be told.
    """
    try:
        return place.is_file()
    except OSError as error:
        raise MediaError(f"{place.name} cannot be opened ({error.strerror})") from error
