"""Clips from a folder of media files."""

import os
from pathlib import Path

from curate.clips.finding import Finding
from curate.clips.raw import RawClip
from curate.errors import InputError, Problem

BESIDE_MEDIA = {
    *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".md", ".rst", ".yaml", ".yml"),
    *(".html", ".xml", ".srt", ".vtt", ".parquet", ".xlsx", ".pdf"),
}
"""Suffixes of files that lie beside media and are passed over without a word."""


RUN_FILES = {"manifest.json", "clips.parquet"}
"""Files by which the folder of a run is known."""


def folder_clips(root: Path) -> tuple[list[RawClip], list[Finding]]:
    """Every file below `root` that could be media, sorted by name.

    Returns:
        The clips, and a finding for each file whose name is no text.

    Raises:
        InputError: There is no such folder, or nothing in it.
    """
    if not root.is_dir():
        found = "is a file" if root.exists() else "does not exist"
        raise InputError("clips", [Problem("clips.path", f"{root} {found}, expected a folder of media")])
    names = media_names(root)
    if not names:
        problem = Problem("clips.path", f"{root} holds no file that could be media", "Check the path")
        raise InputError("clips", [problem])
    findings = [_nameless(name) for name in names if not _is_text(name)]
    return [RawClip(name, uri=name) for name in names if _is_text(name)], findings


def media_names(root: Path) -> list[str]:
    """Paths relative to `root`, with / between their parts, sorted.

    Passed over: hidden files and folders, files of `BESIDE_MEDIA`, and the
    folders of runs, whose pictures are no clips. Links are followed, once.
    """
    names, seen = [], set[str]()
    for folder, inner, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen or (Path(folder) != root and set(files) >= RUN_FILES):
            inner.clear()
            continue
        seen.add(real)
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        names += [Path(folder, name).relative_to(root).as_posix() for name in files if _may_be_media(name)]
    return sorted(names)


def _is_text(name: str) -> bool:
    """Whether a name can be written to a table: file systems allow bytes that are no UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _nameless(name: str) -> Finding:
    shown = os.fsencode(name).decode("utf-8", "backslashreplace")
    return Finding(shown, shown, "media", "has a name that is not UTF-8", fix="Rename the file")


def _may_be_media(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() not in BESIDE_MEDIA
