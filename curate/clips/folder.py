"""Clips from a folder of media files."""

import os
from pathlib import Path

from curate.clips.finding import Finding
from curate.clips.listing import listing
from curate.clips.raw import RawClip
from curate.errors import InputError, Problem


def folder_clips(root: Path) -> tuple[list[RawClip], list[Finding]]:
    """Every file below `root` that could be media, sorted by name.

    Returns:
        The clips, and a finding for each that cannot be one: its name is no text,
        it is no ordinary file, or a link leads out of the folder.

    Raises:
        InputError: There is no such folder, or nothing in it.
    """
    if not root.is_dir():
        found = "is a file" if root.exists() else "does not exist"
        raise InputError("clips", [Problem("clips.path", f"{root} {found}, expected a folder of media")])
    there = listing(root)
    if not there.names and not there.refused:
        problem = Problem("clips.path", f"{root} holds no file that could be media", "Check the path")
        raise InputError("clips", [problem])
    findings = [_finding(one.name, one.what, one.fix) for one in there.refused]
    findings += [
        _finding(name, "has a name that is not UTF-8", "Rename the file")
        for name in there.names
        if not _is_text(name)
    ]
    return [RawClip(name, uri=name) for name in there.names if _is_text(name)], findings


def _is_text(name: str) -> bool:
    """Whether a name can be written to a table: file systems allow bytes that are no UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _finding(name: str, what: str, fix: str) -> Finding:
    shown = os.fsencode(name).decode("utf-8", "backslashreplace")
    return Finding(shown, shown, "media", what, fix=fix)
