"""The stages that find which clips tell of each other, put them on one side, and say what leaks still."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import polars as pl

from curate.clips.pool import in_threads
from curate.earlier import earlier_release
from curate.errors import InputError, Problem
from curate.labelling import Counts, Frames
from curate.run_folder import Run
from curate.sequences.parts import read_parts
from curate.splits.deal import make_splits
from curate.splits.duplicates import near_duplicates
from curate.splits.leakage import leakage
from curate.splits.likeness import alike
from curate.splits.looks import Looks, bits_of, clip_bits, look
from curate.splits.ties import tie_table
from curate.splits.windows import neighbours

_MOST_PICTURES = 8
"""Of a clip, that are compared with those of others."""
_MOST_HELD = 4096
"""Clips whose pictures are held while candidates are compared: 32 KB each."""


def find_ties(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """Ties: clips of nearly the same pictures or embeddings, and neighbouring windows of one recording."""
    found = tie_table(
        {
            "near_duplicate": _by_pictures(run, read["frames"]),
            "embedding": _by_embeddings(run),
            "window": neighbours(read["clips"], run.recipe.splits.window_gap_s).iter_rows(),
        }
    )
    return {"ties": found}, {"ties": found.height}


def _by_pictures(run: Run, frames: pl.DataFrame) -> Iterator[tuple[str, str, float]]:
    shown = frames.filter(pl.col("role") == "key").sort("clip_id", "t_s")
    by_clip = shown.group_by("clip_id", maintain_order=True).agg("sha256")
    ids, digests = by_clip["clip_id"].to_list(), by_clip["sha256"].to_list()

    @lru_cache(maxsize=_MOST_HELD)
    def looks_of(place: int) -> Looks:
        return _looks(run, digests[place])

    bits = in_threads(lambda mine: bits_of(_looks(run, mine)), digests, run.steps("ties"))
    for one, other, strength in near_duplicates(clip_bits(bits), looks_of):
        yield ids[one], ids[other], strength


def _looks(run: Run, digests: list[str]) -> Looks:
    """Of some of a clip's pictures, evenly chosen: (n_pictures, 32 * 32)."""
    chosen = np.unique(np.linspace(0, len(digests) - 1, min(_MOST_PICTURES, len(digests))).round())
    return np.stack([look(run.pictures.get(digests[int(place)])) for place in chosen])


def _by_embeddings(run: Run) -> Iterator[tuple[str, str, float]]:
    if run.recipe.embeddings is None:
        return
    ids, means = list[str](), list[np.ndarray]()
    for part in read_parts(run.parts("embeddings"), "embeddings"):
        ids += part["clip_id"].to_list()
        means += [np.mean(np.array(vectors.to_list(), np.float64), axis=0) for vectors in part["vectors"]]
    if ids:
        for one, other, cosine in alike(np.stack(means), run.recipe.splits.embedding_cosine):
            yield ids[one], ids[other], cosine


def deal(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """Splits: the side and fold of every clip.

    Raises:
        InputError: In order of time, some clips do not say when they were recorded.
    """
    clips, splits = read["clips"], run.recipe.splits
    if splits.order == "time":
        _check_times(clips)
    made = make_splits(clips, read["ties"], splits, _before(run))
    return {"splits": made}, {name: int(n) for name, n in made["split"].value_counts().iter_rows()}


def _check_times(clips: pl.DataFrame) -> None:
    silent = clips.filter(pl.col("recorded_at").is_null())["name"].to_list()
    if silent:
        what = f"is time, but {len(silent)} clips do not say when they were recorded, such as {silent[0]}"
        fix = "Name the column with clips.labels.recorded_at, or leave splits.order out"
        raise InputError("splits", [Problem("splits.order", what, fix)])


def _before(run: Run) -> dict[str, str]:
    """Split by clip id in the release before this one."""
    earlier = earlier_release(run)
    return {} if earlier is None else dict(earlier.clips().select("clip_id", "split").iter_rows())


def find_leakage(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """Leakage: clips on two sides that tell of each other."""
    found = leakage(read["clips"], read["ties"], read["splits"], run.recipe.splits)
    return {"leakage": found}, {"pairs": found.height}
