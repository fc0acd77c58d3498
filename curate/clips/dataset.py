"""Clips from a Hugging Face dataset with a Video or Image column."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from curate.clips.classes import Classes, class_finding
from curate.clips.finding import Finding
from curate.clips.labels import unknown_split
from curate.clips.place import PLACE_KEYS, read_place
from curate.clips.raw import Given, RawClip
from curate.clips.split_names import split_name
from curate.errors import InputError, Problem
from curate.recipe import DatasetClips


def load_splits(clips: DatasetClips) -> dict[str, Any]:
    """The dataset's splits by name, its media column left as it is stored.

    A local folder is read without the network. Both kinds of folder are known:
    what `load_dataset` reads, and what `save_to_disk` wrote.

    Raises:
        InputError: It cannot be loaded, a split or column is missing, or the
            media column holds no media.
    """
    found = _load(clips)
    missing = [name for name in clips.splits or () if name not in found]
    if missing:
        problems = [_problem("splits", f"no split {name!r}; found {', '.join(found)}") for name in missing]
        raise InputError(clips.path, problems)
    chosen = {name: found[name] for name in clips.splits or found}
    problems = _column_problems(clips, next(iter(chosen.values())).features)
    if problems:
        raise InputError(clips.path, problems)
    return {name: _undecoded(split, clips.media) for name, split in chosen.items()}


def dataset_clips(
    clips: DatasetClips, splits: Mapping[str, Any], classes: Classes
) -> tuple[list[RawClip], list[Finding]]:
    """One clip a row, in the dataset's order, with what its columns give.

    Returns:
        The clips, and a finding for each label that is none of the classes and
        each split of another name than train, validation and test.
    """
    raw: list[RawClip] = []
    findings: list[Finding] = []
    for name, split in splits.items():
        split_as = split_name(name)
        if split_as is None:
            findings.append(unknown_split(name, None, name))
        rows, odd = _rows(clips, name, split, split_as or "train", classes)
        raw += rows
        findings += odd
    return raw, findings


def _load(clips: DatasetClips) -> dict[str, Any]:
    # Imported here because it takes seconds, and most recipes name a folder of files.
    from datasets import DatasetDict, load_dataset, load_from_disk
    from datasets.exceptions import DatasetsError

    try:
        if _is_saved(Path(clips.path)):
            loaded = load_from_disk(clips.path)
        else:
            loaded = load_dataset(clips.path, clips.config, revision=clips.revision)
    # RuntimeError: datasets that are loading scripts, which are no longer supported.
    except (OSError, ValueError, RuntimeError, DatasetsError) as error:
        problem = _problem("path", f"{clips.path} cannot be loaded as a dataset: {error}")
        raise InputError(clips.path, [problem]) from error
    return dict(loaded) if isinstance(loaded, DatasetDict) else {"train": loaded}


def _is_saved(folder: Path) -> bool:
    """Whether `save_to_disk` wrote this folder."""
    return (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file()


def _problem(key: str, what: str, fix: str = "") -> Problem:
    return Problem(f"clips.{key}", what, fix)


def _column_problems(clips: DatasetClips, features: Mapping[str, Any]) -> list[Problem]:
    asked = {"media": clips.media, **{key: name for key, name in _given_columns(clips).items() if name}}
    found = ", ".join(f"{name} ({_kind(feature)})" for name, feature in features.items())
    problems = [
        _problem(key, f"no column {column!r}; found {found}", "Name one of them")
        for key, column in asked.items()
        if column not in features
    ]
    if clips.media in features and _kind(features[clips.media]) not in ("Video", "Image"):
        kind = _kind(features[clips.media])
        problems.append(_problem("media", f"column {clips.media!r} is {kind}, expected Video or Image"))
    return problems + [
        _problem(key, f"column {column!r} is {_kind(features[column])}, expected one value a row")
        for key, column in asked.items()
        if key != "media" and column in features and _kind(features[column]) not in ("Value", "ClassLabel")
    ]


def _kind(feature: object) -> str:
    return type(feature).__name__


def _undecoded(split: Any, column: str) -> Any:
    # decode=False gives the stored bytes or path: no decoder is needed, and the bytes stay as they came.
    return split.cast_column(column, type(split.features[column])(decode=False))


def _rows(
    clips: DatasetClips, split: str, rows: Any, split_as: str, classes: Classes
) -> tuple[list[RawClip], list[Finding]]:
    columns = {key: _texts(rows, column) for key, column in _given_columns(clips).items()}
    raw, findings = [], []
    for row in range(len(rows)):
        uri = f"{split}/{row}"
        name = columns["name"][row] or uri
        label = columns["label"][row]
        odd = class_finding(uri, name, "label", label, classes) if label else None
        if odd:
            findings.append(odd)
        place, place_odd = read_place({key: columns[key][row] for key in PLACE_KEYS}, uri, name)
        findings += place_odd
        given = Given(
            None if odd else label, columns["group"][row], split_as, columns["transcript"][row], **place
        )
        raw.append(RawClip(name, uri, given))
    return raw, findings


def _given_columns(clips: DatasetClips) -> dict[str, str | None]:
    return {
        "name": clips.name,
        "label": clips.label,
        "group": clips.group,
        "transcript": clips.transcript,
        **{key: getattr(clips, key) for key in PLACE_KEYS},
    }


def _texts(rows: Any, column: str | None) -> list[str | None]:
    """A column as text; null, "" and a ClassLabel of -1 are None."""
    if column is None:
        return [None] * len(rows)
    feature = rows.features[column]
    text = _class_names(feature) if _kind(feature) == "ClassLabel" else str
    values = rows.select_columns([column]).with_format(None)[column][:]
    return [None if value is None else text(value).strip() or None for value in values]


def _class_names(feature: Any) -> Callable[[int], str]:
    return lambda value: str(feature.int2str(value)) if value >= 0 else ""
