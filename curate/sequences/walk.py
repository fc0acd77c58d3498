"""Upright pictures of a clip one after the other, at a rate; no more than one is held."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, takewhile
from pathlib import Path

from PIL import Image

from curate.clips.decoding import decoding
from curate.clips.video import displayed_size, open_video, timeline
from curate.errors import MediaError
from curate.frames.picture import fitted, still
from curate.frames.reading import Indexed, sound_frames, upright
from curate.frames.sample import ROUNDING_S, frame_at


def walk(
    place: Path | bytes, media: str, *, fps: float | None, size_px: int
) -> Iterator[tuple[float, Image.Image]]:
    """The frames of a clip in order of time, decoded in one pass.

    Args:
        place: The file, or its bytes.
        media: video or image.
        fps: Pictures a second, each the frame that is shown at that moment; every frame if None.
        size_px: Longest side of a picture; never enlarged.

    Returns:
        Times [s] and RGB pictures. Frames that are damaged are left out.

    Raises:
        MediaError: It cannot be read, or not one frame can be decoded.
    """
    if media == "image":
        image = still(place)
        yield 0.0, fitted(image, image.size, size_px)
        return
    with decoding("is a video that cannot be read"), open_video(place) as video:
        line = timeline(video)
    wanted = _wanted(line.times_s, fps)
    n_shown = 0
    with decoding("is a video that cannot be read"), open_video(place) as video:
        for index, frame in _rising(sound_frames(video, line, wanted), wanted):
            n_shown += 1
            size = displayed_size(frame, video.stream)
            yield line.times_s[index], fitted(upright(frame), size, size_px)
    if not n_shown:
        raise MediaError("has a video stream of which no frame can be decoded without damage")


def _wanted(times_s: Sequence[float], fps: float | None) -> frozenset[int]:
    """Indices of the frames that are shown at 0, 1 / fps, 2 / fps … seconds."""
    if fps is None:
        return frozenset(range(len(times_s)))
    due_s = takewhile(lambda at_s: at_s <= times_s[-1] + ROUNDING_S, (step / fps for step in count()))
    return frozenset(frame_at(times_s, at_s) for at_s in due_s)


def _rising(frames: Iterable[Indexed], wanted: frozenset[int]) -> Iterator[Indexed]:
    """Those that are wanted, each once; nothing is decoded after the last of them."""
    last, shown = max(wanted), -1
    for index, frame in frames:
        if index in wanted and index > shown:
            shown = index
            yield index, frame
        if index >= last:
            return
