"""Reads a release back, for curate's own later use. Anybody else uses load_dataset."""

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from curate import tables
from curate.errors import ReleaseError
from curate.release.check_clips import class_names, clip_files
from curate.release.content import Metrics
from curate.tables import TableName


@dataclass(frozen=True, slots=True)
class Release:
    """A release in memory, but for its media."""

    folder: Path
    classes: tuple[str, ...]
    clips: pl.DataFrame
    """Labelled and unlabelled clips as published, sorted by id, without video and image."""
    answers: pl.DataFrame
    votes: pl.DataFrame
    frames: pl.DataFrame
    evidence: pl.DataFrame
    labels: pl.DataFrame
    problems: pl.DataFrame
    instruments: pl.DataFrame
    confusions: pl.DataFrame
    cautions: pl.DataFrame
    certificates: pl.DataFrame
    quality: pl.DataFrame
    cross_check: pl.DataFrame
    context: pl.DataFrame
    reasons: pl.DataFrame
    calls: pl.DataFrame
    metrics: Metrics
    manifest: Metrics


def load_release(folder: Path | str) -> Release:
    """Read the tables and measured facts of a release; media stay on disk.

    Raises:
        ReleaseError: The folder is no release, or a file of it cannot be read.
    """
    folder = Path(folder)
    try:
        return _load(folder)
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise ReleaseError(
            f"{folder}: cannot be read as a release: {error}. Run check_release on it to see every problem"
        ) from error


def _load(folder: Path) -> Release:
    files = clip_files(folder)
    if not files:
        raise ReleaseError(f"{folder}: is no release of curate: no Parquet file in data/ or pseudo/")
    return Release(
        folder=folder,
        classes=class_names(pq.read_schema(files[0])),
        clips=_clips(files),
        answers=_long(folder, "answers"),
        votes=_long(folder, "votes"),
        frames=_provenance(folder, "frames"),
        evidence=_provenance(folder, "evidence"),
        labels=_provenance(folder, "labels"),
        problems=_provenance(folder, "problems"),
        instruments=_provenance(folder, "instruments"),
        confusions=_provenance(folder, "confusions"),
        cautions=_provenance(folder, "cautions"),
        certificates=_provenance(folder, "certificates"),
        quality=_provenance(folder, "quality"),
        cross_check=_provenance(folder, "cross_check"),
        context=_provenance(folder, "context"),
        reasons=_provenance(folder, "reasons"),
        calls=_provenance(folder, "calls"),
        metrics=json.loads((folder / "metrics.json").read_text(encoding="utf-8")),
        manifest=json.loads((folder / "provenance/manifest.json").read_text(encoding="utf-8")),
    )


def _clips(files: list[Path]) -> pl.DataFrame:
    columns = [name for name in pq.read_schema(files[0]).names if name not in ("video", "image")]
    return pl.concat([pl.read_parquet(path, columns=columns) for path in files]).sort("clip_id")


def _long(folder: Path, name: TableName) -> pl.DataFrame:
    files = sorted(folder.glob(f"{name}/*.parquet"))
    return pl.concat([pl.read_parquet(path) for path in files]) if files else tables.empty(name)


def _provenance(folder: Path, name: TableName) -> pl.DataFrame:
    return pl.read_parquet(folder / "provenance" / f"{name}.parquet")
