"""Pictures are of the frames that their indices name, upright and never enlarged."""

import struct
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
from curate.frames.decode import image_pictures, video_pictures
from curate.recipe import Frames


def pixels(jpeg: bytes) -> NDArray[np.int16]:
    return np.asarray(Image.open(BytesIO(jpeg))).astype(np.int16)


def quartered(times_ms: list[int], rotation: int = 0) -> bytes:
    """A 64 x 48 video, white in its top left quarter, brighter elsewhere with each frame."""
    written = BytesIO()
    with av.open(written, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 64, 48, "yuv420p", 4_000_000
        stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        for i, time_ms in enumerate(times_ms):
            drawn = np.full((48, 64, 3), 20 * i, np.uint8)
            drawn[:24, :32] = 255
            frame = av.VideoFrame.from_ndarray(drawn, format="rgb24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return written.getvalue()


@pytest.mark.parametrize(
    "name", ["test_462_frames.mp4", "no_face.mp4", "no_duration.webm", "noface_face.mov"]
)
def test_each_picture_is_the_frame_that_its_index_names(test_data: Path, name: str) -> None:
    place = test_data / "clips" / name
    found = video_pictures(place, Frames(count=5, size_px=4096))
    with av.open(str(place)) as container:
        # The first frame stands for time zero; a full decode counts frames one by one.
        full = {
            i: (frame.time, frame.to_ndarray(format="rgb24"))
            for i, frame in enumerate(container.decode(video=0))
        }
    assert len(found.shown) == 5
    assert found.replaced == ()
    for picture in found.shown:
        time_s, expected = full[picture.moment.index]
        assert picture.moment.t_s == pytest.approx(time_s - full[0][0])
        difference = np.abs(pixels(picture.jpeg) - expected).mean()
        assert difference < 3  # what JPEG costs; see below for what another frame costs


def test_frame_numbers_tell_frames_apart(test_data: Path) -> None:
    # The index is drawn in the picture: the frame next to it differs by more than JPEG's error.
    place = test_data / "clips" / "test_462_frames.mp4"
    found = video_pictures(place, Frames(count=3)).shown
    # 18.48 s in three shares: 3.08, 9.24 and 15.4 s, at 25 frames a second.
    assert [picture.moment.index for picture in found] == [77, 231, 385]
    with av.open(str(place)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for picture in found:
        near = range(picture.moment.index - 2, picture.moment.index + 3)
        errors = {i: np.abs(pixels(picture.jpeg) - frames[i]).mean() for i in near}
        assert min(errors, key=lambda i: errors[i]) == picture.moment.index


def test_variable_frame_rate() -> None:
    # 0, 40, 80 ms, then a pause to 1 s; the last frame lasts as long as the one before it says.
    found = video_pictures(quartered([0, 40, 80, 1000]), Frames(count=64)).shown
    assert [picture.moment.index for picture in found] == [0, 1, 2, 3]
    assert [picture.moment.t_s for picture in found] == pytest.approx([0, 0.04, 0.08, 1])
    greys = [pixels(picture.jpeg)[40, 60].mean() for picture in found]
    assert greys == pytest.approx([0, 20, 40, 60], abs=6)


@pytest.mark.parametrize("container", ["avi", "matroska", "mpegts", "flv"])
def test_frames_that_are_stored_in_another_order_than_shown(container: str) -> None:
    written = BytesIO()
    with av.open(written, "w", format=container) as output:
        stream = output.add_stream("libx264", rate=25)  # predicts frames from later ones
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(60):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 4 * i, np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    found = video_pictures(written.getvalue(), Frames(count=6))
    assert [picture.moment.index for picture in found.shown] == [5, 15, 25, 35, 45, 55]
    greys = [pixels(picture.jpeg).mean() / 4 for picture in found.shown]
    assert greys == pytest.approx([5, 15, 25, 35, 45, 55], abs=0.5)
    assert found.replaced == ()


@pytest.mark.parametrize(
    ("rotation", "white"),
    [(0, "top left"), (90, "bottom left"), (180, "bottom right"), (-90, "top right")],
)
def test_pictures_are_upright(rotation: int, white: str) -> None:
    # A positive angle turns counterclockwise: the top left quarter goes to the bottom left.
    (picture,) = video_pictures(quartered([0], rotation), Frames(count=1)).shown
    assert (picture.width, picture.height) == ((48, 64) if rotation in (90, -90) else (64, 48))
    drawn = pixels(picture.jpeg).mean(axis=2)
    row = 5 if white.startswith("top") else -5
    column = 5 if white.endswith("left") else -5
    assert drawn[row, column] > 200
    assert (drawn > 200).mean() == pytest.approx(0.25, abs=0.05)


def test_longest_side_and_square_pixels(test_data: Path) -> None:
    # 176 x 144 with pixels of 128 : 117 is shown as 193 x 144.
    place = test_data / "clips" / "carphone_pristine.mp4"
    whole, small = (video_pictures(place, Frames(count=1, size_px=size)).shown[0] for size in (448, 96))
    assert (whole.width, whole.height) == (193, 144)
    assert (small.width, small.height) == (96, round(144 * 96 / 193))


def test_the_same_clip_gives_the_same_bytes(test_data: Path) -> None:
    place = test_data / "clips" / "single_face.mp4"
    assert video_pictures(place, Frames()) == video_pictures(place.read_bytes(), Frames())


def test_a_damaged_frame_gives_way_to_the_one_before_it(test_data: Path) -> None:
    whole = bytearray((test_data / "clips" / "single_face.mp4").read_bytes())
    with open_video(bytes(whole)) as video:
        packets = [(packet.pos, packet.size) for packet in video.packets() if packet.size]
    for position, size in packets[20:30]:
        whole[position : position + size] = b"\xff" * size
    asked = Frames(count=16)
    sound = video_pictures(test_data / "clips" / "single_face.mp4", asked)
    found = video_pictures(bytes(whole), asked)
    damaged = [wanted for wanted, _ in found.replaced]
    assert damaged
    assert all(index < wanted for wanted, index in found.replaced)
    wanted = {picture.moment.index for picture in sound.shown}
    indices = [picture.moment.index for picture in found.shown]
    assert set(indices) == (wanted - set(damaged)) | {index for _, index in found.replaced}
    assert indices == sorted(indices)


def test_frames_between_key_frames_are_decoded_too() -> None:
    video = quartered([40 * i for i in range(12)])
    # Key frames at 0.12 and 0.36 s; two frames part the 0.24 s between them into three.
    found = video_pictures(video, Frames(count=2), between=2).shown
    assert [(picture.moment.role, picture.moment.index) for picture in found] == [
        ("key", 3),
        ("between", 5),
        ("between", 7),
        ("key", 9),
    ]
    greys = [pixels(picture.jpeg)[40, 60].mean() for picture in found]
    assert greys == pytest.approx([60, 100, 140, 180], abs=6)


def test_a_frame_that_stands_for_a_damaged_key_frame_is_a_key_frame(test_data: Path) -> None:
    whole = bytearray((test_data / "clips" / "single_face.mp4").read_bytes())
    asked = Frames(count=4)
    wanted = [picture.moment.index for picture in video_pictures(bytes(whole), asked).shown]
    with open_video(bytes(whole)) as video:
        places = timeline(video).positions
    with open_video(bytes(whole)) as video:
        packets = [(places.get(packet.pts), packet.pos, packet.size) for packet in video.packets()]
    # The second key frame and some before it: what stands for it is between the first and the second.
    for index, position, size in packets:
        if index in range(wanted[1] - 3, wanted[1] + 1):
            whole[position : position + size] = b"\xff" * size
    found = video_pictures(bytes(whole), asked, between=16)
    stand_in = dict(found.replaced)[wanted[1]]
    assert wanted[0] < stand_in < wanted[1]
    keys = [picture.moment.index for picture in found.shown if picture.moment.role == "key"]
    assert stand_in in keys
    assert len(keys) == 4
    indices = [picture.moment.index for picture in found.shown]
    assert indices == sorted(set(indices))


def test_a_video_without_one_sound_frame(test_data: Path) -> None:
    whole = bytearray((test_data / "clips" / "single_face.mp4").read_bytes())
    with open_video(bytes(whole)) as video:
        packets = [(packet.pos, packet.size) for packet in video.packets() if packet.size]
    for position, size in packets:
        whole[position : position + size] = b"\xff" * size
    with pytest.raises(MediaError, match="no frame can be decoded"):
        video_pictures(bytes(whole), Frames())


def test_images_are_upright_opaque_and_never_enlarged() -> None:
    drawn = Image.new("RGBA", (40, 30), (255, 0, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    written = BytesIO()
    drawn.save(written, "PNG", exif=exif)
    (picture,) = image_pictures(written.getvalue(), Frames(size_px=448)).shown
    assert (picture.width, picture.height) == (30, 40)
    assert pixels(picture.jpeg).min() > 250  # what can be seen through is white
    (small,) = image_pictures(written.getvalue(), Frames(size_px=20)).shown
    assert (small.width, small.height) == (15, 20)


@pytest.mark.parametrize(
    ("kind", "dtype", "greys", "expected"),
    [
        # 16 bits have their own range: 65535 / 255 = 257 to a step.
        ("PNG", np.uint16, [0, 257 * 100, 257 * 200, 65535], [0, 100, 200, 255]),
        ("TIFF", np.uint16, [0, 257 * 100, 257 * 200, 65535], [0, 100, 200, 255]),
        ("TIFF", np.int32, [0, 257 * 100, 257 * 200, 65535], [0, 100, 200, 255]),
        # Others are shown from the least to the greatest.
        ("TIFF", np.int32, [-100_000, -50_000, 0, 100_000], [0, 64, 128, 255]),
        ("TIFF", np.float32, [0, 0.25, 0.5, 1], [0, 64, 128, 255]),
        ("TIFF", np.float32, [0.5, 0.5, 0.5, 0.5], [0, 0, 0, 0]),
        ("TIFF", np.float32, [0, np.nan, np.inf, 1], [0, 0, 0, 255]),
    ],
)
def test_deep_greys_keep_their_steps(kind: str, dtype: type, greys: list[float], expected: list[int]) -> None:
    written = BytesIO()
    Image.fromarray(np.repeat(np.repeat([greys], 16, axis=1), 16, axis=0).astype(dtype)).save(written, kind)
    (picture,) = image_pictures(written.getvalue(), Frames(size_px=448)).shown
    drawn = pixels(picture.jpeg)  # (16, 64)
    assert drawn[8, 8::16].reshape(4, -1).mean(axis=1) == pytest.approx(expected, abs=2)


def test_whatever_a_decoder_raises_sets_the_clip_aside(
    test_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise av.FFmpegError(22, "no such conversion")

    monkeypatch.setattr("curate.frames.reading.displayed", failing)
    with pytest.raises(MediaError, match=r"is a video that cannot be read \(.*Error: .*no such conversion"):
        video_pictures(test_data / "clips" / "single_face.mp4", Frames(count=1))
    with pytest.raises(MediaError, match=r"is an image that cannot be read \(NotImplementedError: "):
        image_pictures(b"DDS " + struct.pack("<I120x", 124), Frames(size_px=448))


def test_an_image_that_changed_since_it_was_read(test_data: Path) -> None:
    with pytest.raises(MediaError, match="is an image that cannot be read"):
        image_pictures(test_data / "broken" / "truncated.jpg", Frames(size_px=448))
