"""Clips from a folder of media files."""

import os
from pathlib import Path

from curate.clips.raw import RawClip
from curate.errors import InputError, Problem

BESIDE_MEDIA = {
    *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".md", ".rst", ".yaml", ".yml"),
    *(".html", ".xml", ".srt", ".vtt", ".parquet", ".xlsx", ".pdf"),
}
"""Suffixes of files that lie beside media and are passed over without a word."""


RUN_FILES = {"manifest.json", "clips.parquet"}
"""Files by which the folder of a run is known."""


def folder_clips(root: Path) -> list[RawClip]:
    """Every file below `root` that could be media, sorted by name.

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
    return [RawClip(name, uri=name) for name in names]


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


def _may_be_media(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() not in BESIDE_MEDIA
