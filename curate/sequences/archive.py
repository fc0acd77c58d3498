"""A folder or ZIP file with many small files; nothing is unpacked, and nothing outside is read."""

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from curate.errors import InputError, MediaError, Problem

# RuntimeError: it wants a password, or is packed in a way that is not known (NotImplementedError is one).
_UNPACKING = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


class Archive(Protocol):
    """Files by name."""

    def names(self) -> list[str]:
        """Paths of all files below, sorted, with / between their parts; hidden ones are left out."""
        ...

    def read(self, name: str, most_bytes: int) -> bytes:
        """The content of a file.

        Raises:
            MediaError: It cannot be read, or is longer than `most_bytes`; the words begin with a verb.
        """
        ...


@dataclass(frozen=True, slots=True)
class FolderArchive:
    """Files below a folder; links are followed if they lead to a file that is below it too."""

    root: Path

    def names(self) -> list[str]:
        """Paths of all files below, sorted."""
        found = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            below = Path(folder).relative_to(self.root).as_posix()
            prefix = "" if below == "." else f"{below}/"
            found += [f"{prefix}{name}" for name in files if not name.startswith(".")]
        return sorted(found)

    def read(self, name: str, most_bytes: int) -> bytes:
        """The content of a file."""
        path = self.root / name
        if path.is_symlink() and not path.resolve().is_relative_to(self.root.resolve()):
            raise MediaError("is a link that leads out of the folder")
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise MediaError("is no file")
            with path.open("rb") as opened:
                return _bounded(opened.read(most_bytes + 1), most_bytes)
        except OSError as error:
            raise MediaError(f"cannot be read ({error.strerror})") from error


@dataclass(frozen=True, slots=True)
class ZipArchive:
    """Members of an open ZIP file; their names are only names, as nothing is written."""

    opened: zipfile.ZipFile

    def names(self) -> list[str]:
        """Names of all members, sorted."""
        members = (info.filename for info in self.opened.infolist() if not info.is_dir())
        return sorted(name for name in members if not _is_hidden(name))

    def read(self, name: str, most_bytes: int) -> bytes:
        """The content of a member; no more is unpacked than is allowed, whatever its header says."""
        try:
            with self.opened.open(name) as member:
                return _bounded(member.read(most_bytes + 1), most_bytes)
        except _UNPACKING as error:
            raise MediaError(f"cannot be unpacked ({error})") from error


@contextmanager
def open_archive(path: Path, key: str) -> Iterator[Archive]:
    """Open a folder or ZIP file.

    Args:
        path: Where it is.
        key: Where the recipe names it.

    Raises:
        InputError: There is nothing, or something else.
    """
    if path.is_dir():
        yield FolderArchive(path)
        return
    if not path.exists():
        problem = Problem(key, f"{path}: no such folder or file", "Check the path in the recipe")
        raise InputError(str(path), [problem])
    try:
        opened = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        problem = Problem(key, f"{path}: is neither a folder nor a ZIP file ({error})")
        raise InputError(str(path), [problem]) from error
    with opened:
        yield ZipArchive(opened)


def _bounded(content: bytes, most_bytes: int) -> bytes:
    if len(content) > most_bytes:
        raise MediaError(f"is longer than {most_bytes} bytes")
    return content


def _is_hidden(name: str) -> bool:
    """Also what macOS adds to a ZIP file."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
