"""Files that came with the clips, and the clips that they are about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curate.clips.finding import Finding, Kind
from curate.clips.names import ClipNames, clip_names
from curate.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class ListedClip:
    """What is asked of a clip."""

    clip_id: str
    name: str
    uri: str
    media: str
    duration_s: float | None
    fps: float | None
    width: int
    height: int


def listed_clips(clips: pl.DataFrame) -> list[ListedClip]:
    """Table clips by clip id."""
    columns = clips.sort("clip_id").select(ListedClip.__slots__)
    return [ListedClip(*row) for row in columns.iter_rows()]


def names_of(clips: Sequence[ListedClip], folder: str = "") -> ClipNames:
    """Finds clips by name; positions are those in `clips`."""
    return clip_names((clip.name for clip in clips), folder)


def unmatched(place: Path, kind: Kind, lost: Sequence[str], unclear: Sequence[str]) -> Iterator[Finding]:
    """One finding on the files that no clip answers to, and one on those that several do.

    One and not one a file, as there can be millions.
    """
    for files, what, fix in (
        (lost, "name no clip", "Call them, or their folder, as the clip"),
        (unclear, "can mean several clips", "Put them into a folder, as the clips are"),
    ):
        if files:
            yield Finding(place.name, None, kind, f"{len(files)} files {what}, such as {files[0]}", fix=fix)


def check_any_matched(place: Path, key: str, n_found: int, files: Sequence[str], names: ClipNames) -> None:
    """Refuse a folder of which not one file is about a clip.

    Raises:
        InputError: There are clips, and no file is about any.
    """
    if n_found or not names.names:
        return
    said = f"none of its {len(files)} files names a clip, such as {files[0]}" if files else "holds none"
    what = f"{place}: {said}; the clips are called {names.names[0]!r} and so on"
    raise InputError(str(place), [Problem(key, what, "Check the path in the recipe")])
