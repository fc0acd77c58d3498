"""When frames are shown, container by container, and from which of them decoding can begin."""

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from curate.clips.probe import probe
from curate.clips.video import Timeline, open_video, timeline

FPS = 25
N_FRAMES = 30
KEY_EVERY = 10
_TS_TICKS = 90_000
_TS_WRAPS_AT_S = 2**33 / _TS_TICKS
X264 = {"g": str(KEY_EVERY), "sc_threshold": "0", "bf": "2"}


def encoded(
    container: str,
    codec: str = "libx264",
    ticks: Sequence[int] = range(N_FRAMES),
    starts_s: float = 0,
    codec_options: dict[str, str] | None = None,
) -> bytes:
    """A video whose frames, grey level 8 i, begin at the given ticks of 1/25 s, the first at `starts_s`."""
    written = BytesIO()
    with av.open(written, "w", format=container) as output:
        stream = output.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {**(X264 if codec == "libx264" else {}), **(codec_options or {})}
        stream.codec_context.time_base = Fraction(1, FPS)
        for frame in [*map(drawn, range(len(ticks)), ticks), None]:
            for packet in stream.encode(frame):
                late = round(starts_s / packet.time_base)
                packet.pts, packet.dts = packet.pts + late, packet.dts + late
                output.mux(packet)
    return written.getvalue()


def drawn(number: int, tick: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 8 * number, np.uint8), format="rgb24")
    frame.pts, frame.time_base = tick, Fraction(1, FPS)
    return frame


def line_of(video: Path | bytes) -> Timeline:
    with open_video(video) as opened:
        return timeline(opened)


def decoded(video: bytes) -> list[tuple[int | None, int]]:
    """Timestamp and number of each frame, in the order in which the decoder gives them."""
    with open_video(video) as opened:
        return [(frame.pts, number_of(frame)) for frame in opened.frames()]


def number_of(frame: av.VideoFrame) -> int:
    return round(float(frame.to_ndarray(format="rgb24").mean()) / 8)


EVEN = tuple(i / FPS for i in range(N_FRAMES))


@pytest.mark.parametrize(
    ("container", "codec", "starts_s"),
    [
        ("mp4", "libx264", 0),
        ("mp4", "libx265", 0),
        ("matroska", "libx264", 0),
        ("matroska", "libx264", 7),
        ("flv", "libx264", 0),
        ("mpegts", "libx264", 0),
        ("mpegts", "libx264", 20_000),
        ("mpegts", "libx264", _TS_WRAPS_AT_S - 0.6),  # timestamps of 33 bits begin anew midway
        ("mpegts", "mpeg2video", _TS_WRAPS_AT_S - 0.6),
        ("mpeg", "mpeg2video", 0),
        ("avi", "libx264", 0),
        ("avi", "mpeg4", 0),
        ("h264", "libx264", 0),  # no container at all
    ],
)
def test_even_frames_are_even_in_every_container(container: str, codec: str, starts_s: float) -> None:
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    video = encoded(container, codec, starts_s=starts_s, codec_options=quiet)
    line = line_of(video)
    assert line.times_s == pytest.approx(EVEN, abs=1e-6)
    assert line.missing == 0
    shown = decoded(video)
    assert [number for _, number in shown] == pytest.approx(list(range(N_FRAMES)), abs=1)
    if line.positions:
        assert [line.positions[stamp] for stamp, _ in shown if stamp is not None] == list(range(N_FRAMES))
        assert line.stamps == tuple(stamp for stamp, _ in shown)


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "libx264"), ("mp4", "mpeg4"), ("matroska", "libx264"), ("mpegts", "libx264")],
)
def test_frames_that_come_when_they_like(container: str, codec: str) -> None:
    ticks = [0, 1, 2, 5, 9, 10, 11, 12, 40, 41]
    assert line_of(encoded(container, codec, ticks)).times_s == pytest.approx(
        [tick / FPS for tick in ticks], abs=1e-6
    )


@pytest.mark.parametrize(
    ("codec", "options"),
    [("libx264", {"x264-params": "tff=1"}), ("mpeg2video", {"flags": "+ildct+ilme"})],
)
@pytest.mark.parametrize("container", ["mp4", "mpegts"])
def test_interlaced_frames_are_one_each(container: str, codec: str, options: dict[str, str]) -> None:
    video = encoded(container, codec, codec_options=options)
    assert line_of(video).times_s == pytest.approx(EVEN, abs=1e-6)


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts", "avi"])
def test_one_frame(container: str) -> None:
    video = encoded(container, ticks=[0])
    line = line_of(video)
    assert line.times_s == (0.0,)
    assert line.duration_s == pytest.approx(1 / FPS, abs=1e-3)
    assert probe(video, "one").n_frames == 1


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
@pytest.mark.parametrize("options", [{}, {"x264-params": "open-gop=1"}])
def test_decoding_can_begin_at_each_key_frame(container: str, options: dict[str, str]) -> None:
    video = encoded(container, codec_options=options)
    line = line_of(video)
    assert line.key_frames == tuple(range(0, N_FRAMES, KEY_EVERY))
    whole = dict(decoded(video))
    for index in line.key_frames:
        with open_video(video) as opened:
            opened.container.seek(line.stamps[index], stream=opened.stream, backward=True)
            found = {frame.pts: number_of(frame) for frame in opened.frames()}
        after = line.stamps[index:]
        assert [found.get(stamp) for stamp in after] == [whole[stamp] for stamp in after]


@pytest.mark.parametrize("container", ["avi", "mpegts", "h264"])
def test_without_an_index_nothing_can_be_sought(container: str) -> None:
    # In a transport stream FFmpeg would land behind the time that is sought.
    assert line_of(encoded(container)).key_frames == ()


def test_frames_that_bear_their_number(test_data: Path) -> None:
    video = test_data / "clips" / "test_462_frames.mp4"
    line = line_of(video)
    assert line.times_s == pytest.approx([i / FPS for i in range(462)])
    assert line.duration_s == pytest.approx(462 / FPS)
    with open_video(video) as opened:
        assert [line.positions[frame.pts] for frame in opened.frames()] == list(range(462))


def test_the_first_frame_comes_with_the_times(test_data: Path) -> None:
    # Its file promises frames before the edit list's start; they are decoded and never shown.
    video = test_data / "clips" / "no_face.mp4"
    found = probe(video, "edit list")
    line = line_of(video)
    assert (found.n_frames, found.duration_s) == (len(line.times_s), line.duration_s)
    assert line.times_s[0] == 0
    assert line.key_frames == ()  # the only one lies before the start
