"""Frames written as a video file that plays everywhere: H.264 in MP4, the same bytes each time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from curate.frames.people.planes import Plane, frame_of

_COLOURS = ("color_range", "colorspace", "color_primaries", "color_trc")


@dataclass(frozen=True, slots=True)
class Encoder:
    """How pictures are compressed."""

    name: str
    """As FFmpeg calls it."""
    options: Mapping[str, str]
    finest: Fraction | None = None
    """The finest clock that it takes [s]; None if any."""


X264 = Encoder(
    "libx264",
    # Its hand-written code reads memory beside the picture, so that the bytes would differ from time to
    # time and from machine to machine. Without it, veryfast takes as long as slow does with it. Without
    # frames that are shown before those they are made from (bf), MP4 keeps each frame's length.
    {"preset": "veryfast", "crf": "18", "bf": "0", "x264-params": "no-asm=1:threads=1"},
)
MPEG4 = Encoder("mpeg4", {"qmin": "3", "qmax": "3", "flags": "+bitexact"}, Fraction(1, 60_000))
"""For a build of FFmpeg without x264, whose licence is the GPL; every build has this one."""


def encoder() -> Encoder:
    """The encoder that is used here."""
    return X264 if X264.name in av.codecs_available else MPEG4


class VideoFile:
    """An MP4 file in the making: pictures, and a sound track that is passed on as it is."""

    def __init__(self, container: Any, like: Any, sound: Any, by: Encoder, clock_s: Fraction) -> None:
        """Lay out the streams.

        Args:
            container: Open for writing.
            like: The stream whose colours and shape of pixels are kept.
            sound: An audio stream that is passed on, or None.
            by: What compresses.
            clock_s: The unit of timestamps [s].
        """
        self._container, self._like = container, like
        self.clock_s = max(clock_s, by.finest) if by.finest else clock_s
        self._pictures = container.add_stream(by.name, options=dict(by.options))
        self._sound = container.add_stream_from_template(sound) if _fits(container, sound) else None
        self._started = False
        self._lengths: dict[int, int] = {}
        """By timestamp, in ticks: of frames that the encoder holds."""
        self._early: list[Any] = []
        """Packets of sound from before the first picture, when the head of the file cannot be written yet."""
        self._last: int | None = None

    def add(self, planes: list[Plane], at: int, length: int, *, turned: bool) -> None:
        """Add a picture.

        Args:
            planes: Of yuv420p, upright; all of one size.
            at: When it is shown, in ticks of `clock_s`; not later than the one before: left out.
            length: For how long, in ticks.
            turned: Whether it was turned by a quarter, which turns the shape of its pixels as well.
        """
        if not self._started:
            self._start(planes[0], turned=turned)
        if self._last is not None and at <= self._last:
            return
        frame = frame_of(planes)
        frame.pts, frame.time_base = at, self.clock_s
        self._last, self._lengths[at] = at, length
        self._mux(frame)

    def pass_on(self, packet: Any) -> None:
        """Add a packet of the sound; one that does not fit is left out, as a player would."""
        if self._sound is None or packet.dts is None or not packet.size:
            return
        if not self._started:
            self._early.append(packet)
            return
        packet.stream = self._sound
        try:
            self._container.mux(packet)
        except (av.FFmpegError, ValueError):
            return

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._started:
            self._mux(None)

    def _mux(self, frame: av.VideoFrame | None) -> None:
        for packet in self._pictures.encode(frame):
            # The encoder would give each the length of a frame at its own rate.
            packet.duration = self._lengths.pop(packet.pts, packet.duration)
            self._container.mux(packet)

    def _start(self, brightness: Plane, *, turned: bool) -> None:
        stream, context, source = self._pictures, self._pictures.codec_context, self._like.codec_context
        stream.height, stream.width = brightness.shape
        stream.pix_fmt, stream.time_base = "yuv420p", self.clock_s
        context.time_base, context.thread_count = self.clock_s, 1
        for colour in _COLOURS:
            setattr(context, colour, getattr(source, colour))
        aspect = self._like.sample_aspect_ratio
        if aspect:
            context.sample_aspect_ratio = 1 / aspect if turned else aspect
        self._started = True
        for packet in self._early:
            self.pass_on(packet)
        self._early.clear()


@contextmanager
def video_file(
    path: Path, like: Any, sound: Any, clock_s: Fraction, by: Encoder | None = None
) -> Iterator[VideoFile]:
    """Open a file for writing; whole once the block ends well.

    Args:
        path: Written over if it is there.
        like: The stream that the pictures come from.
        sound: An audio stream that is passed on as it is where MP4 can hold it, or None.
        clock_s: The unit of timestamps [s].
        by: What compresses; what is there if left out.
    """
    # Neither the time of writing nor the name of the writer in the file: the same bytes each time.
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        written = VideoFile(container, like, sound, by or encoder(), clock_s)
        yield written
        written.finish()


def _fits(container: Any, sound: Any) -> bool:
    return sound is not None and sound.codec_context.codec.name in container.supported_codecs
