"""A folder full of everything that goes wrong with media: one run reads it or says why not, and ends well."""

import csv
import os
import stat
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import datasets
import numpy as np
import polars as pl
import pytest
from eyes import Eyes
from inputs import Clip, images, videos, write_inputs
from left import card, report
from PIL import Image

from curate import verbs
from curate.errors import CurateError

OUTSIDE = "is a link to "
ODD_NAMES = (
    "-i.png",
    "two\nlines.png",
    "\N{GRINNING FACE}.png",
    "\u05d0\u05d1\u05d2.png",
    "x" * 240 + ".png",
)
"""As clips are called by people who never heard of a command line; one is written right to left."""


def write_good(folder: Path) -> set[str]:
    """Media that are odd and can be read; their names."""
    for place, name in enumerate(ODD_NAMES):
        save(folder / name, Image.new("RGB", (32, 32), (200, 10, 20 * place)))
    save(folder / "grey16.png", Image.fromarray(np.full((32, 32), 40_000, np.uint16)))
    save(folder / "cmyk.jpg", Image.new("CMYK", (32, 32), (0, 255, 255, 0)))
    save(folder / "8k.png", Image.new("RGB", (7680, 4320), "red"))
    write_8k_video(folder / "8k.mp4")
    pages = [Image.new("RGB", (32, 32), (level, 0, 0)) for level in (100, 150, 250)]
    for kind in ("gif", "webp", "avif", "png"):
        moving = folder / f"moving-{kind}.{kind}"
        pages[0].save(moving, save_all=True, append_images=pages[1:], duration=200)
    (folder / "folder.mp4").mkdir()
    save(folder / "folder.mp4" / "inside.png", Image.new("RGB", (32, 32), "maroon"))
    (folder / "link-inside.mp4").symlink_to(folder / "8k.mp4")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return found - {"link-inside.mp4"}


def write_bad(folder: Path, elsewhere: Path) -> dict[str, str]:
    """Media that cannot be read, and how the reason begins."""
    (folder / "zero.mp4").touch()
    (folder / "no-frames.mp4").write_bytes(video_without_frames())
    (folder / "bomb.png").write_bytes(picture_header(30_000, 30_000))
    (folder / "bomb.gif").write_bytes(vast_gif())
    (folder / "bomb.mov").write_bytes(video_of(picture_header(12_000, 12_000)))
    (folder / "list.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n8k.mp4\n#EXT-X-ENDLIST\n"
    )
    (folder / "program.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    (folder / "empty.mp4").mkdir()
    os.mkfifo(folder / "pipe.mp4")
    os.mknod(folder / "socket.mp4", 0o600 | stat.S_IFSOCK)
    save(elsewhere / "private.png", Image.new("RGB", (32, 32), "blue"))
    (folder / "private.png").symlink_to(elsewhere / "private.png")
    (folder / "all-private").symlink_to(elsewhere)
    (folder / "device.mp4").symlink_to("/dev/zero")
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    (folder / "lost.mp4").symlink_to(folder / "nowhere.mp4")
    (folder / "round").symlink_to(folder)  # leads to what is read already: nothing to say
    return {
        "zero.mp4": "is empty (0 bytes)",
        "no-frames.mp4": "has a video stream without frames",
        "bomb.png": "has 900000000 pixels, and 89478485 pixels a picture are read at most: scale it down",
        "bomb.gif": "has 4294836225 pixels, and 89478485 pixels a picture are read at most",
        "bomb.mov": "has a video stream of which no frame can be decoded (at most 89478485 pixels a frame",
        "list.m3u8": "is a playlist, which only names other files: add those files instead",
        "program.jpg": "is a PostScript program, which is not run: convert it to a picture",
        "empty.mp4": "is an empty folder, and no file",
        "pipe.mp4": "is a named pipe, and no file",
        "socket.mp4": "is a socket, and no file",
        "private.png": OUTSIDE,
        "all-private": OUTSIDE,
        "device.mp4": f"{OUTSIDE}/dev/zero, which is outside of ",
        "loop.mp4": "is a link that leads nowhere",
        "lost.mp4": "is a link that leads nowhere",
        "link-inside.mp4": "has the same content as 8k.mp4, which stands for both",
    }


def save(path: Path, image: Image.Image) -> None:
    path.parent.mkdir(exist_ok=True)
    image.save(path)


def write_8k_video(path: Path) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 7680, 4320, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((4320 * 3 // 2, 7680), 90, np.uint8), format="yuv420p")
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def video_without_frames() -> bytes:
    written = BytesIO()
    with av.open(written, "w", format="mp4", options={"movflags": "empty_moov"}) as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        output.start_encoding()
    return written.getvalue()


def picture_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and holds its first row; black and white."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([1, 0, 0, 0, 0])
    row = zlib.compress(bytes(1 + (width + 7) // 8))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def vast_gif() -> bytes:
    """Of 65535 x 65535 pixels, by its header and by that of its one picture."""
    size = b"\xff\xff\xff\xff"
    return b"GIF89a" + size + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + b",\0\0\0\0" + size + b"\0\2\2\x44\1\0;"


def video_of(picture: bytes) -> bytes:
    """A video whose header says 32 x 32, and whose one frame is a picture of another size."""
    written = BytesIO()
    with av.open(written, "w", format="mov") as output:
        stream = output.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "rgb24"
        packet = av.Packet(picture)
        packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, 0, 0, True
        output.mux(packet)
    return written.getvalue()


@pytest.fixture
def clips() -> list[Clip]:
    """Sound clips, enough to weigh labels."""
    return [*images(8), *videos(4)]


def test_what_can_be_read_is_and_the_rest_has_its_reason(
    clips: list[Clip], server: Any, tmp_path: Path
) -> None:
    Eyes().open_at(server)
    recipe = write_inputs(tmp_path, server.url, clips)
    folder, elsewhere = tmp_path / "clips", tmp_path / "elsewhere"
    odd = write_good(folder)
    sound = {clip.name for clip in clips}
    with (tmp_path / "labels.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([(name, "red", "") for name in sorted(odd - sound)])
    bad = write_bad(folder, elsewhere)
    run = verbs.run(recipe, tmp_path / "run", environ={})

    assert set(run.read("clips")["name"]) == odd | sound
    assert run.read("frames")["clip_id"].n_unique() == len(odd | sound)
    problems = run.read("problems").filter(pl.col("kind") == "media")
    reasons = dict(problems.select("clip", "what").iter_rows())
    assert reasons.keys() == bad.keys()
    assert {name: what for name, what in reasons.items() if not what.startswith(bad[name])} == {}
    assert problems["action"].unique().to_list() == ["set_aside"]
    assert "blue" not in str(reasons)

    released = datasets.load_dataset(str(run.folder / "release"), split="train").num_rows
    assert released == len(odd | sound)
    assert "bomb.png" in report(run.folder)
    assert card(run.folder)


def test_the_test_data_s_broken_files(
    clips: list[Clip], server: Any, test_data: Path, tmp_path: Path
) -> None:
    Eyes().open_at(server)
    recipe = write_inputs(tmp_path, server.url, clips)
    names = [path.name for path in (test_data / "broken").iterdir()]
    for name in names:
        (tmp_path / "clips" / name).write_bytes((test_data / "broken" / name).read_bytes())
    run = verbs.run(recipe, tmp_path / "run", environ={})
    problems = run.read("problems").filter(pl.col("kind") == "media").select("clip", "action")
    read, set_aside = (set(problems.filter(action=action)["clip"]) for action in ("read", "set_aside"))
    assert read == {"truncated_midway.mp4"}
    broken = {"truncated.mp4", "zero_byte.mp4", "text_named.mp4", "audio_only.mp4", "truncated.jpg"}
    assert set_aside == broken
    assert set(run.read("clips")["name"]) - {clip.name for clip in clips} == read | {"single_frame.mp4"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Path.unlink, r"^03\.mp4 is no longer in "),
        (lambda path: path.write_bytes(b"no longer a video"), r"^03\.mp4: .*The file has changed: run again"),
    ],
)
def test_a_file_that_is_gone_or_another_once_it_was_read(
    change: Callable[[Path], Any], reason: str, clips: list[Clip], server: Any, tmp_path: Path
) -> None:
    Eyes().open_at(server)
    recipe = write_inputs(tmp_path, server.url, clips)

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "clips" and done == total:
            change(tmp_path / "clips" / "03.mp4")

    # Its label was weighed already, so that a release without it would not be of this run.
    with pytest.raises(CurateError, match=reason):
        verbs.run(recipe, tmp_path / "run", environ={}, progress=progress)
    again = verbs.run(recipe, tmp_path / "run", environ={})
    assert set(again.read("clips")["name"]) == {clip.name for clip in clips} - {"03.mp4"}
    assert (again.folder / "release" / "README.md").is_file()
