"""Videos with hidden faces: every frame at its time, no face left, the same bytes each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from curate.clips.video import open_video, timeline
from curate.errors import MediaError
from curate.frames.people.blur import FaceBlur, open_face_blur
from curate.frames.people.blur_video import blur_video
from curate.frames.people.boxes import Box
from curate.frames.people.cascades import CascadeFaces
from curate.frames.people.encode import MPEG4, X264, Encoder, encoder
from curate.frames.people.finder import Detection


@dataclass(frozen=True, slots=True)
class TopLeft:
    """Finds a face in the top left quarter of every picture, as it is shown to it."""

    name: str = "top left@1"

    def find(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        return [[Detection(Box(0, 0, image.width / 2, image.height / 2), 0.9)] for image in images]


@dataclass(frozen=True, slots=True)
class Nobody:
    """Finds nothing."""

    name: str = "nobody@1"

    def find(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        return [[] for _ in images]


def noisy(times_ms: list[int], rotation: int = 0, size: tuple[int, int] = (128, 96)) -> bytes:
    """A video of coarse noise, each frame brighter than the one before."""
    rng = np.random.default_rng(4)
    written = BytesIO()
    with av.open(written, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=25)
        (stream.width, stream.height), stream.pix_fmt, stream.bit_rate = size, "yuv420p", 8_000_000
        stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        for i, time_ms in enumerate(times_ms):
            blocks = rng.integers(0, 120, (size[1] // 4, size[0] // 4), dtype=np.uint8) + np.uint8(10 * i)
            drawn = np.repeat(np.kron(blocks, np.ones((4, 4), np.uint8))[:, :, None], 3, axis=2)
            frame = av.VideoFrame.from_ndarray(drawn, format="rgb24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return written.getvalue()


def frames_of(place: Path | bytes) -> list[NDArray[np.uint8]]:
    with open_video(place) as video:
        return [np.asarray(frame.to_ndarray(format="gray")) for frame in video.frames()]


def blurred(place: Path | bytes, tmp_path: Path, by: Encoder | None = None, name: str = "out.mp4") -> Path:
    blur_video(place, tmp_path / name, TopLeft(), 0.5, by)
    return tmp_path / name


UNEVEN = [0, 40, 50, 300, 310, 1000]


@pytest.mark.parametrize("by", [X264, MPEG4])
def test_each_frame_keeps_its_time_and_what_is_not_hidden(tmp_path: Path, by: Encoder) -> None:
    source = noisy(UNEVEN)
    target = blurred(source, tmp_path, by)
    with open_video(source) as before, open_video(target) as after:
        expected, found = timeline(before), timeline(after)
    assert found.times_s == pytest.approx(expected.times_s, abs=1e-4)
    assert found.duration_s == pytest.approx(expected.duration_s, abs=1e-4)
    for old, new in zip(frames_of(source), frames_of(target), strict=True):
        # The upper left quarter and 0.3 of it are hidden; the rest differs by the loss of the encoder alone.
        assert new[:40, :50].std() < 15 < old[:40, :50].std()
        assert np.abs(new[70:, 90:].astype(int) - old[70:, 90:]).mean() < 6


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    source = noisy(UNEVEN)
    first, second = (blurred(source, tmp_path, name=name).read_bytes() for name in ("a.mp4", "b.mp4"))
    assert first == second


def test_a_turned_video_is_turned_upright_and_hidden_where_it_was_seen(tmp_path: Path) -> None:
    target = blurred(noisy([0, 40], rotation=90), tmp_path)
    first, *_ = frames_of(target)
    assert first.shape == (128, 96)
    # The top left of what is displayed.
    assert first[:60, :40].std() < 15 < first[90:, :].std()
    with av.open(str(target)) as container:
        assert "DISPLAYMATRIX" not in next(container.decode(video=0)).side_data


def test_an_odd_row_and_column_are_cut_off(tmp_path: Path) -> None:
    def odd() -> bytes:
        written = BytesIO()
        with av.open(written, "w", format="avi") as output:
            stream = output.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = 65, 49, "yuv420p"
            for _ in range(3):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((49, 65, 3), np.uint8))))
            output.mux(stream.encode(None))
        return written.getvalue()

    target = blurred(odd(), tmp_path)
    assert [frame.shape for frame in frames_of(target)] == [(48, 64)] * 3
    with open_video(target) as video:
        assert timeline(video).times_s == pytest.approx((0, 0.04, 0.08))


def test_sound_is_passed_on_as_it_is(test_data: Path, tmp_path: Path) -> None:
    place = test_data / "clips" / "single_face.mp4"
    target = tmp_path / "out.mp4"
    blur_video(place, target, Nobody(), 0.5)

    def sound(path: Path) -> list[tuple[float, bytes]]:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            return [
                (float(packet.pts * packet.time_base), bytes(packet))
                for packet in container.demux(stream)
                if packet.size
            ]

    before, after = sound(place), sound(target)
    assert [data for _, data in after] == [data for _, data in before]
    assert [t_s for t_s, _ in after] == pytest.approx([t_s for t_s, _ in before], abs=1e-3)


def test_damaged_sound_does_not_matter(test_data: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    blur_video(test_data / "clips" / "video_with_failing_audio.mp4", target, Nobody(), 0.5)
    with open_video(target) as video:
        assert len(timeline(video).times_s) == 280


def test_no_face_is_left_where_one_was_found(test_data: Path, tmp_path: Path) -> None:
    place = test_data / "clips" / "single_face.mp4"
    target = open_face_blur().write(place, "video", tmp_path / "clip")
    assert target == tmp_path / "clip.mp4"
    looks = CascadeFaces(thorough=True)

    def faces(path: Path) -> list[bool]:
        with open_video(path) as video:
            images = [frame.to_image() for frame in video.frames()][::12]
        return [any(one.score >= 0.5 for one in found) for found in looks.find(images)]

    assert faces(place) == [True] * 6
    assert faces(target) == [False] * 6


def test_a_name_with_a_dot_is_kept_whole(tmp_path: Path) -> None:
    picture = BytesIO()
    Image.new("RGB", (40, 40)).save(picture, "JPEG")
    blur = FaceBlur(TopLeft())
    target = blur.write(picture.getvalue(), "image", tmp_path / "a.b")
    assert target == tmp_path / "a.b.jpg"
    assert blur.picture(picture.getvalue()) == target.read_bytes()
    assert blur.decided_by == "top left@1 from score 0.3"


def test_bad_media_leave_no_file(tmp_path: Path) -> None:
    for media in ("video", "image"):
        with pytest.raises(MediaError):
            FaceBlur(TopLeft()).write(b"nothing", media, tmp_path / "clip")
    assert list(tmp_path.iterdir()) == []


def test_the_encoder_is_one_that_is_there() -> None:
    assert encoder() in (X264, MPEG4)
