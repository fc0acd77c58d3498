"""What is told of files that are sound, odd or broken."""

import struct
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from curate.clips.probe import probe
from curate.clips.video import open_video, timeline
from curate.errors import MediaError


def drawn_video(
    times_ms: list[int], width: int = 64, height: int = 48, rotation: int = 0, container: str = "mp4"
) -> bytes:
    """A video whose frames, grey level 10 i, start at the given times."""
    written = BytesIO()
    with av.open(written, "w", format=container) as output:
        stream = output.add_stream("mpeg4" if container == "mp4" else "libvpx-vp9", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        for i, time_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 10 * i, np.uint8), format="rgb24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return written.getvalue()


def times_s(video: bytes) -> tuple[float, ...]:
    with open_video(video) as opened:
        return timeline(opened).times_s


def picture_bytes(kind: str = "JPEG", size: tuple[int, int] = (40, 30), **saved: object) -> bytes:
    written = BytesIO()
    Image.new("RGB", size, "teal").save(written, kind, **saved)  # type: ignore[arg-type]
    return written.getvalue()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("zero_byte.mp4", "is empty"),
        ("text_named.mp4", "is not a video or an image"),
        ("truncated.mp4", "is not a video or an image"),
        ("audio_only.mp4", "has no video stream, only audio"),
        ("truncated.jpg", "is an image that cannot be read to its end"),
    ],
)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_broken_files_say_why(test_data: Path, name: str, reason: str, as_bytes: bool) -> None:
    place = test_data / "broken" / name
    with pytest.raises(MediaError, match=f"^{name} {reason}"):
        probe(place.read_bytes() if as_bytes else place, name)


def test_a_file_cut_midway_is_read_with_a_remark(test_data: Path) -> None:
    found = probe(test_data / "broken" / "truncated_midway.mp4", "cut")
    assert found.remark == "promises 72 frames and holds 33"
    assert (found.n_frames, found.fps) == (33, pytest.approx(30))
    assert found.duration_s == pytest.approx(33 / 30)


def test_a_video_of_one_frame(test_data: Path) -> None:
    found = probe(test_data / "broken" / "single_frame.mp4", "one")
    assert (found.n_frames, found.remark) == (1, "")
    assert found.duration_s == pytest.approx(1 / 30)


def test_a_container_without_duration(test_data: Path) -> None:
    found = probe(test_data / "clips" / "no_duration.webm", "no duration")
    # 74 frames; the last starts at 4.872 s and lasts 0.066 s.
    assert found.n_frames == 74
    assert found.duration_s == pytest.approx(4.872 + 0.066)


def test_frames_before_an_edit_list_are_not_counted(test_data: Path) -> None:
    found = probe(test_data / "clips" / "no_face.mp4", "edit list")
    assert found.n_frames == 98 - 3  # three packets are decoded and never shown
    assert found.remark == ""


def test_the_first_of_two_video_streams_counts(test_data: Path) -> None:
    found = probe(test_data / "clips" / "nasa_13013.mp4", "two streams")
    assert (found.width, found.height, found.n_frames) == (320, 180, 325)


def test_pixels_that_are_not_square(test_data: Path) -> None:
    found = probe(test_data / "clips" / "carphone_pristine.mp4", "wide pixels")
    assert (found.width, found.height) == (round(176 * 128 / 117), 144)


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_variable_frame_rate(container: str) -> None:
    drawn = drawn_video([0, 40, 80, 500, 1000], container=container)
    assert times_s(drawn) == pytest.approx((0, 0.04, 0.08, 0.5, 1.0))
    found = probe(drawn, "variable")
    assert found.duration_s is not None
    assert found.fps == pytest.approx(5 / found.duration_s)


def test_times_start_at_the_first_frame() -> None:
    late = drawn_video([1000, 1040, 1080], container="webm")
    assert times_s(late) == pytest.approx((0, 0.04, 0.08))


@pytest.mark.parametrize(
    ("rotation", "size"), [(0, (64, 48)), (90, (48, 64)), (180, (64, 48)), (-90, (48, 64))]
)
def test_size_as_displayed(rotation: int, size: tuple[int, int]) -> None:
    found = probe(drawn_video([0, 40], rotation=rotation), "turned")
    assert (found.width, found.height) == size


def test_images_as_displayed() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    found = probe(picture_bytes(exif=exif), "turned")
    assert (found.media, found.width, found.height) == ("image", 30, 40)
    assert (found.duration_s, found.fps, found.n_frames) == (None, None, 1)


def test_a_moving_gif_is_a_video() -> None:
    still, moving = (
        picture_bytes("GIF"),
        picture_bytes("GIF", save_all=True, append_images=[Image.new("RGB", (40, 30), "red")], duration=100),
    )
    assert probe(still, "still").media == "image"
    found = probe(moving, "moving")
    assert (found.media, found.n_frames) == ("video", 2)


def test_names_do_not_decide(tmp_path: Path) -> None:
    place = tmp_path / "picture.mp4"
    place.write_bytes(picture_bytes("PNG"))
    assert probe(place, place.name).media == "image"


def test_a_playlist_fetches_nothing(tmp_path: Path) -> None:
    place = tmp_path / "list.mp4"
    place.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(MediaError, match="is a playlist, which only names other files"):
        probe(place, place.name)


def test_a_video_that_cannot_be_decoded(test_data: Path) -> None:
    whole = bytearray((test_data / "broken" / "single_frame.mp4").read_bytes())
    start, (size,) = whole.index(b"mdat"), struct.unpack_from(">I", whole, whole.index(b"mdat") - 4)
    whole[start + 4 : start - 4 + size] = b"\xff" * (size - 8)
    with pytest.raises(MediaError, match="damaged has a video stream of which no frame can be decoded"):
        probe(bytes(whole), "damaged")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        # EXIF data that end before they say where their first table lies.
        (picture_bytes("PNG", exif=b"Exif\0\0MM\0*"), "is an image that cannot be read to its end"),
        # A surface whose pixels are neither colours nor a known compression.
        (b"DDS " + struct.pack("<I120x", 124), "is an image that cannot be read"),
    ],
)
def test_whatever_a_decoder_raises_is_the_clip_s_reason(place: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=rf"^odd {reason} \(\w+: ") as caught:
        probe(place, "odd")
    assert caught.value.__cause__ is not None


def test_damaged_avif_is_the_clip_s_reason() -> None:
    whole = bytearray(picture_bytes("AVIF"))
    start = whole.index(b"mdat") + 4
    whole[start:] = b"\xff" * (len(whole) - start)
    with pytest.raises(MediaError, match=r"^odd is an image that cannot be read.* \(\w+: "):
        probe(bytes(whole), "odd")
