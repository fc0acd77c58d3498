"""Videos for measuring decoders: a patch moves over a panned background, both as rough as nature is."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 640, 480, 25
CODECS = {"h264": "libx264", "HEVC": "libx265"}
_MARGIN = 200
_PATCH = (260, 200)
_GRAIN_LEVELS = 4.0
_QUIET = {"libx265": {"x265-params": "log-level=none"}}


def write_scene(path: Path, codec: str, n_frames: int = 250, seed: int = 0) -> Path:
    """Encode a scene with FFmpeg's defaults for the codec: quality, preset, key frames far apart."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(CODECS[codec], rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = _QUIET.get(CODECS[codec], {})
        for i, pixels in enumerate(scene(n_frames, np.random.default_rng(seed))):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def repeated(source: Path, path: Path, times: int) -> Path:
    """The same video several times after itself, packet by packet: nothing is encoded anew."""
    with av.open(str(path), "w") as output:
        written = None
        for turn in range(times):
            with av.open(str(source)) as container:
                read = container.streams.video[0]
                written = written or output.add_stream_from_template(read)
                length = int(read.duration or 0) * turn
                for packet in container.demux(read):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + length, packet.dts + length
                    packet.stream = written
                    output.mux(packet)
    return path


def scene(n_frames: int, rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Each frame, shape (height, width, 3)."""
    back = _texture(HEIGHT + _MARGIN, WIDTH + _MARGIN, rng)
    patch = _texture(*_PATCH, rng)
    rows, columns = np.ogrid[-1 : 1 : _PATCH[0] * 1j, -1 : 1 : _PATCH[1] * 1j]
    oval = (rows**2 + columns**2 < 1)[..., None]
    for i in range(n_frames):
        top, left = int(100 + 40 * np.sin(i / 55)), int(100 + 60 * np.sin(i / 40))
        frame = back[top : top + HEIGHT, left : left + WIDTH].copy()
        y, x = int(110 + 60 * np.sin(i / 31)), int(220 + 150 * np.sin(i / 23))
        under = frame[y : y + _PATCH[0], x : x + _PATCH[1]]
        under[:] = np.where(oval, patch, under)
        frame += rng.normal(0, _GRAIN_LEVELS, (HEIGHT, WIDTH, 1))
        yield np.clip(frame, 0, 255).astype(np.uint8)


def _texture(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Three channels whose power falls with frequency as in photographs; shape (height, width, 3)."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    amplitude = 1 / np.maximum(frequency, 1 / max(height, width)) ** 1.1
    channels = []
    for _ in range(3):
        phase = rng.uniform(0, 2 * np.pi, amplitude.shape)
        channel = np.fft.irfft2(amplitude * np.exp(1j * phase), (height, width))
        channels.append(128 + 40 * (channel - channel.mean()) / channel.std())
    return np.stack(channels, axis=-1)
