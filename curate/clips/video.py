"""A video file, opened: its one stream that counts, its frame times, its shape as displayed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from curate.errors import MediaError

# A playlist that calls itself a video must not make the decoder fetch anything.
_OPTIONS = {"protocol_whitelist": "file"}


# AVI knows when a frame is decoded, not when it is shown; as both are evenly spaced, counting tells.
_DECODE_TIMES_ONLY = ("avi",)


@dataclass(frozen=True, slots=True)
class Video:
    """An open container and the stream that is looked at."""

    container: Any
    stream: Any

    def frames(self) -> Iterator[av.VideoFrame]:
        """Frames in order of presentation; those that cannot be decoded are left out."""
        for packet in self.packets():
            try:
                yield from packet.decode()
            except (av.FFmpegError, EOFError):
                continue

    def packets(self) -> Iterator[Any]:
        """Packets up to the end of the file, or to where it cannot be read on."""
        try:
            yield from self.container.demux(self.stream)
        except av.FFmpegError:
            return


@dataclass(frozen=True, slots=True)
class Timeline:
    """When each frame is presented, by the container's word: nothing is decoded."""

    times_s: tuple[float, ...]
    """Shape (n_frames,), rising, from 0."""
    duration_s: float
    """From the first frame's start to the last frame's end."""
    positions: Mapping[int, int]
    """Presentation timestamp to index; empty if the container has none to tell frames by."""
    missing: int
    """Frames that the container promises and does not have."""


@contextmanager
def open_video(place: Path | bytes) -> Iterator[Video]:
    """Open the first real video stream (cover pictures are none), one thread a decoder.

    Raises:
        MediaError: It is no media file, or has no video that can be decoded.
    """
    source = str(place) if isinstance(place, Path) else BytesIO(place)
    try:
        container = av.open(source, options=_OPTIONS, metadata_errors="ignore")
    except (av.FFmpegError, EOFError) as error:
        raise MediaError(f"is not a video or an image that can be read ({_reason(error)})") from error
    with container:
        if _is_still(container.format.name):
            raise MediaError(
                "is not a video or an image that can be read (an image in name only, or damaged)"
            )
        yield Video(container, _stream(container))


def _is_still(container_format: str) -> bool:
    """Whether FFmpeg, which goes by the file's name here, takes a file for a still image.

    Images are Pillow's business; what Pillow could not read is no video either.
    """
    return container_format == "image2" or container_format.endswith("_pipe")


def _stream(container: Any) -> Any:
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise MediaError(f"has no video stream, only {kinds}")
    stream = streams[0]
    if stream.codec_context is None:
        raise MediaError("has a video stream of a kind that cannot be decoded here")
    stream.codec_context.thread_count = 1
    return stream


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def timeline(video: Video) -> Timeline:
    """Read all packets of an open video and tell when each frame is presented.

    The container is at its end afterwards: open it again to decode.

    Raises:
        MediaError: There is no frame at all.
    """
    packets = [packet for packet in video.packets() if packet.size]
    # Packets before an edit list's start are decoded but never shown.
    shown = [packet for packet in packets if not packet.is_discard]
    if not shown:
        raise MediaError("has a video stream without frames")
    missing = max(0, video.stream.frames - len(packets))
    if video.container.format.name in _DECODE_TIMES_ONLY:
        return _stamped(
            video.stream, [(packet.dts, packet.duration) for packet in shown], missing, told=False
        )
    return _stamped(video.stream, [(packet.pts, packet.duration) for packet in shown], missing, told=True)


def _stamped(
    stream: Any, packets: Sequence[tuple[int | None, int | None]], missing: int, told: bool
) -> Timeline:
    """Times by timestamp and length, in ticks; `told`: whether decoded frames bear these timestamps."""
    lengths = {stamp: length or 0 for stamp, length in packets if stamp is not None}
    if len(lengths) < len(packets):
        return _counted(stream, len(packets), missing)
    stamps, tick_s = sorted(lengths), float(stream.time_base)
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    # Matroska may leave the last length out: the usual gap stands in, then the stated rate.
    last_s = (lengths[stamps[-1]] or (median(gaps) if gaps else 0)) * tick_s or 1 / (_rate(stream) or np.inf)
    times_s = tuple((stamp - stamps[0]) * tick_s for stamp in stamps)
    positions = {stamp: i for i, stamp in enumerate(stamps)} if told else {}
    return Timeline(times_s, times_s[-1] + last_s, positions, missing)


def _counted(stream: Any, n_frames: int, missing: int) -> Timeline:
    """Without timestamps of their own (raw streams, some AVI), frames are evenly spaced."""
    step_s = 1 / (_rate(stream) or 25)
    return Timeline(tuple(i * step_s for i in range(n_frames)), n_frames * step_s, {}, missing)


def _rate(stream: Any) -> float:
    return float(stream.average_rate or stream.guessed_rate or 0)


def displayed(pixels: NDArray[np.uint8], matrix: NDArray[np.int32] | None) -> NDArray[np.uint8]:
    """Turn and mirror decoded pixels as the display matrix says.

    Args:
        pixels: Shape (height, width, 3).
        matrix: Shape (3, 3); maps (x, y) to (a x + c y, b x + d y) with
            [[a, b, _], [c, d, _]]. Only quarter turns and mirrors are known to
            players; other angles count as the nearest of them.

    Returns:
        Shape (height, width, 3) as displayed.
    """
    if matrix is None:
        return pixels
    (a, b), (c, d) = matrix[:2, :2].tolist()
    if _turned(matrix):
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def display_matrix(frame: av.VideoFrame) -> NDArray[np.int32] | None:
    """A frame's display matrix, shape (3, 3), or None."""
    side_data: Any = frame.side_data.get("DISPLAYMATRIX")
    return None if side_data is None else np.frombuffer(bytes(side_data), dtype=np.int32).reshape(3, 3)


def displayed_size(frame: av.VideoFrame, stream: Any) -> tuple[int, int]:
    """Width and height as displayed [px]: square pixels, turned upright."""
    aspect = float(stream.sample_aspect_ratio or 1)
    size = (max(1, round(frame.width * aspect)), frame.height)
    matrix = display_matrix(frame)
    return size[::-1] if matrix is not None and _turned(matrix) else size


def _turned(matrix: NDArray[np.int32]) -> bool:
    (a, b), (c, d) = matrix[:2, :2].tolist()
    return bool(abs(b) + abs(c) > abs(a) + abs(d))
