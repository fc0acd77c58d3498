"""What lies in a folder of media: files that could be clips, and things that cannot, with the reason."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

BESIDE_MEDIA = {
    *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".md", ".rst", ".yaml", ".yml"),
    *(".html", ".xml", ".srt", ".vtt", ".parquet", ".xlsx", ".pdf"),
}
"""Suffixes of files that lie beside media and are passed over without a word."""

RUN_FILES = {"manifest.json", "clips.parquet"}
"""Files by which the folder of a run is known."""

_MEDIA = {
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".3gp"),
    *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".bmp", ".tif", ".tiff"),
}
"""Suffixes that make one expect a file where there is a folder."""

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that is no file of the folder."""

    name: str
    """Path relative to the folder; its bytes may be no UTF-8."""
    what: str
    """What was found, as a sentence without a full stop."""
    fix: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Paths relative to the folder, with / between their parts, sorted."""

    names: tuple[str, ...]
    """Ordinary files that could be media."""
    refused: tuple[Refused, ...]


def listing(root: Path) -> Listing:
    """All that lies below `root` and could be media.

    Passed over: hidden files and folders, files of `BESIDE_MEDIA`, and the
    folders of runs, whose pictures are no clips. Links are followed, once, and
    only to what is below `root`: a folder that came from somebody else must not
    make a private file of this machine part of a dataset. Pipes and devices are
    not opened, as reading them may never end.
    """
    names: list[str] = []
    refused: list[Refused] = []
    for name, place, is_folder in _entries(root, refused):
        if is_folder:
            refused += _hollow(name, place)
        else:
            names.append(name)
    return Listing(tuple(sorted(names)), tuple(sorted(refused, key=lambda one: one.name)))


def _entries(root: Path, refused: list[Refused]) -> Iterator[tuple[str, Path, bool]]:
    """Files and folders below `root`: name, path, and whether it is a folder; the others are refused."""
    home = os.path.realpath(root)
    waiting, seen = [""], {_identity(root.stat())}
    while waiting:
        # Not os.walk, which calls itself: folders can be nested deeper than Python can call.
        folder = waiting.pop()
        folders = []
        for entry in _inside(root, folder, refused):
            name = f"{folder}/{entry}" if folder else entry
            place = root / name
            found = _looked_at(name, place, home)
            if isinstance(found, Refused):
                refused.append(found)
            elif not stat.S_ISDIR(found.st_mode):
                yield name, place, False
            elif _identity(found) not in seen:
                seen.add(_identity(found))
                folders.append(name)
                yield name, place, True
        waiting += reversed(folders)


def _identity(folder: os.stat_result) -> tuple[int, int]:
    """The same by whatever way a folder is reached."""
    return folder.st_dev, folder.st_ino


def _inside(root: Path, folder: str, refused: list[Refused]) -> list[str]:
    """Names in a folder that are not passed over, sorted; none if it is the folder of a run."""
    try:
        found = sorted(entry.name for entry in (root / folder).iterdir())
    except OSError as error:
        refused.append(Refused(folder or ".", f"cannot be opened ({error.strerror})", "Allow reading it"))
        return []
    if folder and set(found) >= RUN_FILES:
        return []
    return [name for name in found if not name.startswith(".") and _may_be_media(root / folder / name)]


def _may_be_media(place: Path) -> bool:
    return place.suffix.lower() not in BESIDE_MEDIA or place.is_dir()


def _looked_at(name: str, place: Path, home: str) -> os.stat_result | Refused:
    """A file or folder; or what is wrong with it."""
    if place.is_symlink() and not Path(real := os.path.realpath(place)).is_relative_to(home):
        what = f"is a link to {_shown(real)}, which is outside of {home}"
        return Refused(name, what, "Put a copy into the folder")
    try:
        found = place.stat()
    except OSError as error:
        if place.is_symlink():
            return Refused(name, "is a link that leads nowhere", "Put the file in its place")
        return Refused(name, f"cannot be opened ({error.strerror})", "Allow reading it")
    kinds = [kind for is_kind, kind in _KINDS if is_kind(found.st_mode)]
    return Refused(name, f"is {kinds[0]}, and no file", "Take it away") if kinds else found


def _hollow(name: str, place: Path) -> list[Refused]:
    """A folder that one would take for a file, and that holds nothing."""
    if place.suffix.lower() not in _MEDIA or _has_entries(place):
        return []
    return [Refused(name, "is an empty folder, and no file", "Put the file in its place")]


def _has_entries(place: Path) -> bool:
    try:
        return next(place.iterdir(), None) is not None
    except OSError:
        return True  # told where it is listed


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")
