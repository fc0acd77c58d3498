"""Frame embeddings of all clips: pictures of several clips in a pass, nothing computed twice."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.clips.finding import Finding
from curate.clips.pool import Progress, one_by_one
from curate.errors import MediaError
from curate.frames.decode import video_pictures
from curate.recipe.frames import Frames
from curate.sequences.columns import Row
from curate.sequences.embedding_model import Embedder, Tensors
from curate.sequences.seen import Decisions, Look, Places, Seen, clips_with_pictures, see
from curate.sequences.store import ArrayStore

_DECODERS = 4
"""Clips that are decoded at once: their pictures wait in memory, however many cores there are."""

_BEHIND = 64
"""Clips that may wait, in memory, behind a batch that is not full yet."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One picture of a clip on its way; of a clip without pictures, the clip itself."""

    seen: Seen
    is_last: bool
    picture: bytes | None = None
    tensors: Tensors | None = None
    vector: NDArray[np.float32] | None = None
    fault: str | None = None


def embed(
    clips: pl.DataFrame,
    frames: pl.DataFrame,
    model: Embedder,
    places: Places,
    sampling: Frames | None = None,
    progress: Progress | None = None,
    look: Look = video_pictures,
    looked_by: str = "",
) -> Iterator[Row | Finding]:
    """Make the vectors of every clip's pictures.

    Clips are read, pictures prepared, batches computed and vectors written at
    the same time, each a little ahead of the next. What an earlier run kept is
    taken over. Killed at any moment, it loses the batches under way and what was
    computed of the clips that they belong to.

    Args:
        clips: Table clips.
        frames: Table frames; of its rows the key pictures count.
        model: Makes the vectors.
        places: Where pictures come from and vectors go.
        sampling: Videos are looked at anew by these moments, see `sampling_of`;
            None takes the pictures of table frames.
        progress: Told (done, total) after each clip.
        look: Takes the moments of a video.
        looked_by: What decides, beside `sampling`, which pixels `look` takes:
            name@revision of a detector.

    Returns:
        In order of clip_id, a row of table embeddings, its vectors a float16
        array (n_frames, n_dimensions); or, where a clip cannot be read or gives
        a number that is not finite in 16 bits, why it is set aside. Clips of
        which table frames has no picture are left out.

    Raises:
        InputError: A picture of table frames is missing, or the device's memory does not suffice.
    """
    listed, decided_by = clips_with_pictures(clips, frames), Decisions(model.decided_by, looked_by)
    with ExitStack() as stages:
        # Closed from the last to the first: nobody asks a stage that has ended.
        seen = one_by_one(partial(see, places, sampling, look, decided_by), listed, _DECODERS)
        stages.enter_context(closing(seen))
        parts = one_by_one(partial(_prepared, model), _parts(seen))
        stages.enter_context(closing(parts))
        batches = one_by_one(partial(_computed, model), _batches(parts, model.batch), workers=1)
        stages.enter_context(closing(batches))
        results = one_by_one(partial(_result, model.name, places.kept), _by_clip(batches), workers=2)
        stages.enter_context(closing(results))
        for done, result in enumerate(results, start=1):
            yield result
            if progress:
                progress(done, len(listed))


def _parts(all_seen: Iterable[Seen]) -> Iterator[_Part]:
    for seen in all_seen:
        if not seen.pictures:
            yield _Part(seen, is_last=True)
        for number, picture in enumerate(seen.pictures, start=1):
            yield _Part(seen, number == len(seen.pictures), picture)


def _prepared(model: Embedder, part: _Part) -> _Part:
    if part.picture is None:
        return part
    try:
        return replace(part, picture=None, tensors=model.prepare(part.picture))
    except MediaError as error:
        return replace(part, picture=None, fault=str(error))


def _batches(parts: Iterable[_Part], size: int) -> Iterator[list[_Part]]:
    """Parts in order, cut where `size` pictures are together, or nothing is gained by waiting for more."""
    waiting: list[_Part] = []
    n_pictures = 0
    for part in parts:
        waiting.append(part)
        n_pictures += part.tensors is not None
        if n_pictures in (0, size) or len(waiting) - n_pictures >= _BEHIND:
            yield waiting
            waiting, n_pictures = [], 0
    yield waiting


def _computed(model: Embedder, parts: Sequence[_Part]) -> list[_Part]:
    tensors = [part.tensors for part in parts if part.tensors is not None]
    vectors = iter(model.vectors(tensors) if tensors else ())
    return [
        part if part.tensors is None else replace(part, tensors=None, vector=next(vectors)) for part in parts
    ]


def _by_clip(batches: Iterable[Sequence[_Part]]) -> Iterator[list[_Part]]:
    mine: list[_Part] = []
    for part in (part for batch in batches for part in batch):
        mine.append(part)
        if part.is_last:
            yield mine
            mine = []


def _result(model: str, kept: ArrayStore, parts: Sequence[_Part]) -> Row | Finding:
    """A clip's row, kept for a later run; or why there is none."""
    seen = parts[0].seen
    if seen.finding is not None:
        return seen.finding
    if faults := [part.fault for part in parts if part.fault]:
        return _set_aside(seen, faults[0])
    found = seen.kept
    if found is None:
        found = _table(seen, np.stack([part.vector for part in parts if part.vector is not None]))
        if not np.isfinite(found["vector"]).all():
            return _set_aside(seen, f"is given vectors by {model} that are not finite in 16 bits")
        kept.put(seen.key, found)
    return {
        "clip_id": seen.clip.clip_id,
        "model": model,
        "index": found["index"].tolist(),
        "t_s": found["t_s"].tolist(),
        "vectors": found["vector"],
    }


def _table(seen: Seen, vectors: NDArray[np.float32]) -> NDArray[Any]:
    """Moments and vectors as records: (n_frames,)."""
    layout = [("index", "<i8"), ("t_s", "<f8"), ("vector", "<f2", (vectors.shape[1],))]
    table = np.zeros(len(vectors), dtype=layout)
    table["index"], table["t_s"] = seen.index, seen.t_s
    with np.errstate(over="ignore"):  # what does not fit is looked for afterwards
        table["vector"] = vectors
    return table


def _set_aside(seen: Seen, what: str) -> Finding:
    return Finding(seen.clip.uri, seen.clip.name, "embeddings", what)
