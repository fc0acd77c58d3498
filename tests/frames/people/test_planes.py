"""Planes of frames: upright, even, and the same when put into a frame again."""

from io import BytesIO

import av
import numpy as np
import pytest

from curate.frames.people.planes import frame_of, upright_planes


def frame(width: int, height: int, pixel_format: str = "yuv420p") -> av.VideoFrame:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pixel_format)


def test_what_is_taken_out_and_put_in_again_is_the_same() -> None:
    first = upright_planes(frame(70, 48))  # rows of 70 are padded in memory
    again = upright_planes(frame_of(first))
    assert [plane.shape for plane in again] == [(48, 70), (24, 35), (24, 35)]
    assert all((a == b).all() for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("pixel_format", ["yuv422p", "yuv420p10le", "rgb24", "gray", "yuvj420p"])
def test_every_pixel_format_becomes_the_same_three_planes(pixel_format: str) -> None:
    planes = upright_planes(frame(64, 48, pixel_format))
    assert [plane.shape for plane in planes] == [(48, 64), (24, 32), (24, 32)]


def test_an_odd_row_and_column_are_cut_off() -> None:
    assert [plane.shape for plane in upright_planes(frame(65, 49))] == [(48, 64), (24, 32), (24, 32)]


def test_a_frame_of_another_size_is_scaled() -> None:
    assert upright_planes(frame(64, 48), (32, 24))[0].shape == (24, 32)


def test_a_turned_video_comes_out_upright() -> None:
    written = BytesIO()
    with av.open(written, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 64, 48, "yuv420p", 4_000_000
        stream.set_display_rotation(90)
        drawn = np.full((48, 64, 3), 40, np.uint8)
        drawn[:24, :32] = 255
        output.mux(stream.encode(av.VideoFrame.from_ndarray(drawn, format="rgb24")))
        output.mux(stream.encode(None))
    with av.open(BytesIO(written.getvalue())) as container:
        brightness, *_ = upright_planes(next(container.decode(video=0)))
    assert brightness.shape == (64, 48)
    # Turned by a quarter against the clock, the top left corner is at the bottom left.
    assert brightness[40:, :20].mean() > 200 > 100 > brightness[:24, 28:].mean()
