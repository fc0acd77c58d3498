"""The pictures of a clip that are embedded, and the vectors of it that an earlier run kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
from numpy.typing import NDArray

from curate.clips.finding import Finding, unreadable
from curate.clips.media import MediaStore
from curate.errors import MediaError
from curate.frames.decode import Pictures
from curate.frames.pictures import PictureStore
from curate.recipe.frames import Frames
from curate.recipe.sequences import Embeddings
from curate.sequences.store import ArrayStore, key_of

Look = Callable[[Path | bytes, Frames], Pictures]
"""Takes the pictures of a video that `Frames` asks for."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where pictures come from and vectors go."""

    pictures: PictureStore
    """Those of table frames."""
    media: MediaStore
    kept: ArrayStore


@dataclass(frozen=True, slots=True)
class Decisions:
    """What decides vectors beside the clip and its moments."""

    model: Mapping[str, object]
    """All that decides the vector of a picture."""
    looked_by: str = ""
    """What decides which pixels are taken of a video: name@revision of a detector."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip, with its key pictures of table frames."""

    clip_id: str
    name: str
    uri: str
    media: str
    index: tuple[int, ...]
    t_s: tuple[float, ...]
    sha256: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is embedded of one clip."""

    clip: Clip
    key: str
    """Of its vectors in the store."""
    index: tuple[int, ...] = ()
    t_s: tuple[float, ...] = ()
    pictures: tuple[bytes, ...] = ()
    kept: NDArray[Any] | None = None
    """The vectors that an earlier run made; then there are no pictures."""
    finding: Finding | None = None
    """Why there is nothing to embed."""


def sampling_of(embeddings: Embeddings, frames: Frames) -> Frames | None:
    """How moments are chosen for embeddings alone; None where they are made of table frames."""
    if embeddings.fps is None:
        return None
    return frames.model_copy(update={"strategy": "fps", "fps": embeddings.fps, "count": embeddings.most})


def clips_with_pictures(clips: pl.DataFrame, frames: pl.DataFrame) -> list[Clip]:
    """Every clip with its key pictures, by clip_id.

    A clip without any is left out: that it could not be read is told by the
    problems that go with table frames.
    """
    keys = frames.filter(pl.col("role") == "key").sort("clip_id", "index")
    grouped = keys.group_by("clip_id", maintain_order=True).agg("index", "t_s", "sha256")
    told = clips.select("clip_id", "name", "uri", "media")  # without its digest: that is of other bytes
    joined = told.join(grouped, on="clip_id", how="inner").sort("clip_id")
    columns = joined.select("clip_id", "name", "uri", "media", "index", "t_s", "sha256")
    return [
        Clip(clip_id, name, uri, media, tuple(index), tuple(t_s), tuple(sha256))
        for clip_id, name, uri, media, index, t_s, sha256 in columns.iter_rows()
    ]


def see(places: Places, sampling: Frames | None, look: Look, decided_by: Decisions, clip: Clip) -> Seen:
    """Vectors of a clip if they are kept, else its pictures, else why there are none.

    Args:
        places: Where they are.
        sampling: How moments of videos are chosen; None for the key pictures of
            table frames, which stand for still images in any case.
        look: Takes the moments of a video.
        decided_by: What else decides its vectors.
        clip: The clip.

    Raises:
        InputError: A picture of table frames is missing or was changed.
    """
    sampled = None if clip.media == "image" else sampling
    key = key_of(decided_by.model, *_pictures_key(clip, sampled, decided_by.looked_by))
    kept = places.kept.get(key)
    if kept is not None:
        return Seen(clip, key, kept=kept)
    if sampled is None:
        return Seen(clip, key, clip.index, clip.t_s, tuple(map(places.pictures.get, clip.sha256)))
    try:
        shown = look(places.media.open(clip.uri), sampled).shown
    except MediaError as error:
        return Seen(clip, key, finding=replace(unreadable(clip.uri, clip.name, error), kind="embeddings"))
    moments = [picture.moment for picture in shown]
    index, t_s = tuple(moment.index for moment in moments), tuple(moment.t_s for moment in moments)
    return Seen(clip, key, index, t_s, tuple(picture.jpeg for picture in shown))


def _pictures_key(clip: Clip, sampled: Frames | None, looked_by: str) -> Sequence[object]:
    """What tells which pictures they are: without decoding, so that what is kept need not be decoded."""
    if sampled is None:
        return clip.index, clip.t_s, clip.sha256
    # Moments and crops come from this version's code.
    return clip.clip_id, sampled.model_dump(mode="json"), looked_by, version("curate")
