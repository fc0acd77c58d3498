"""The media of a run's clips as people may see them: the originals, or what stands in for them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from curate.clips.media import media_store
from curate.errors import CurateError, MediaError
from curate.frames.people.blur import open_face_blur
from curate.release.content import StandIn
from curate.run_folder import Run


def stand_ins(run: Run) -> dict[str, StandIn] | None:
    """Media without faces, by clip id: no other clip is shown; None where clips' own media are."""
    if run.recipe.release.faces == "keep":
        return None
    folder = run.blurred(open_face_blur(run.recipe.release.face_detector).decided_by)
    rows = run.read("media").iter_rows()
    return {clip_id: StandIn(folder / f"{clip_id}{suffix}", sha256) for clip_id, sha256, suffix in rows}


def seen_media(run: Run, clips: pl.DataFrame) -> Callable[[str], Path | bytes]:
    """Opens what people may see of a clip, by its id; MediaError where it is gone.

    Args:
        run: The run.
        clips: Its table clips.
    """
    hidden = stand_ins(run)
    if hidden is not None:
        return lambda clip_id: _file(hidden, clip_id)
    uris = dict(clips.select("clip_id", "uri").iter_rows())
    try:
        store = media_store(run.recipe.clips)
    except CurateError as error:
        reason = str(error)  # the whole source may be gone, and the release still hold what it had
        return lambda clip_id: _gone(reason)
    return lambda clip_id: store.open(uris[clip_id])


def _file(hidden: Mapping[str, StandIn], clip_id: str) -> Path:
    if clip_id not in hidden or not hidden[clip_id].file.is_file():
        raise MediaError(f"{clip_id} has no media without faces any more")
    return hidden[clip_id].file


def _gone(reason: str) -> Path:
    raise MediaError(reason)
