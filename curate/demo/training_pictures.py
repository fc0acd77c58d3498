"""Pictures for teaching the demo's model: drawn, compressed and shrunk as a run would send them.

A pool is a folder of `chunk_*.npz`. Every clip shows a new person. Half of the
clips have the cues of the demo's classes; in the other half every answer is
about as common as the next. A few show nothing that an item asks about.
"""

import io
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.demo.cues import CLASSES, HIDDEN, OPTIONS, Cues, draw_cues
from curate.demo.drawings import draw_frames, write_mp4
from curate.demo.nothing import draw_nothing
from curate.demo.people import draw_person, draw_setting
from curate.demo.scenes import Pose
from curate.demo.stories import FRAMES_PER_MOMENT, N_MOMENTS, poses_of, tell_story

PIXELS = 64
"""Width and height of what the model sees."""

CHUNK = 256
"""Clips a file of the pool."""

NOTHING_SHARE = 0.08
"""Share of clips without a person; every answer is "cannot be seen"."""

POOL_SEED = 20_011
"""First word of the pool's seeds. A demo's seed is one word, so the two never meet."""

_EVEN = {"head": (0.42, 0.42, 0.16), "eyes": (0.28, 0.36, 0.36)}
"""Chances where equal ones would hide the other cues too often."""

_COVERS = (
    (("sunglasses", 0.08), ("fringe", 0.06), ("cap", 0.14)),
    (("mask", 0.11), ("scarf", 0.09)),
    (("low camera", 0.2),),
)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Some clips as the model sees them, and what they show."""

    pixels: NDArray[np.uint8]
    """Shape (n_clips, N_MOMENTS, PIXELS, PIXELS, 3)."""
    cues: NDArray[np.int8]
    """Shape (n_clips, N_MOMENTS, n_items): what each picture shows by itself, as
    positions in `OPTIONS`, `HIDDEN` where it shows nothing. For gaze, 0 is
    straight and 2 is aside; for eyes, a blink is closed."""
    answers: NDArray[np.int8]
    """Shape (n_clips, n_items): the answer for the whole clip."""
    places: NDArray[np.float32]
    """Shape (n_clips, N_MOMENTS): where the person is, units; nan if nobody is there."""

    def some(self, rows: range) -> Self:
        """Only some of the clips."""
        return replace(
            self,
            pixels=self.pixels[rows.start : rows.stop],
            cues=self.cues[rows.start : rows.stop],
            answers=self.answers[rows.start : rows.stop],
            places=self.places[rows.start : rows.stop],
        )


def draw_chunk(index: int, seed: int = POOL_SEED, n_clips: int = CHUNK, *, as_demo: bool = False) -> Pictures:
    """Draw `n_clips` clips; with `as_demo`, all of them with the cues of the demo's classes."""
    rng = np.random.default_rng((seed, index))
    clips = [_draw_clip(rng, as_demo=as_demo) for _ in range(n_clips)]
    pixels, cues, answers, places = zip(*clips, strict=True)
    return Pictures(np.stack(pixels), np.stack(cues), np.stack(answers), np.stack(places))


def save_chunk(folder: Path, index: int, n_clips: int = CHUNK) -> None:
    """Draw and write one chunk, unless it is there."""
    path = folder / f"chunk_{index:04}.npz"
    if path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    chunk = draw_chunk(index, n_clips=n_clips)
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("wb") as file:
        np.savez(file, pixels=chunk.pixels, cues=chunk.cues, answers=chunk.answers, places=chunk.places)
    unfinished.replace(path)


def load_chunk(path: Path) -> Pictures:
    """Read one chunk."""
    with np.load(path) as arrays:
        return Pictures(arrays["pixels"], arrays["cues"], arrays["answers"], arrays["places"])


def fill_pool(folder: Path, n_chunks: int) -> None:
    """Draw the chunks that are missing, politely: other processes go first."""
    os.nice(5)
    for index in range(n_chunks):
        save_chunk(folder, index)


def as_sent(frames: list[Image.Image], rng: np.random.Generator) -> NDArray[np.uint8]:
    """What is left of some frames after video, shrinking and JPEG: (n_frames, PIXELS, PIXELS, 3)."""
    resample = rng.choice((Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BILINEAR))
    quality = int(rng.integers(84, 97))
    shrunk = [
        frame.resize((PIXELS, PIXELS), Image.Resampling(int(resample))) for frame in _through_video(frames)
    ]
    if rng.random() < 0.8:
        shrunk = [_through_jpeg(frame, quality) for frame in shrunk]
    return np.stack([np.asarray(frame, dtype=np.uint8) for frame in shrunk])


def _draw_clip(
    rng: np.random.Generator, *, as_demo: bool
) -> tuple[NDArray[np.uint8], NDArray[np.int8], NDArray[np.int8], NDArray[np.float32]]:
    if not as_demo and rng.random() < NOTHING_SHARE:
        pixels = as_sent(draw_nothing(N_MOMENTS, rng), rng)
        hidden = np.full((N_MOMENTS, len(OPTIONS)), HIDDEN, dtype=np.int8)
        return pixels, hidden, hidden[0], np.full(N_MOMENTS, np.nan, dtype=np.float32)
    even = not as_demo and rng.random() < 0.5
    cues = _even_cues(rng) if even else draw_cues(int(rng.integers(len(CLASSES))), rng)
    story = tell_story(draw_person(rng), draw_setting(rng), cues, rng)
    poses = poses_of(story)
    poses = [poses[k * FRAMES_PER_MOMENT + rng.integers(FRAMES_PER_MOMENT)] for k in range(N_MOMENTS)]
    seen = cues.seen()
    shown = np.array([[_shown(item, seen, pose) for item in OPTIONS] for pose in poses], dtype=np.int8)
    answers = np.array([seen[item] for item in OPTIONS], dtype=np.int8)
    pixels = as_sent(draw_frames(story, poses), rng)
    return pixels, shown, answers, np.array([pose.x for pose in poses], dtype=np.float32)


def _shown(item: str, seen: dict[str, int], pose: Pose) -> int:
    """What one picture shows of one cue by itself."""
    if seen[item] == HIDDEN:
        return HIDDEN
    if item == "eyes":
        return pose.face.eyes
    if item == "gaze":
        return HIDDEN if pose.face.eyes == 0 else 2 if abs(pose.face.gaze) > 0.5 else 0
    return seen[item]


def _even_cues(rng: np.random.Generator) -> Cues:
    values = {item: int(rng.choice(len(options), p=_EVEN.get(item))) for item, options in OPTIONS.items()}
    covers = set()
    for group in _COVERS:
        names, chances = [name for name, _ in group], [chance for _, chance in group]
        covers.add(str(rng.choice(["", *names], p=[1 - sum(chances), *chances])))
    return Cues(values, frozenset(covers - {""}))


def _through_video(frames: list[Image.Image]) -> list[Image.Image]:
    file = io.BytesIO()
    write_mp4(file, frames)
    file.seek(0)
    with av.open(file, "r") as container:
        return [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def _through_jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")
