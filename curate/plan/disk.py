"""Bytes that a run leaves behind."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from curate.clips.media import media_store
from curate.clips.probe import size_bytes
from curate.plan.bill import Line
from curate.plan.look import Looked, ledger_of
from curate.run_folder import Run
from curate.vlm.desk.ledger import Ledger
from curate.vlm.tokens.ranges import NOTHING, Range, exactly

_REPLY_BYTES = Range(700, 1000, 2500)
"""Of a reply in the ledger, its place in the indices included and its text left out: 870 were
measured for a letter with its probabilities."""

_TOKEN_BYTES = 5
"""Of the text of a reply, a token."""

_ROW_BYTES = Range(1_000, 4_000, 20_000)
"""Of a clip in a release and the tables beside it, its media left out."""

_VECTOR_BYTES = Range(700, 1540, 4100)
"""Of a frame's embedding: 768 numbers of two bytes are usual, and hardly compress."""

_POINTS_BYTES = Range(300, 600, 900)
"""Of a frame's key points: 137 of three numbers of two bytes, many of them zero."""

_ENOUGH_REPLIES = 100
"""From so many replies on, a ledger's own size tells more than a rule does."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes, by what they are for."""

    pictures: Range
    """There already: they were taken to be counted."""
    ledger: Range
    """What it holds already included."""
    release: Range
    """Twice that while an earlier release is replaced."""
    sequences: Range
    """Embeddings and estimated key points, in run and release together."""


def disk(run: Run, there: Looked, bill: Sequence[Line]) -> Disk:
    """What a run leaves behind; a release holds the clips' media themselves.

    Raises:
        MediaError: A clip's file went away meanwhile.
    """
    store = media_store(run.recipe.clips)
    media = sum(size_bytes(store.open(uri)) for uri in there.clips["uri"])
    pictures = sum(run.pictures.path(sha256).stat().st_size for sha256 in there.pictures)
    release = exactly(media) + _ROW_BYTES * there.clips.height
    return Disk(exactly(pictures), _ledger(run, bill), release, _sequences(run, there))


def _sequences(run: Run, there: Looked) -> Range:
    """Kept twice in the run, as they come and as a table, and once in the release."""
    pose, embeddings = run.recipe.pose, run.recipe.embeddings
    points = _POINTS_BYTES * _frames(there, pose.fps) if pose else NOTHING
    if embeddings is None:
        return points * 3
    shown = len(there.pictures) if embeddings.fps is None else _frames(there, embeddings.fps, embeddings.most)
    return (points + _VECTOR_BYTES * shown) * 3


def _frames(there: Looked, fps: float | None, most: int | None = None) -> int:
    """Frames of all clips at a rate, or all there are; at most so many of a clip."""
    every = pl.col("n_frames")
    wanted = every if fps is None else (pl.col("duration_s").fill_null(0) * fps).round().clip(1, every)
    return int(there.clips.select(wanted.clip(upper_bound=most).sum()).item())


def _ledger(run: Run, bill: Sequence[Line]) -> Range:
    path, calls = ledger_of(run), sum(line.calls for line in bill)
    added = sum((line.tokens_out * _TOKEN_BYTES for line in bill), _REPLY_BYTES * calls)
    if not path.is_file():
        return added
    with Ledger(path) as ledger:
        n_replies = ledger.count()
    size = path.stat().st_size
    if n_replies < _ENOUGH_REPLIES:
        return exactly(size) + added
    return exactly(size) + Range(0.8, 1, 1.2) * (calls * size / n_replies)
