"""Checks a release as a stranger would: from its own files and schemas, with pandera alone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from curate.errors import Problem, ReleaseError
from curate.release.check_clips import clip_files, clip_problems, schema_problems, unreadable
from curate.release.sequences import sequence_problems
from curate.sequences.shapes import SEQUENCES

_FILES = (
    "README.md",
    "metrics.json",
    "provenance/manifest.json",
    "provenance/recipe.yaml",
    "provenance/questionnaire.yaml",
    "provenance/problems.parquet",
    "provenance/frames.parquet",
    "provenance/evidence.parquet",
    "provenance/labels.parquet",
    "provenance/instruments.parquet",
    "provenance/confusions.parquet",
    "provenance/cautions.parquet",
    "provenance/certificates.parquet",
    "provenance/quality.parquet",
    "provenance/cross_check.parquet",
    "provenance/context.parquet",
    "provenance/reasons.parquet",
    "provenance/calls.parquet",
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
_FRONT = re.compile(r"\A---\n(.*?\n)---\n", re.DOTALL)


def check_release(folder: Path) -> None:
    """Read everything in a release again and check it.

    Every table against its schema in provenance/schema, ids unique over labelled
    and unlabelled clips, media against their sha256, rows against the name of
    their file, distributions against the classes, shards complete, lists of a
    sequence as long as each other, a reply kept for every call that is named, the
    card's front matter valid and its globs matching every file and none in vain.

    Raises:
        ReleaseError: All problems at once.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ReleaseError(f"{folder}: no such folder. Name the folder of a release")
    problems = [*_file_problems(folder), *_table_problems(folder), *clip_problems(folder)]
    problems += [*sequence_problems(folder), *_call_problems(folder), *_card_problems(folder)]
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ReleaseError(f"{folder}: {len(problems)} to fix\n{lines}")


def front_matter(card: str) -> dict[str, Any]:
    """The YAML at the head of a card.

    Raises:
        ValueError: There is none, or it is no mapping.
        yaml.YAMLError: It is no YAML.
    """
    found = _FRONT.match(card)
    data = yaml.safe_load(found.group(1)) if found else None
    if not isinstance(data, dict):
        raise ValueError("no front matter between two lines of ---")
    return data


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
        name = path.stem if path.parent.name == "provenance" else path.parent.name
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
        configs = front_matter((folder / "README.md").read_text(encoding="utf-8")).get("configs")
    except FileNotFoundError:
        return  # told with the missing files
    except (OSError, ValueError, yaml.YAMLError) as error:
        yield Problem("README.md", f"front matter cannot be read: {error}")
        return
    try:
        globs = [(one["config_name"], file["path"]) for one in configs or [] for file in one["data_files"]]
    except (TypeError, KeyError) as error:
        yield Problem("README.md", f"configs are not a list of config_name and data_files: {error!r}")
        return
    covered: set[Path] = set()
    for config, glob in globs:
        matched = set(folder.glob(glob))
        covered |= matched
        if not matched:
            yield Problem("README.md", f"config {config}: {glob} matches no file")
    for path in sorted({path for place in _PLACES for path in folder.glob(f"{place}/*")} - covered):
        yield Problem(path.relative_to(folder).as_posix(), "belongs to no config of the card")
