"""Checks a release as a stranger would: from its own files and schemas, with pandera alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import yaml

from curate.errors import Problem, ReleaseError
from curate.release.card_parts import CARD, front_matter, mark_problems
from curate.release.check_clips import clip_files, clip_problems, schema_problems, unreadable
from curate.release.consistency import consistency_problems
from curate.release.content import PROVENANCE_TABLES
from curate.release.integrity import FACTS, integrity_problems, is_from_the_future
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
_NAMES_CALLS = {
    "answers/*.parquet": "calls",
    "provenance/context.parquet": "call",
    "provenance/reasons.parquet": "calls",
}
"""Files that name calls, and the column that does."""
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
    problems = [*_file_problems(folder), *integrity_problems(folder), *_table_problems(folder)]
    problems += [*clip_problems(folder), *sequence_problems(folder), *_call_problems(folder)]
    return [*problems, *consistency_problems(folder), *_card_problems(folder)]


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
    """The long tables, whole."""
    paths = [
        path
        for place in ("answers", "votes", "provenance")
        for path in sorted(folder.glob(f"{place}/*.parquet"))
    ]
    for path in paths:
        where = path.relative_to(folder).as_posix()
        # changes-from-previous is a table changes, answers-further-1 a table answers.
        name = path.stem.partition("-")[0] if path.parent.name == "provenance" else path.parent.name
        try:
            frame = pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError) as error:
            yield unreadable(where, error)
        else:
            yield from schema_problems(folder, name, frame, where)


def _call_problems(folder: Path) -> Iterator[Problem]:
    """Whatever rests on a call can be traced to its reply."""
    try:
        kept = set(pl.read_parquet(folder / "provenance" / "calls.parquet")["key"])
        named = [
            (path, _keys(path, column))
            for place, column in _NAMES_CALLS.items()
            for path in sorted(folder.glob(place))
        ]
    except (OSError, pl.exceptions.PolarsError):
        return  # told with the tables
    for path, keys in named:
        if lost := sorted(keys - kept):
            where = path.relative_to(folder).as_posix()
            yield Problem(
                where, f"names {len(lost)} calls that provenance/calls.parquet lacks, such as {lost[0]}"
            )


def _keys(path: Path, column: str) -> set[str]:
    found = pl.read_parquet(path)[column]
    return set((found.explode() if column == "calls" else found).drop_nulls())


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
