"""A release on disk or on the Hub: its files, its configs, its class names."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import yaml
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from train_reference.errors import Problem, TrainError, in_short

_NOT_NEEDED = ["answers/*", "votes/*"]
"""Of a release on the Hub; the rest is fetched."""


@dataclass(frozen=True, slots=True)
class Release:
    """Where a release lies and what its card says of it."""

    folder: Path
    name: str
    """As it was asked for."""
    revision: str | None
    configs: Mapping[str, Mapping[str, str]]
    """By config and split, the pattern of its files."""

    def files(self, config: str) -> list[tuple[str, Path]]:
        """Split and path of each file of a config.

        Raises:
            TrainError: A pattern matches no file.
        """
        found: list[tuple[str, Path]] = []
        missing = []
        for split, pattern in self.configs[config].items():
            paths = sorted(self.folder.glob(pattern))
            found += [(split, path) for path in paths]
            missing += (
                [] if paths else [Problem(pattern, f"config {config} names it, and no such file is there")]
            )
        if missing and not found:
            raise TrainError(self.name, missing)
        return found

    def rows(self, config: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Rows of a config, some columns, file by file: what is in a file is held, not more.

        Raises:
            TrainError: A file cannot be read or lacks a column.
        """
        for _, path in self.files(config):
            yield from read(path, columns).iter_rows(named=True)

    @property
    def task(self) -> Mapping[str, Any]:
        """What the recipe says the task is; empty if the release has no recipe."""
        path = self.folder / "provenance" / "recipe.yaml"
        if not path.is_file():
            return {}
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
        task = recipe.get("task") if isinstance(recipe, dict) else None
        return task if isinstance(task, dict) else {}


def open_release(place: str, revision: str | None = None) -> Release:
    """A release by folder, or by id on the Hub.

    Args:
        place: Folder, or USER/NAME.
        revision: Tag, branch or commit on the Hub, such as v1.2.0; nothing for a folder.

    Raises:
        TrainError: There is none, or it has no card with configs.
    """
    folder = Path(place) if Path(place).is_dir() else _fetched(place, revision)
    return Release(folder, place, revision, _configs(folder))


def read(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Some columns of a Parquet file.

    Raises:
        TrainError: It cannot be read or lacks a column.
    """
    try:
        there = pl.read_parquet_schema(path)
        missing = [name for name in columns or () if name not in there]
        if not missing:
            return pl.read_parquet(path, columns=list(columns) if columns else None)
    except (OSError, pl.exceptions.PolarsError) as error:
        what = f"cannot be read ({in_short(error)})"
        raise TrainError("release", [Problem(str(path), what, "Fetch or write the release again")]) from error
    fix = "Publish the release again with curate of the same major version"
    raise TrainError(
        "release", [Problem(f"{path.name}, column {name}", "is not there", fix) for name in missing]
    )


def class_names(path: Path, column: str) -> tuple[str, ...]:
    """Names of a ClassLabel column, in order.

    Raises:
        TrainError: The file does not say.
    """
    told = (pq.read_schema(path).metadata or {}).get(b"huggingface", b"{}")
    feature = json.loads(told).get("info", {}).get("features", {}).get(column, {})
    if not feature.get("names"):
        what = "has no class names (it is no ClassLabel in the file's huggingface metadata)"
        raise TrainError(
            "release", [Problem(f"{path.name}, column {column}", what, "Publish the release again")]
        )
    return tuple(feature["names"])


def _fetched(place: str, revision: str | None) -> Path:
    try:
        return Path(
            snapshot_download(place, repo_type="dataset", revision=revision, ignore_patterns=_NOT_NEEDED)
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        what = f"is no folder, and nothing can be fetched by that name ({in_short(error)})"
        raise TrainError(
            "release", [Problem(place, what, "Check the path, or the id and revision")]
        ) from error


def _configs(folder: Path) -> dict[str, dict[str, str]]:
    """From the YAML at the head of the card."""
    path = folder / "README.md"
    _, _, rest = path.read_text(encoding="utf-8").partition("---\n") if path.is_file() else ("", "", "")
    try:
        head = yaml.safe_load(rest.partition("\n---")[0])
    except yaml.YAMLError:
        head = None
    configs = head.get("configs") if isinstance(head, dict) else None
    if not configs:
        fix = "Name the folder that curate wrote the release to, with its README.md"
        raise TrainError("release", [Problem(str(path), "has no configs at its head", fix)])
    return {
        config["config_name"]: {one["split"]: one["path"] for one in config["data_files"]}
        for config in configs
    }
