"""Drawn clips of a face in a room, in which something small changes for 0.3 s at known times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Disturbance = Literal["clean", "noise", "shake", "compression", "movement"]
DISTURBANCES: tuple[Disturbance, ...] = ("clean", "noise", "shake", "compression", "movement")
KINDS = ("smile", "open mouth", "brows", "eyes")

SIZE = (480, 360)
FPS = 25
DURATION_S = 10.0
CHANGE_S = 0.3
_RAMP_S = 0.04
_SPRITE_PX = 400
_NOISE_LEVELS = 6.0
_SHAKE_PX = 3.0
_SWAY_PX = 14.0


@dataclass(frozen=True, slots=True)
class Script:
    """What happens in a clip, all drawn from a seed."""

    starts_s: tuple[float, ...]
    """When each change begins, rising."""
    kinds: tuple[str, ...]
    """What changes, a word for each start."""
    head_share: float
    """Height of the head as a share of the picture's."""
    contrast: int
    """How much darker than the skin its features are, of 255."""
    size: float
    """How far features move, as a share of the head's height."""


def script(rng: np.random.Generator, n_changes: int = 1) -> Script:
    """Changes at random times, each at least their own length apart and away from the ends."""
    while True:
        starts_s = np.sort(rng.uniform(0.4, DURATION_S - 0.8, n_changes))
        if n_changes == 1 or np.diff(starts_s).min() >= 2 * CHANGE_S:
            break
    return Script(
        tuple(starts_s.tolist()),
        tuple(rng.choice(KINDS, n_changes).tolist()),
        head_share=rng.uniform(0.3, 0.7),
        contrast=int(rng.integers(40, 110)),
        size=rng.uniform(0.025, 0.06),
    )


def inside(script: Script, times_s: Sequence[float]) -> int:
    """In how many of the changes one of these times lies."""
    return sum(any(start_s <= t_s < start_s + CHANGE_S for t_s in times_s) for start_s in script.starts_s)


def encoded(script: Script, disturbance: Disturbance, rng: np.random.Generator) -> bytes:
    """The clip as an mp4 of h264, made by one thread: the same bytes each time on one machine."""
    written = BytesIO()
    crf = "36" if disturbance == "compression" else "23"
    with av.open(written, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": crf, "preset": "veryfast", "threads": "1"}
        for i, pixels in enumerate(pictures(script, disturbance, rng)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return written.getvalue()


def pictures(
    script: Script, disturbance: Disturbance, rng: np.random.Generator
) -> Iterator[NDArray[np.uint8]]:
    """Each frame, shape (height, width, 3)."""
    room, heads = _room(rng), _Heads(script)
    shake_px = _shaken(rng) if disturbance == "shake" else np.zeros((_n_frames(), 2))
    sway = rng.uniform(0, 2 * np.pi, 2)
    grain = rng.normal(0, _NOISE_LEVELS, 2 * SIZE[0] * SIZE[1] * 3).astype(np.float32)
    for i in range(_n_frames()):
        t_s = i / FPS
        at = np.array([SIZE[0] * 0.5, SIZE[1] * 0.52])
        if disturbance == "movement":
            at += _SWAY_PX * np.sin(sway + 2 * np.pi * t_s / np.array([6.0, 9.0]))
        pixels = _placed(room, heads.at(t_s), at, shake_px[i])
        yield _grainy(pixels, grain, rng) if disturbance == "noise" else pixels


def _grainy(
    pixels: NDArray[np.uint8], grain: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """With a sensor's noise, cut from a longer strip of it: drawing it anew takes longer than encoding."""
    start = int(rng.integers(pixels.size))
    noisy = pixels + grain[start : start + pixels.size].reshape(pixels.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _n_frames() -> int:
    return round(DURATION_S * FPS)


def _shaken(rng: np.random.Generator) -> NDArray[np.float64]:
    """Where a hand holds the camera, shape (n_frames, 2) [px]: a slow drift and a tremor."""
    steps = rng.normal(0, 1, (_n_frames(), 2))
    kernel = np.exp(-0.5 * (np.arange(-12, 13) / 4) ** 2)
    smooth = np.stack([np.convolve(steps[:, axis], kernel, "same") for axis in (0, 1)], axis=1)
    return np.asarray(_SHAKE_PX * smooth / smooth.std() + rng.normal(0, 0.4, smooth.shape))


def _room(rng: np.random.Generator) -> Image.Image:
    """A wall with furniture, larger than the picture by what a shake may show."""
    width, height = SIZE[0] + 80, SIZE[1] + 80
    room = Image.new("RGB", (width, height), tuple(rng.integers(120, 200, 3).tolist()))
    draw = ImageDraw.Draw(room)
    for _ in range(14):
        left, top = rng.integers(-40, width), rng.integers(-40, height)
        right, bottom = left + rng.integers(20, 160), top + rng.integers(20, 160)
        draw.rectangle((left, top, right, bottom), fill=tuple(rng.integers(40, 230, 3).tolist()))
    return room.filter(ImageFilter.GaussianBlur(1))


class _Heads:
    """The head of a script at a moment, twice as large as it is shown; each look is drawn once."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._drawn: dict[tuple[float, ...], Image.Image] = {}

    def at(self, t_s: float) -> Image.Image:
        raised = dict.fromkeys(KINDS, 0.0)
        for start_s, kind in zip(self._script.starts_s, self._script.kinds, strict=True):
            raised[kind] = max(raised[kind], _strength(t_s - start_s))
        look = tuple(raised.values())
        if look not in self._drawn:
            side = 2 * round(self._script.head_share * SIZE[1])
            self._drawn[look] = _face(self._script, raised).resize((side, side), Image.Resampling.BOX)
        return self._drawn[look]


def _strength(since_s: float) -> float:
    """From 0 to 1 within the first frame or two of a change, and back within its last."""
    if not 0 <= since_s < CHANGE_S:
        return 0.0
    return float(np.clip(min(since_s, CHANGE_S - since_s) / _RAMP_S + 0.5, 0, 1))


def _face(script: Script, raised: dict[str, float]) -> Image.Image:
    px = _SPRITE_PX
    skin = (205, 165, 140)
    dark = tuple(max(0, level - script.contrast) for level in skin)
    move = script.size * px
    face = Image.new("RGBA", (px, px), (*skin, 0))
    draw = ImageDraw.Draw(face)
    draw.ellipse((0.14 * px, 0.02 * px, 0.86 * px, 0.98 * px), fill=(*skin, 255))
    for side in (-1, 1):
        x, y = (0.5 + 0.16 * side) * px, 0.4 * px
        open_px = 0.035 * px - 0.5 * move * raised["eyes"]
        draw.ellipse((x - 0.06 * px, y - open_px, x + 0.06 * px, y + open_px), fill=(*dark, 255))
        brow = y - 0.1 * px - move * raised["brows"]
        draw.line((x - 0.08 * px, brow, x + 0.08 * px, brow), fill=(*dark, 255), width=round(0.02 * px))
    _mouth(draw, move, raised, (*dark, 255))
    return face


def _mouth(draw: ImageDraw.ImageDraw, move: float, raised: dict[str, float], colour: tuple[int, ...]) -> None:
    px, y = _SPRITE_PX, 0.72 * _SPRITE_PX
    corner = move * raised["smile"]
    points = [(0.5 * px + 0.14 * px * x, y - corner * x * x + 0.3 * corner) for x in np.linspace(-1, 1, 15)]
    draw.line(points, fill=colour, width=round(0.022 * px))
    gap = move * raised["open mouth"]
    draw.ellipse((0.4 * px, y - 0.2 * gap, 0.6 * px, y + gap), fill=colour)


def _placed(
    room: Image.Image, head: Image.Image, at: NDArray[np.float64], shake_px: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Room and head as the camera sees them, at fractions of a pixel; shape (height, width, 3)."""
    x, y = (40 + shake_px).tolist()
    view = room.transform(SIZE, Image.Transform.AFFINE, (1, 0, x, 0, 1, y), Image.Resampling.BILINEAR)
    left, top = (at - shake_px - head.width / 4).tolist()
    corner = (int(left), int(top))
    shift = (2, 0, 2 * (corner[0] - left), 0, 2, 2 * (corner[1] - top))
    room_for = (head.width // 2 + 1, head.height // 2 + 1)
    sprite = head.transform(room_for, Image.Transform.AFFINE, shift, Image.Resampling.BILINEAR)
    view.paste(sprite, corner, sprite)
    return np.asarray(view)
