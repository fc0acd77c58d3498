"""What there is to be asked about, as a run finds it."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from curate.answers.load import Sent
from curate.answers.shown import Shown, shown
from curate.interview import _looked as looked
from curate.interview import _take as take
from curate.manifest import Manifest
from curate.pipeline import CLIPS, FRAMES
from curate.pipeline import _clips as read_clips
from curate.pipeline import _is_current as is_current
from curate.run_folder import Run


@dataclass(frozen=True, slots=True)
class Looked:
    """What is there to be asked about."""

    clips: pl.DataFrame
    """Sorted by id."""
    shown: list[Shown]
    pictures: Mapping[str, Sent]
    set_aside: int
    not_sampled: int


def look(run: Run) -> Looked:
    """Clips and pictures as a run finds them. No table of an earlier run is written over."""
    manifest = Manifest.load(run.folder)
    if is_current(CLIPS, run, manifest):
        found = {stem: run.read(stem) for stem in CLIPS.writes}
        not_sampled = manifest.stages[CLIPS.name].counts["not_sampled"]
    else:
        found, counts = read_clips(run, {})
        not_sampled = counts["not_sampled"]
    clips = found["clips"].sort("clip_id")
    if is_current(CLIPS, run, manifest) and is_current(FRAMES, run, manifest):
        taken = {stem: run.read(stem) for stem in FRAMES.writes}
    else:
        taken, _ = looked(take(run, clips, lambda rows: None))
    problems = pl.concat([found["problems-clips"], taken["problems-frames"]])
    return Looked(
        clips=clips,
        shown=shown(clips, taken["frames"], transcript=run.recipe.answers.transcript),
        pictures=_sent(taken["frames"]),
        set_aside=problems.filter(pl.col("action") == "set_aside").height,
        not_sampled=not_sampled,
    )


def _sent(frames: pl.DataFrame) -> dict[str, Sent]:
    rows = frames.unique("sha256", keep="first", maintain_order=True)
    return {sha256: Sent(*row) for sha256, *row in rows.select("sha256", "clip_id", "width", "height").rows()}
