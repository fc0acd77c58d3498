"""Tables of a release that may be larger than memory: copied and checked part by part."""

import shutil
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
import pyarrow as arrow
import pyarrow.compute
import pyarrow.parquet as pq

from curate.errors import Problem, ReleaseError
from curate.release.check_clips import clip_files, schema_problems, unreadable
from curate.sequences.parts import parts_of, write_table
from curate.sequences.shapes import SEQUENCES, SequenceName, shape_problems


def write_sequences(folder: Path, sequences: Mapping[SequenceName, Path], clip_ids: Set[str]) -> None:
    """Copy the parts of each table to NAME/train-00000-of-0000N.parquet.

    A part is copied byte for byte, unless it has rows of clips that are not
    released, which are left out. A table without rows is left out: a file
    without rows would give a config that holds nothing.

    Args:
        folder: The release.
        sequences: Folders of parts, by table.
        clip_ids: The clips of the release.

    Raises:
        ReleaseError: A folder is missing.
    """
    for name, place in sequences.items():
        if not place.is_dir():
            raise ReleaseError(f"{place}: is gone. Run again")
        parts = [part for part in parts_of(place) if _ids(part) & clip_ids]
        for part, file in zip(parts, _expected(len(parts)), strict=True):
            target = folder / name / file
            target.parent.mkdir(exist_ok=True)
            if _ids(part) <= clip_ids:
                shutil.copyfile(part, target)
            else:
                table = pq.read_table(part)
                released = arrow.compute.is_in(table["clip_id"], arrow.array(sorted(clip_ids)))
                write_table(table.filter(released), target)


def sequence_problems(folder: Path) -> Iterator[Problem]:
    """What is wrong with these tables in a release, one row group in memory at a time."""
    paths = {name: sorted(folder.glob(f"{name}/*.parquet")) for name in SEQUENCES}
    clip_ids = _released(folder) if any(paths.values()) else frozenset()
    for name, files in paths.items():
        checker = _Checker(folder, name, clip_ids)
        for path, expected in zip(files, _expected(len(files)), strict=True):
            where = path.relative_to(folder).as_posix()
            if path.name != expected:
                yield Problem(where, f"is called so, expected {name}/{expected}", "Write the release again")
            yield from checker.problems(path, where)


@dataclass(slots=True)
class _Checker:
    """Goes through the files of one table in order."""

    folder: Path
    name: SequenceName
    clip_ids: Set[str]
    _last: str = field(default="")

    def problems(self, path: Path, where: str) -> Iterator[Problem]:
        try:
            with pq.ParquetFile(path) as opened:
                for index in range(opened.num_row_groups):
                    frame = pl.DataFrame(pl.from_arrow(opened.read_row_group(index)))
                    yield from self._of_rows(frame, where)
        except (OSError, arrow.ArrowException, pl.exceptions.PolarsError) as error:
            yield unreadable(where, error)

    def _of_rows(self, frame: pl.DataFrame, where: str) -> Iterator[Problem]:
        broken = list(schema_problems(self.folder, self.name, frame, where))
        if broken:
            yield from broken
            return
        for problem in shape_problems(self.name, frame):
            yield replace(problem, where=where, what=f"column {problem.where}: {problem.what}")
        for clip_id in frame["clip_id"]:
            if clip_id not in self.clip_ids:
                yield Problem(where, f"is about clip {clip_id}, which is not in data/ or pseudo/")
            if clip_id <= self._last:
                yield Problem(
                    where, f"clip {clip_id} comes after {self._last}, expected rising ids, each once"
                )
            self._last = clip_id


def _expected(n_files: int) -> Iterator[str]:
    return (f"train-{index:05d}-of-{n_files:05d}.parquet" for index in range(n_files))


def _released(folder: Path) -> Set[str]:
    """Ids of the clips; what cannot be read is told with the clips."""
    found = set[str]()
    for path in clip_files(folder):
        try:
            found |= _ids(path)
        except (OSError, arrow.ArrowException, KeyError):
            continue
    return found


def _ids(path: Path) -> Set[str]:
    return set(pq.read_table(path, columns=["clip_id"])["clip_id"].to_pylist())
