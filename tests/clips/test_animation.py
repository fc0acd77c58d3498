"""Moving pictures that FFmpeg does not read: right frames at right times, and bounded."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curate.clips.animation import needs_pillow
from curate.clips.probe import probe
from curate.clips.video import open_video, timeline
from curate.errors import MediaError

LEVELS = (40, 120, 200, 250)


def moving(kind: str, lengths_ms: list[int], **saved: Any) -> bytes:
    """Frames of growing grey."""
    pages = [Image.new("RGB", (24, 16), (level, level, level)) for level in LEVELS[: len(lengths_ms)]]
    written = BytesIO()
    pages[0].save(written, kind, save_all=True, append_images=pages[1:], duration=lengths_ms, **saved)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("as_file", [False, True])
def test_each_frame_has_its_own_time(kind: str, as_file: bool, tmp_path: Path) -> None:
    place: Path | bytes = moving(kind, [100, 200, 50, 400])
    if as_file:
        (tmp_path / "moving.mp4").write_bytes(place)
        place = tmp_path / "moving.mp4"
    found = probe(place, "moving")
    assert (found.media, found.n_frames, found.width, found.height) == ("video", 4, 24, 16)
    assert found.duration_s == pytest.approx(0.1 + 0.2 + 0.05 + 0.4)
    with open_video(place) as video:
        assert timeline(video).times_s == pytest.approx([0, 0.1, 0.3, 0.35])
    with open_video(place) as video:
        levels = [frame.to_ndarray(format="rgb24").mean() for frame in video.frames()]
    assert levels == pytest.approx(LEVELS, abs=3)  # AVIF and WebP lose a little


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_a_still_is_an_image(kind: str) -> None:
    written = BytesIO()
    Image.new("RGB", (24, 16)).save(written, kind)
    assert probe(written.getvalue(), "still").media == "image"


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_frames_that_claim_no_time_are_shown_as_browsers_show_them(kind: str) -> None:
    with open_video(moving(kind, [0, 0, 300])) as video:
        assert timeline(video).times_s == pytest.approx([0, 0.1, 0.2])


def test_what_can_be_seen_through_is_white() -> None:
    pages = [Image.new("RGBA", (24, 16), (0, 0, 0, alpha)) for alpha in (0, 255)]
    written = BytesIO()
    pages[0].save(written, "WEBP", save_all=True, append_images=pages[1:], lossless=True, exact=True)
    with open_video(written.getvalue()) as video:
        assert [int(frame.to_ndarray(format="rgb24").max()) for frame in video.frames()] == [255, 0]


def test_more_than_fits_on_a_disk_is_refused() -> None:
    # 40 frames of 2 x 2 on a canvas that claims 8192 x 8192: 2.7 thousand million pixels in all.
    pages = [Image.fromarray(np.full((2, 2, 3), 6 * i, np.uint8)) for i in range(40)]
    written = BytesIO()
    pages[0].save(written, "WEBP", save_all=True, append_images=pages[1:], lossless=True)
    claim = (8192 - 1).to_bytes(3, "little")
    vast = written.getvalue()[:24] + claim + claim + written.getvalue()[30:]
    with pytest.raises(MediaError, match=r"of 40 frames of 8192 x 8192 pixels, .*: convert it to a video"):
        probe(vast, "vast")


def test_a_damaged_one_has_its_reason() -> None:
    whole = moving("WEBP", [100, 100, 100])
    with pytest.raises(MediaError, match=r"^cut is (an image|a moving picture) that cannot|^cut is not"):
        probe(whole[: len(whole) // 2], "cut")


def test_other_files_do_not_need_it(tmp_path: Path) -> None:
    assert not needs_pillow(moving("GIF", [100, 100]))
    assert not needs_pillow(b"RIFF\0\0\0\0AVI LIST")
    with pytest.raises(MediaError, match="cannot be opened"):
        needs_pillow(tmp_path / "gone")
