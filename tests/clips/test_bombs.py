"""Files that are small and would fill memory, or would have other files read or programs run."""

import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from curate.clips.probe import probe
from curate.errors import MediaError

PEAK = """
import sys
from pathlib import Path
from curate.clips.probe import probe
from curate.errors import MediaError
def peak_mb():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
before = peak_mb()
try:
    probe(Path(sys.argv[1]), "bomb")
except MediaError:
    print(peak_mb() - before)
"""
"""How much memory refusing a file takes [MB]."""


def png(width: int, height: int, bits: int = 1, colour: int = 0) -> bytes:
    """A picture that says how large it is, and holds its first row."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([bits, colour, 0, 0, 0])
    row = zlib.compress(bytes(1 + width * bits * (3 if colour else 1) // 8 + 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def movie(packet: bytes, width: int = 64, height: int = 48) -> bytes:
    """A video of one PNG, of whatever size its header says."""
    written = BytesIO()
    with av.open(written, "w", format="mov") as output:
        stream = output.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "rgb24"
        one = av.Packet(packet)
        one.stream, one.pts, one.dts, one.is_keyframe = stream, 0, 0, True
        output.mux(one)
    return written.getvalue()


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        # Between Pillow's warning and its error, and beyond both.
        (png(10_000, 9_000), "has 90000000 pixels, and 89478485 pixels a picture are read at most"),
        (png(60_000, 60_000), "has 3600000000 pixels, and 89478485 pixels a picture are read at most"),
        (movie(png(12_000, 12_000, 8, 2)), r"no frame can be decoded \(at most 89478485 pixels a frame"),
    ],
)
def test_what_would_fill_memory_is_refused_before_it_does(place: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=reason):
        probe(place, "bomb")
    (tmp_path / "bomb").write_bytes(place)
    ran = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "bomb"], check=True, capture_output=True, text=True
    )
    # One frame would be 90 to 3600 MB; what is measured is the decoders' own.
    assert float(ran.stdout) < 40


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_the_limit_is_told_where_pillow_only_warns() -> None:
    with pytest.raises(
        MediaError, match=r"has 10000 x 9000 pixels, and 89478485 pixels a frame are read at most: scale it"
    ):
        probe(png(10_000, 9_000), "large")


def test_8k_is_not_too_large() -> None:
    whole = BytesIO()
    with av.open(whole, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 7680, 4320, "yuv420p"
        output.mux(stream.encode(av.VideoFrame(7680, 4320, "yuv420p")))
        output.mux(stream.encode(None))
    found = probe(whole.getvalue(), "8k")
    assert (found.width, found.height, found.n_frames) == (7680, 4320, 1)


def part(shade: int) -> bytes:
    """A video that FFmpeg can name by itself only if it is long enough: noise is, a grey frame is not."""
    whole = BytesIO()
    noise = np.random.default_rng(0).integers(0, shade, (48, 64, 3), dtype=np.uint8)
    with av.open(whole, "w", format="mpegts") as output:
        stream = output.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        output.mux(
            stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format="yuv420p"))
        )
        output.mux(stream.encode(None))
    return whole.getvalue()


@pytest.mark.parametrize("shade", [1, 256])
def test_a_playlist_of_files_that_are_there_is_refused(shade: int, tmp_path: Path) -> None:
    (tmp_path / "part.ts").write_bytes(part(shade))
    place = tmp_path / "list.m3u8"
    place.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\npart.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError, match=r"^list is a playlist, which only names other files: add those"):
        probe(place, "list")


def test_postscript_is_not_run() -> None:
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"
    with pytest.raises(MediaError, match="is a PostScript program, which is not run"):
        probe(program, "drawing")
