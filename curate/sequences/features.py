"""Features that came with the clips, as rows of table features."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.clips.finding import Action, Finding
from curate.clips.names import ClipNames
from curate.clips.pool import Progress
from curate.errors import MediaError
from curate.recipe.sequences import FeatureFiles
from curate.sequences.archive import Archive, open_archive
from curate.sequences.columns import Row
from curate.sequences.keypoints import GIVEN
from curate.sequences.matching import ListedClip, check_any_matched, listed_clips, names_of, unmatched
from curate.sequences.openface import OpenFaceTable, openface_table

_KEY = "clips.features.path"
_MOST_BYTES = 1_000_000_000
"""Of one file: an hour of all that OpenFace can tell takes half of it."""


@dataclass(frozen=True, slots=True)
class _Files:
    """Names of files, by the position of the clip that each is about."""

    found: Mapping[int, Sequence[str]]
    lost: Sequence[str]
    unclear: Sequence[str]


def read_features(
    clips: pl.DataFrame, files: FeatureFiles, *, folder: str = "", progress: Progress | None = None
) -> Iterator[Row | Finding]:
    """Read the features of every clip; one clip is in memory at a time.

    Args:
        clips: Table clips.
        files: The recipe's section; its path is absolute: a folder, or a ZIP file.
        folder: Name of the clips' own folder, which files may put before a path.
        progress: Told (done, total) after each clip.

    Returns:
        Findings on files that no clip answers to; then by clip id each clip's
        row, or why it has none, and what was odd about it.

    Raises:
        InputError: There is no such folder, or no file in it is about a clip.
    """
    listed = listed_clips(clips)
    names = names_of(listed, folder)
    with open_archive(files.path, _KEY) as archive:
        candidates = [name for name in archive.names() if name.lower().endswith(".csv")]
        by_clip = _by_clip(candidates, names)
        check_any_matched(files.path, _KEY, len(by_clip.found), candidates, names)
        yield from unmatched(files.path, "features", by_clip.lost, by_clip.unclear)
        reader = _Reader(archive, files)
        for position, clip in enumerate(listed):
            yield from reader.results(clip, by_clip.found.get(position, ()))
            if progress:
                progress(position + 1, len(listed))


def _by_clip(file_names: Sequence[str], names: ClipNames) -> _Files:
    """A file is called as the clip; a path that names a clip goes before a name alone."""
    found: dict[int, list[str]] = {}
    lost, unclear = list[str](), list[str]()
    for name in file_names:
        stem = PurePosixPath(name).with_suffix("")
        places = names.find(stem.as_posix()) or names.find(stem.name)
        if len(places) == 1:
            found.setdefault(places[0], []).append(name)
        else:
            (unclear if places else lost).append(name)
    return _Files(found, lost, unclear)


@dataclass(frozen=True, slots=True)
class _Reader:
    archive: Archive
    files: FeatureFiles

    def results(self, clip: ListedClip, names: Sequence[str]) -> Iterator[Row | Finding]:
        if not names:
            yield self._finding(clip, "no file is called as the clip", "set_aside")
            return
        if len(names) > 1:
            what = f"{len(names)} files are called as the clip: {', '.join(names[:3])}"
            yield self._finding(clip, what, "set_aside")
            return
        try:
            table = openface_table(self.archive.read(names[0], _MOST_BYTES), self.files.columns)
            t_s = _times(table, clip)
        except MediaError as error:
            yield self._finding(clip, f"file {names[0]} {error}", "set_aside")
            return
        yield _row(clip, table, t_s)
        if table.n_faces > 1:
            what = f"file {names[0]} has {table.n_faces} faces; the one found most surely is kept"
            yield self._finding(clip, what, "read")

    def _finding(self, clip: ListedClip, what: str, action: Action) -> Finding:
        return Finding(self.files.path.name, clip.name, "features", what, action)


def _row(clip: ListedClip, table: OpenFaceTable, t_s: NDArray[np.float64]) -> Row:
    return {
        "clip_id": clip.clip_id,
        "source": GIVEN,
        "names": list(table.names),
        "t_s": t_s,
        "values": table.values,
    }


def _times(table: OpenFaceTable, clip: ListedClip) -> NDArray[np.float64]:
    """Shape (n_frames,) [s].

    By the file's timestamps; else by its frames' numbers, else by its rows, at
    the clip's rate. OpenFace counts frames from 1; tables of others that begin with 0 count from there.
    """
    n_frames = len(table.values)
    if table.times_s is not None and (n_frames == 1 or _rises(table.times_s)):
        return table.times_s
    numbers = table.frames if table.frames is not None else np.arange(n_frames, dtype=np.float64)
    if n_frames > 1 and not _rises(numbers):
        raise MediaError("has frames that are not in order of time")
    if clip.fps is None and n_frames > 1:
        raise MediaError(f"has {n_frames} frames without times, and the clip has no frame rate")
    times_s: NDArray[np.float64] = (numbers - min(1.0, numbers[0])) / (clip.fps or 1)
    return times_s


def _rises(values: NDArray[np.float64]) -> bool:
    return bool((np.diff(values) > 0).all() and values[0] >= 0)
