"""One of the releases that are compared: read from its folder, table by table, never its media."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import yaml

from curate import tables
from curate.errors import ReleaseError
from curate.files import sha256_of
from curate.release.check_clips import class_names, clip_files
from curate.release.configs import LONG
from curate.release.features import FILE_COLUMN, MEDIA_COLUMNS
from curate.release.integrity import read_facts
from curate.tables import TableName

CLIPS = "clips"
"""Name under which the columns of the clips are told apart from those of the long tables."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A release, or a copy of it without media."""

    folder: Path

    @property
    def version(self) -> str:
        """Semantic version; empty where the folder does not tell it."""
        return str(read_facts(self.folder).get("version", ""))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in order."""
        return class_names(pq.read_schema(self.clip_files()[0]))

    def columns(self) -> dict[str, dict[str, str]]:
        """Column to type, by what load_dataset gives: clips but for media, and each long table."""
        first = {CLIPS: self.clip_files()[0]}
        first |= {name: files[0] for name in LONG if (files := sorted(self.folder.glob(f"{name}/*.parquet")))}
        schemas = {name: pq.read_schema(path) for name, path in first.items()}
        return {
            name: {one.name: str(one.type) for one in schema if one.name not in MEDIA_COLUMNS}
            for name, schema in schemas.items()
        }

    @property
    def media(self) -> str:
        """Where the media lie, as the release tells: embed, files, none; until it does, as its files show."""
        if told := read_facts(self.folder).get("media"):
            return str(told)
        names = set(pq.read_schema(self.clip_files()[0]).names)
        return "embed" if names & set(MEDIA_COLUMNS) else "files" if FILE_COLUMN in names else "none"

    def clips(self, columns: Collection[str] | None = None, *where: pl.Expr) -> pl.DataFrame:
        """Clips as published but for their media, file by file.

        Args:
            columns: Of these, those that are there; all if left out.
            where: Which clips; all if left out.
        """
        parts = [_without_media(path, columns).filter(*where) for path in self.clip_files()]
        return pl.concat(pl.collect_all(parts), how="diagonal")

    def files(self, name: TableName) -> list[Path]:
        """The files of a long table, or of one of provenance/."""
        one = self.folder / "provenance" / f"{name}.parquet"
        return sorted(self.folder.glob(f"{name}/*.parquet")) or ([one] if one.is_file() else [])

    def table(self, name: TableName) -> pl.DataFrame:
        """A long table, or one of provenance/; empty where the release has none."""
        files = self.files(name)
        return pl.concat([pl.read_parquet(path) for path in files]) if files else tables.empty(name)

    def digests(self, name: TableName) -> list[str]:
        """sha256 of a table's files, as the release tells them, or of their bytes while it is being made."""
        told = read_facts(self.folder).get("files", {})
        names = {path: path.relative_to(self.folder).as_posix() for path in self.files(name)}
        return [told[name]["sha256"] if name in told else sha256_of(path) for path, name in names.items()]

    def json(self, name: str) -> Mapping[str, Any]:
        """A JSON file of the release; empty where there is none."""
        path = self.folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def yaml(self, name: str) -> Mapping[str, Any]:
        """A YAML file of provenance/; empty where it is no mapping."""
        path = self.folder / "provenance" / name
        found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
        return found if isinstance(found, dict) else {}

    def clip_files(self) -> list[Path]:
        """The files with clips, labelled and unlabelled.

        Raises:
            ReleaseError: There are none.
        """
        files = clip_files(self.folder)
        if not files:
            raise ReleaseError(
                f"{self.folder}: is no release of curate: no Parquet file in data/ or pseudo/. "
                "Name the folder of a release, or USER/NAME@REVISION"
            )
        return files


def _without_media(path: Path, columns: Collection[str] | None) -> pl.LazyFrame:
    every = [name for name in pq.read_schema(path).names if name not in MEDIA_COLUMNS]
    return pl.scan_parquet(path).select(name for name in every if columns is None or name in columns)
