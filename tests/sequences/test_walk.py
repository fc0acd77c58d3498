import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from curate.errors import MediaError
from curate.sequences.walk import walk


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames of 64 x 48 at 10 a second, frame i of grey 20 i."""
    path = tmp_path_factory.mktemp("video") / "grey.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        for number in range(10):
            grey = np.full((48, 64, 3), 20 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode())
    return path


def grey(image: Image.Image) -> int:
    return round(int(np.asarray(image)[0, 0, 0]) / 20)


def test_every_frame_in_order(video: Path) -> None:
    shown = list(walk(video, "video", fps=None, size_px=640))
    assert [at_s for at_s, _ in shown] == pytest.approx([i / 10 for i in range(10)])
    assert [grey(image) for _, image in shown] == list(range(10))
    assert {image.size for _, image in shown} == {(64, 48)}


@pytest.mark.parametrize(
    ("fps", "frames"),
    [
        (5, [0, 2, 4, 6, 8]),
        (2.5, [0, 4, 8]),
        (4, [0, 2, 5, 7]),  # at 0.25 s the frame of 0.2 s is shown
        (100, list(range(10))),  # none twice
        (0.5, [0]),
    ],
)
def test_frames_that_are_shown_at_a_rate(video: Path, fps: float, frames: list[int]) -> None:
    shown = list(walk(video, "video", fps=fps, size_px=640))
    assert [grey(image) for _, image in shown] == frames


def test_large_pictures_are_scaled_down_and_small_ones_never_up(video: Path) -> None:
    assert next(walk(video, "video", fps=1, size_px=32))[1].size == (32, 24)


def test_a_still_picture_is_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "red")
    exif = image.getexif()
    exif[0x0112] = 6  # a quarter turn
    image.save(tmp_path / "a.jpg", exif=exif)
    for place in (tmp_path / "a.jpg", (tmp_path / "a.jpg").read_bytes()):
        shown = list(walk(place, "image", fps=5, size_px=640))
        assert [(at_s, picture.size) for at_s, picture in shown] == [(0, (20, 40))]


@pytest.mark.parametrize("media", ["image", "video"])
def test_what_cannot_be_read_says_so(media: str) -> None:
    with pytest.raises(MediaError):
        list(walk(io.BytesIO(b"nothing of the kind").getvalue(), media, fps=None, size_px=640))


def test_every_real_clip_gives_rising_times(test_data: Path) -> None:
    for path in sorted((test_data / "clips").glob("*.mp4"))[:4]:
        times_s = [at_s for at_s, _ in walk(path, "video", fps=2, size_px=160)]
        assert times_s == sorted(set(times_s))
        assert len(times_s) >= 1
