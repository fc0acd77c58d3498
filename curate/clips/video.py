"""A video file, opened: its one stream that counts, its frame times, its shape as displayed."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from curate.clips.animation import as_movie, needs_pillow
from curate.errors import MediaError

MOST_PIXELS = 89_478_485
"""Of one frame or picture; more is refused before memory is taken for it. Pillow's own limit: 256 MiB
at three bytes a pixel, more than twice an 8K frame (7680 x 4320)."""

_LIMIT = {"max_pixels": str(MOST_PIXELS)}
# A playlist that calls itself a video must not make the decoder fetch anything.
_OPTIONS = {"protocol_whitelist": "file", **_LIMIT}

_LISTS = frozenset({"hls", "concat", "dash", "imf", "sdp"})
"""Containers that name other files, which are not this clip's content."""
_PLAYLIST = b"#EXTM3U"
"""How an HLS playlist begins. FFmpeg would open the files that it names before it tells what it is."""
_ONLY_NAMES = "is a playlist, which only names other files: add those files instead"
_LETTERS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""Text, which FFmpeg would paint as a terminal does."""

# AVI knows when a frame is decoded, not when it is shown; as both are evenly spaced, counting tells.
_DECODE_TIMES_ONLY = ("avi",)

_SEEKABLE = ("mov", "matroska")
"""Containers with an index: in others FFmpeg guesses where a time may be, and may land behind it."""


@dataclass(frozen=True, slots=True)
class Video:
    """An open container and the stream that is looked at."""

    container: Any
    stream: Any

    def frames(self) -> Iterator[av.VideoFrame]:
        """Frames in order of presentation; those that cannot be decoded are left out."""
        for packet in self.packets():
            yield from self.decoded(packet)

    def decoded(self, packet: Any) -> list[av.VideoFrame]:
        """The frames that a packet completes; none if it is damaged."""
        try:
            return list(packet.decode())
        except (av.FFmpegError, EOFError):
            return []

    def packets(self) -> Iterator[Any]:
        """Packets up to the end of the file, or to where it cannot be read on."""
        try:
            yield from self.container.demux(self.stream)
        except av.FFmpegError:
            return


@dataclass(frozen=True, slots=True)
class Timeline:
    """When each frame is presented, by the container's word."""

    times_s: tuple[float, ...]
    """Shape (n_frames,), rising, from 0."""
    duration_s: float
    """From the first frame's start to the last frame's end."""
    positions: Mapping[int, int]
    """Presentation timestamp to index; empty if the container has none to tell frames by."""
    missing: int
    """Frames that the container promises and does not have."""
    key_frames: tuple[int, ...] = ()
    """Indices, rising, of the frames from which decoding can begin, by the container's word; each can
    be sought by its timestamp. What comes before the first of them is decoded from the start of the
    file. Empty if nothing can be sought in a container of this kind."""

    @property
    def stamps(self) -> tuple[int, ...]:
        """Shape (n_frames,): each frame's presentation timestamp, in ticks of the stream; or empty."""
        return tuple(self.positions)


class _Stamps:
    """What the packets of a stream say of their frames, in its ticks; compact, as hours have many."""

    def __init__(self) -> None:
        self.n_packets = 0
        self.ticks, self.lengths, self.keys = array("q"), array("q"), array("q")

    def add(self, at: int | None, length: int | None, is_key: bool) -> None:
        """A packet without a timestamp is counted, and no more."""
        self.n_packets += 1
        if at is not None:
            self.ticks.append(at)
            self.lengths.append(length or 0)
            if is_key:
                self.keys.append(at)


@contextmanager
def open_video(place: Path | bytes) -> Iterator[Video]:
    """Open the first real video stream (cover pictures are none), one thread a decoder.

    Animated WebP and AVIF, which FFmpeg does not read, are unpacked first.

    Raises:
        MediaError: It is no media file, has no video that can be decoded, or
            frames of more than `MOST_PIXELS`.
    """
    with ExitStack() as stack:
        source: Any = str(place) if isinstance(place, Path) else BytesIO(place)
        if _head(place).startswith(_PLAYLIST):
            raise MediaError(_ONLY_NAMES)
        if needs_pillow(place):
            source = stack.enter_context(as_movie(place))
        try:
            container = av.open(source, options=_OPTIONS, metadata_errors="ignore")
        except (av.FFmpegError, EOFError) as error:
            raise MediaError(f"is not a video or an image that can be read ({_reason(error)})") from error
        stack.enter_context(container)
        _check_format(container.format.name)
        yield Video(container, _stream(container))


def _head(place: Path | bytes) -> bytes:
    if isinstance(place, bytes):
        return place[: len(_PLAYLIST)]
    with place.open("rb") as file:
        return file.read(len(_PLAYLIST))


def _check_format(name: str) -> None:
    """Refuse what FFmpeg takes for media and is no recording.

    Images are Pillow's business; what Pillow could not read is no video either,
    though FFmpeg, which goes by the file's name here, may say so.
    """
    if name in _LISTS:
        raise MediaError(_ONLY_NAMES)
    if name in _LETTERS:
        raise MediaError("is not a video or an image that can be read (it is text)")
    if name == "image2" or name.endswith("_pipe"):
        raise MediaError("is not a video or an image that can be read (an image in name only, or damaged)")


def _stream(container: Any) -> Any:
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams}))
        raise MediaError("has no video stream" + (f", only {kinds}" if kinds else " and no other"))
    stream = streams[0]
    if stream.codec_context is None:
        raise MediaError("has a video stream of a kind that cannot be decoded here")
    check_size(stream.width, stream.height)
    stream.codec_context.thread_count = 1
    # Frames may be larger than the header says, or grow on the way.
    stream.codec_context.options = _LIMIT
    return stream


def check_size(width: int, height: int) -> None:
    """Refuse a frame or picture that would take too much memory.

    Raises:
        MediaError: It has more than `MOST_PIXELS`.
    """
    if width * height > MOST_PIXELS:
        raise MediaError(
            f"has {width} x {height} pixels, and {MOST_PIXELS} pixels a frame are read at most: scale it down"
        )


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def timeline(video: Video) -> Timeline:
    """Read all packets of an open video and tell when each frame is presented; nothing is decoded.

    The container is at its end afterwards: open it again to decode.

    Raises:
        MediaError: There is no frame at all.
    """
    return _timeline(video, video.packets())


def first_frame_and_timeline(video: Video) -> tuple[av.VideoFrame | None, Timeline]:
    """The first frame that can be decoded, if there is one, and the times of all: in one pass.

    Raises:
        MediaError: There is no frame at all.
    """
    found: list[av.VideoFrame] = []

    def packets() -> Iterator[Any]:
        for packet in video.packets():
            if not found:
                found.extend(video.decoded(packet)[:1])
            yield packet

    line = _timeline(video, packets())
    return next(iter(found), None), line


def _timeline(video: Video, packets: Iterable[Any]) -> Timeline:
    by_decoding = video.container.format.name in _DECODE_TIMES_ONLY
    n_packets, shown = 0, _Stamps()
    for packet in packets:
        n_packets += bool(packet.size)
        # Packets before an edit list's start are decoded but never shown.
        if packet.size and not packet.is_discard:
            shown.add(packet.dts if by_decoding else packet.pts, packet.duration, packet.is_keyframe)
    if not shown.n_packets:
        raise MediaError("has a video stream without frames")
    missing = max(0, video.stream.frames - n_packets)
    if len(shown.ticks) < shown.n_packets or np.unique(shown.ticks).size < shown.n_packets:
        return _counted(video.stream, shown.n_packets, missing)
    line = _stamped(video.stream, shown, missing, told=not by_decoding)
    can_seek = video.container.format.name.startswith(_SEEKABLE)
    return replace(line, key_frames=_key_frames(line, shown.keys)) if can_seek else line


def _stamped(stream: Any, packets: _Stamps, missing: int, told: bool) -> Timeline:
    """Times by timestamp and length; `told`: whether decoded frames bear these timestamps."""
    ticks, tick_s = np.sort(packets.ticks), float(stream.time_base)  # (n_frames,)
    last = packets.lengths[int(np.argmax(packets.ticks))]
    # Matroska may leave the last length out: the usual gap stands in, then the stated rate.
    last_s = (last or (float(np.median(np.diff(ticks))) if ticks.size > 1 else 0)) * tick_s
    last_s = last_s or 1 / (_rate(stream) or np.inf)
    times_s = ((ticks - ticks[0]) * tick_s).tolist()
    positions = {stamp: i for i, stamp in enumerate(ticks.tolist())} if told else {}
    return Timeline(tuple(times_s), times_s[-1] + last_s, positions, missing)


def _key_frames(line: Timeline, stamps: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(line.positions[stamp] for stamp in stamps if stamp in line.positions))


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
    # Asking a frame for its side data ties it into a circle of references, and its pixels stay in memory
    # until Python looks for such circles; of a copy of 2 x 2 pixels that does not matter.
    side_data: Any = frame.reformat(2, 2, "gray").side_data.get("DISPLAYMATRIX")
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
