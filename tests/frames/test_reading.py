"""Frames by index: the same whichever way they are reached."""

from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from curate.clips.video import Timeline, open_video, timeline
from curate.frames import reading
from curate.frames.decode import video_pictures
from curate.frames.look import look
from curate.frames.reading import runs, upright, wanted_frames
from curate.recipe import Frames

N_FRAMES = 240


def moving(codec: str, gop: int, options: dict[str, str] | None = None, interlaced: bool = False) -> bytes:
    """A 96 x 64 video of a bar that wanders, with key frames every `gop` frames."""
    written = BytesIO()
    with av.open(written, "w", format="mp4") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.gop_size = gop
        stream.options = {"threads": "1", **(options or {})}
        for i in range(N_FRAMES):
            frame = av.VideoFrame.from_ndarray(_bar(i, interlaced), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return written.getvalue()


def _bar(i: int, interlaced: bool) -> NDArray[np.uint8]:
    drawn = np.full((64, 96, 3), 40, np.uint8)
    drawn[::2, i % 90 : i % 90 + 6] = 220
    drawn[1::2, (i + 12 * interlaced) % 90 : (i + 12 * interlaced) % 90 + 6] = 220
    return drawn


def line_of(place: Path | bytes) -> Timeline:
    with open_video(place) as video:
        return timeline(video)


def pictures(place: Path | bytes, wanted: list[int]) -> list[tuple[int, bytes]]:
    line = line_of(place)
    with open_video(place) as video:
        return [
            (served.index, upright(served.frame).tobytes()) for served in wanted_frames(video, line, wanted)
        ]


@pytest.fixture
def in_one_pass(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Reading as if seeking cost far more than decoding everything."""
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_SEEK_FRAMES", 1_000_000)
        yield patch


@pytest.mark.parametrize(("codec", "gop"), [("libx264", 12), ("libx265", 25), ("mpeg4", 10)])
def test_seeking_gives_the_very_frames_of_one_pass(
    codec: str, gop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    place, wanted = moving(codec, gop, options), [3, 61, 62, 130, 239]
    assert len(runs(line_of(place), wanted)) > 1, "seeking decodes fewer frames here"
    sought = pictures(place, wanted)
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_SEEK_FRAMES", 1_000_000)
        assert runs(line_of(place), wanted) == [(0, wanted)]
        assert pictures(place, wanted) == sought
    assert [index for index, _ in sought] == wanted


def test_frame_numbers_are_reached_by_seeking(test_data: Path, in_one_pass: pytest.MonkeyPatch) -> None:
    place, wanted = test_data / "clips" / "test_462_frames.mp4", [0, 17, 255, 400, 461]
    one_pass = pictures(place, wanted)
    in_one_pass.setattr(reading, "_SEEK_FRAMES", -1_000_000)
    assert pictures(place, wanted) == one_pass
    assert [index for index, _ in one_pass] == wanted


def test_what_is_left_out_changes_no_picture() -> None:
    place = moving("libx264", 250, {"bf": "3"})
    with av.open(BytesIO(place)) as container:
        every = [upright(frame).tobytes() for frame in container.decode(video=0)]
    wanted = [0, 1, 2, 50, 51, 120, 238, 239]
    assert pictures(place, wanted) == [(index, every[index]) for index in wanted]


def test_runs_weigh_what_is_decoded() -> None:
    line = Timeline(
        times_s=tuple(i / 25 for i in range(1000)),
        duration_s=40,
        positions={i: i for i in range(1000)},
        missing=0,
        key_frames=(0, 250, 500, 750),
    )
    # 761 frames from the start; by seeking 11 + 11 and two seeks.
    assert runs(line, [10, 760]) == [(0, [10]), (750, [760])]
    assert runs(line, [760, 765]) == [(750, [760, 765])]
    # 250 and 500 share no key frame: 1000 frames from the start, as many by four seeks.
    assert runs(line, [249, 499, 749, 999]) == [(0, [249, 499, 749, 999])]
    assert runs(line, []) == []


def test_without_an_index_everything_is_decoded() -> None:
    line = Timeline(tuple(i / 25 for i in range(1000)), 40, {}, 0)
    assert runs(line, [900]) == [(None, [900])]


def test_of_two_fields_one_is_shown() -> None:
    place = moving("libx264", 12, {"x264-params": "tff=1:interlaced=1"}, interlaced=True)
    line = line_of(place)
    with open_video(place) as video:
        (served,) = wanted_frames(video, line, [20])
        assert served.frame.interlaced_frame
        image = np.asarray(served.shown)[:, :, 0]  # (64, 96)
    assert image.shape == (64, 96)
    bright = np.flatnonzero(image.mean(axis=0) > 120)
    # Both fields would show two bars of six columns each, twelve columns apart, as combs.
    assert bright.min() >= 18
    assert bright.max() <= 28


def test_looking_holds_a_frame_a_window_and_no_more_than_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    place = moving("libx264", 250)
    line = line_of(place)
    with open_video(place) as video:
        held = look(video, line).held
    # 240 frames at 25 a second are 9.6 s: 80 windows of 0.12 s.
    assert len(held) == 80
    assert {index % 3 for index in held} == {1}, "the middle one of three"
    monkeypatch.setattr("curate.frames.look.HELD_BYTES", 100_000)
    with open_video(place) as video:
        assert look(video, line).held == {}


def test_events_are_the_same_whether_frames_are_held_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    place, frames = moving("libx264", 250), Frames(strategy="events", count=6)
    held = video_pictures(place, frames, between=2)
    monkeypatch.setattr("curate.frames.look.HELD_BYTES", 0)
    assert video_pictures(place, frames, between=2) == held
