"""Whether the files behind a recipe's clips have changed since they were read."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from curate.clips.listing import listing
from curate.files import sha256_of
from curate.recipe import Clips, FolderClips, GoldFile


def fingerprint(clips: Clips, truth: GoldFile | None = None) -> str:
    """sha256, as hex, that changes whenever a file of the recipe's clips section does.

    Label files count by content; media, which may be large, by path, size and
    time of change. Nothing is opened that is not there: a file that is missing
    counts as missing. Of a dataset on the Hub nothing can be told without the
    network, so that only its name and revision, which the recipe holds, decide.
    """
    lines = [*_label_lines(clips, truth), *_media_lines(clips)]
    # File names may hold bytes that are no UTF-8; they count as they are.
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def places_fingerprint(*places: Path | str | None) -> str:
    """sha256, as hex, that changes whenever a file in one of some folders does, or one of some files.

    By path, size and time of change. A place that is not there is a name on
    the Hub, of which nothing more can be told.
    """
    lines = [f"{place} {line}" for place in places if place for line in _stats(Path(place))]
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def _stats(place: Path) -> Iterator[str]:
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    for file in files:
        if file.is_file():
            seen = file.stat()
            yield f"{file.relative_to(place).as_posix()} {seen.st_size} {seen.st_mtime_ns}"


def _label_lines(clips: Clips, truth: GoldFile | None) -> Iterator[str]:
    labels = clips.labels if isinstance(clips, FolderClips) else None
    for file in (labels, clips.votes, clips.gold, truth, *clips.classifiers):
        if file:
            yield f"{file.file} {sha256_of(file.file) if file.file.is_file() else 'missing'}"


def _media_lines(clips: Clips) -> Iterator[str]:
    root = Path(clips.path)
    for name in _names(clips, root) if root.is_dir() else ():
        if (root / name).is_file():
            seen = (root / name).stat()
            yield f"{name} {seen.st_size} {seen.st_mtime_ns}"


def _names(clips: Clips, root: Path) -> list[str]:
    """Files that clips are read from; of a dataset, all."""
    if isinstance(clips, FolderClips):
        return list(listing(root).names)
    return sorted(file.relative_to(root).as_posix() for file in root.rglob("*"))
