"""What there is to be asked about, as a run finds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curate.answers.shown import Shown, shown
from curate.interview import frame_tables, take_pictures
from curate.labelling import Frames
from curate.manifest import Manifest
from curate.pipeline import is_current
from curate.plan.load import Sent
from curate.run_folder import Run
from curate.stages import CLIPS, FRAMES, find_clips


@dataclass(frozen=True, slots=True)
class Looked:
    """Clips and pictures."""

    clips: pl.DataFrame
    """Sorted by id."""
    shown: list[Shown]
    """Those of them that have pictures."""
    pictures: Mapping[str, Sent]
    """Every different one, by its digest."""
    set_aside: int
    """Files and rows that cannot be used."""
    not_sampled: int
    """Clips beyond a limit."""


def look(run: Run) -> Looked:
    """Read the clips and take their pictures.

    What is taken is kept in the run's folder, and the run does not take it
    again. No table of an earlier run is written over.

    Raises:
        InputError: As the run would.
    """
    manifest = Manifest.load(run.folder)
    has_clips = is_current(CLIPS, run, manifest)
    found, not_sampled = _clips(run, manifest) if has_clips else _read(run)
    clips = found["clips"].sort("clip_id")
    if has_clips and is_current(FRAMES, run, manifest):
        taken: Frames = {stem: run.read(stem) for stem in FRAMES.writes}
    else:
        taken, _ = frame_tables(take_pictures(run, clips, lambda rows: None))
    problems = pl.concat([found["problems-clips"], taken["problems-frames"]])
    return Looked(
        clips=clips,
        shown=shown(clips, taken["frames"], transcript=run.recipe.answers.transcript),
        pictures=_sent(taken["frames"]),
        set_aside=problems.filter(pl.col("action") == "set_aside").height,
        not_sampled=not_sampled,
    )


def ledger_of(run: Run) -> Path:
    """Where a run keeps its replies."""
    return run.folder / "ledger.sqlite"


def _clips(run: Run, manifest: Manifest) -> tuple[Frames, int]:
    """The tables that an earlier run left, and how many clips it did not sample."""
    tables = {stem: run.read(stem) for stem in CLIPS.writes}
    return tables, manifest.stages[CLIPS.name].counts["not_sampled"]


def _read(run: Run) -> tuple[Frames, int]:
    tables, counts = find_clips(run, {})
    return tables, counts["not_sampled"]


def _sent(frames: pl.DataFrame) -> dict[str, Sent]:
    rows = frames.unique("sha256", keep="first", maintain_order=True)
    columns = rows.select("sha256", "clip_id", "width", "height").iter_rows()
    return {sha256: Sent(clip_id, (width, height)) for sha256, clip_id, width, height in columns}
