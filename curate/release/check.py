"""Checks a release as a stranger would: from its own files and schemas, with pandera alone."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as arrow
import pyarrow.parquet as pq
import yaml

from curate.errors import Problem, ReleaseError
from curate.release.card_parts import CARD, front_matter, mark_problems
from curate.release.check_clips import clip_files, clip_problems, schema_problems, unique_key, unreadable
from curate.release.consistency import consistency_problems
from curate.release.content import PROVENANCE_TABLES
from curate.release.integrity import FACTS, integrity_problems, is_from_the_future
from curate.release.rows import batches, hash_of, hashes
from curate.release.sequences import sequence_problems
from curate.sequences.shapes import SEQUENCES

_FILES = (
    CARD,
    "metrics.json",
    FACTS,
    "provenance/manifest.json",
    "provenance/recipe.yaml",
    "provenance/questionnaire.yaml",
    *(f"provenance/{name}.parquet" for name in PROVENANCE_TABLES),
    "provenance/schema/release_clips.yaml",
)
_NAMES_CALLS = {"answers": "calls", "context": "call", "reasons": "calls"}
"""Tables that name calls, and the column that does."""
_PLACES = ("data", "pseudo", "answers", "votes", *SEQUENCES)
"""Folders whose files belong to a config."""


def check_release(folder: Path) -> None:
    """Read everything in a release again and check it.

    See `release_problems`.

    Raises:
        ReleaseError: All problems at once.
    """
    if problems := release_problems(folder):
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ReleaseError(f"{folder}: {len(problems)} to fix\n{lines}")


def release_problems(folder: Path) -> list[Problem]:
    """Everything that is wrong with a release; nothing is put right.

    Every file against its digest, every table against its schema in
    provenance/schema, ids unique over labelled and unlabelled clips, media
    against their sha256, rows against the name of their file and against the
    tables of provenance/ that say the same, distributions against the classes,
    shards complete, lists of a sequence as long as each other, a reply kept for
    every call that is named, the card's front matter valid, its own part as it
    was written, and its globs matching every file and none in vain.

    Raises:
        ReleaseError: There is no such folder, or a later curate wrote it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ReleaseError(f"{folder}: no such folder. Name the folder of a release")
    if later := is_from_the_future(folder):
        raise ReleaseError(f"{folder}: {later}")
    # One after the other: each uses every core, and two at once would hold twice as much.
    return [problem for check in _CHECKS for problem in check(folder)]


def _file_problems(folder: Path) -> Iterator[Problem]:
    for name in _FILES:
        if not (folder / name).is_file():
            yield Problem(name, "is missing", "Write the release again")
    for name in ("metrics.json", "provenance/manifest.json"):
        try:
            json.loads((folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue  # told above
        except (OSError, ValueError) as error:
            yield Problem(name, f"cannot be read as JSON: {error}")
    if not clip_files(folder):
        yield Problem("data", "holds no clips, expected at least one Parquet file in data/ or pseudo/")


def _table_problems(folder: Path) -> Iterator[Problem]:
    """The long tables, some rows at a time."""
    paths = [
        path
        for place in ("answers", "votes", "provenance")
        for path in sorted(folder.glob(f"{place}/*.parquet"))
    ]
    kept = _kept_calls(folder)
    for path in paths:
        where = path.relative_to(folder).as_posix()
        # changes-from-previous is a table changes, answers-further-1 a table answers.
        name = path.stem.partition("-")[0] if path.parent.name == "provenance" else path.parent.name
        calls = None if "further" in path.stem else _NAMES_CALLS.get(name)
        try:
            yield from _rows_problems(folder, path, where, name, kept if calls else None, calls)
        except (OSError, arrow.ArrowException, pl.exceptions.PolarsError) as error:
            yield unreadable(where, error)


def _rows_problems(
    folder: Path, path: Path, where: str, name: str, kept: pl.Series | None, calls: str | None
) -> Iterator[Problem]:
    """Rows against their schema, each once, and the calls that they name against those that are kept."""
    first_row, lost = 0, set[str]()
    for rows in batches(path):
        yield from schema_problems(folder, name, rows, where, first_row)
        first_row += rows.height
        if kept is not None and calls is not None and calls in rows.columns:
            named = rows[calls].explode() if rows[calls].dtype == pl.List else rows[calls]
            lost |= set(named.drop_nulls().unique()) - set(kept)
    yield from _repeated(path, where, unique_key(folder, name))
    if lost:
        what = f"names {len(lost)} calls that provenance/calls.parquet lacks, such as {min(lost)}"
        yield Problem(where, what)


def _repeated(path: Path, where: str, key: Sequence[str]) -> Iterator[Problem]:
    """Rows that are there twice."""
    if not key or not set(key) <= set(pq.read_schema(path).names):
        return
    found = hashes(path, key=hash_of(*map(pl.col, key)))["key"]
    if found.n_unique() < len(found):
        row = int(found.is_first_distinct().not_().arg_max() or 0)
        what = f"row {row}, columns {', '.join(key)}: is there twice ({len(found) - found.n_unique()} such)"
        yield Problem(where, what, "Write the release again")


def _kept_calls(folder: Path) -> pl.Series | None:
    """Keys of the calls whose replies are kept; None where the table cannot be read, which is told then."""
    try:
        return pl.read_parquet(folder / "provenance" / "calls.parquet", columns=["key"])["key"]
    except (OSError, pl.exceptions.PolarsError):
        return None


def _card_problems(folder: Path) -> Iterator[Problem]:
    try:
        card = (folder / CARD).read_text(encoding="utf-8")
        yield from mark_problems(card)
        configs = front_matter(card).get("configs")
    except FileNotFoundError:
        return  # told with the missing files
    except (OSError, ValueError, yaml.YAMLError) as error:
        what = f"front matter cannot be read: {' '.join(str(error).split())}"
        yield Problem(CARD, what, "Write the release again, or mend the YAML between the lines of ---")
        return
    try:
        globs = [(one["config_name"], file["path"]) for one in configs or [] for file in one["data_files"]]
    except (TypeError, KeyError) as error:
        yield Problem(CARD, f"configs are not a list of config_name and data_files: {error!r}")
        return
    covered: set[Path] = set()
    for config, glob in globs:
        matched = set(folder.glob(glob))
        covered |= matched
        if not matched:
            yield Problem(CARD, f"config {config}: {glob} matches no file")
    for path in sorted({path for place in _PLACES for path in folder.glob(f"{place}/*")} - covered):
        yield Problem(path.relative_to(folder).as_posix(), "belongs to no config of the card")


_CHECKS: tuple[Callable[[Path], Iterator[Problem]], ...] = (
    _file_problems,
    integrity_problems,
    _table_problems,
    clip_problems,
    sequence_problems,
    consistency_problems,
    _card_problems,
)
