"""What the demo's model is asked while it learns: pictures, questions and right answers, in batches."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from curate.demo.cues import HIDDEN, OPTIONS
from curate.demo.packing import Asked, Asker, Packed, pack
from curate.demo.stories import N_MOMENTS
from curate.demo.training_pictures import Pictures, load_chunk

N_PLACES = 16
"""Bins for where the person is: what `movement` is read from."""

_STILL, _LITTLE = 1.2, 5.4
"""Spans, in units, that part hardly, a little and a lot of movement."""

_SHORTER = (0.05, 0.05, 0.06, 0.84)
"""Chances that a clip is shown with one, two, three or all four of its pictures."""

_WEIGHTS = {"gaze": 2.0, "tilt": 1.5, "movement": 3.0, "hands": 0.5, "eyes": 0.6}
"""How often an item is asked, beside 1 for the others: hard ones more often, easy ones less."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A batch of n clips with m pictures and q questions each."""

    pixels: Tensor
    """Shape (n, m, PIXELS, PIXELS, 3), float from -1 to 1."""
    packed: Packed
    right: Tensor
    """Shape (n, q): the token of the right letter."""
    holds: Tensor
    """Shape (n, q, options): 1 for the right option, 0 for a wrong one, -1 where there is none."""
    cues: Tensor
    """Shape (n, m, items): what each picture shows by itself; the last option's position + 1 if hidden."""
    places: Tensor
    """Shape (n, m): bin of where the person is, -100 if nobody is there."""


class Teacher:
    """Draws lessons from a pool of pictures that may still be growing."""

    def __init__(self, asker: Asker, pool: Path, rng: np.random.Generator) -> None:
        """Put every question as it is written, once; no picture yet."""
        self.asker, self.pool, self.rng = asker, pool, rng
        self.items = asker.questionnaire.items
        self.standard = [asker.ask(item) for item in self.items]
        self.chunks: list[Pictures] = []

    def look_for_chunks(self) -> int:
        """Take in what was drawn since; how many chunks there are."""
        for path in sorted(self.pool.glob("chunk_*.npz"))[len(self.chunks) :]:
            self.chunks.append(load_chunk(path))
        return len(self.chunks)

    def clips(self, n: int, n_pictures: int | None = None) -> Pictures:
        """Some clips of the pool, changed a little in colour, place and side."""
        picked = [
            (self.chunks[c], self.rng.integers(len(self.chunks[c].answers)))
            for c in self.rng.integers(len(self.chunks), size=n)
        ]
        whole = Pictures(
            np.stack([chunk.pixels[k] for chunk, k in picked]),
            np.stack([chunk.cues[k] for chunk, k in picked]),
            np.stack([chunk.answers[k] for chunk, k in picked]),
            np.stack([chunk.places[k] for chunk, k in picked]),
        )
        return _shorten(_vary(whole, self.rng), n_pictures or self._n_pictures(), self.rng)

    def _n_pictures(self) -> int:
        return int(self.rng.choice(N_MOMENTS, p=_SHORTER)) + 1

    def lesson(self, n: int, q: int, *, varied: float, n_pictures: int | None = None) -> Lesson:
        """A lesson of n clips with q different items each, a share of them reordered or reworded."""
        clips = self.clips(n, n_pictures)
        weights = np.array([_WEIGHTS.get(item.id, 1.0) for item in self.items])
        asked, items = [], []
        for _ in range(n):
            chosen = self.rng.choice(len(self.items), size=q, replace=False, p=weights / weights.sum())
            items.append(chosen)
            asked.append([self._ask(int(k), varied) for k in chosen])
        return lesson_of(self.asker, clips, np.stack(items), asked)

    def _ask(self, k: int, varied: float) -> Asked:
        if self.rng.random() >= varied:
            return self.standard[k]
        item = self.items[k]
        wording = item
        if self.rng.random() < 0.5:
            wording = item.worded(1 + int(self.rng.integers(len(item.paraphrases))))
        n_options = len(item.all_options)
        order = list(range(n_options))
        if wording is item or self.rng.random() < 0.6:
            loose = n_options if self.rng.random() < 0.3 else n_options - 1
            order[:loose] = [int(place) for place in self.rng.permutation(loose)]
        return self.asker.ask(item, order, wording)


def lesson_of(asker: Asker, clips: Pictures, items: NDArray[np.int64], asked: list[list[Asked]]) -> Lesson:
    """Put together what is asked, shape (n, q) positions of items, of which clips."""
    most = max(len(one.order) for row in asked for one in row)
    right = np.zeros(items.shape, dtype=np.int64)
    holds = np.full((*items.shape, most), -1, dtype=np.int64)
    for i, row in enumerate(asked):
        for j, one in enumerate(row):
            value = clips.answers[i, items[i, j]]
            letter = one.order.index(len(one.order) - 1 if value == HIDDEN else int(value))
            right[i, j] = asker.letters[letter]
            holds[i, j, : len(one.order)] = 0
            holds[i, j, letter] = 1
    packed = pack(asker, clips.pixels.shape[1], asked, [[int(token) for token in row] for row in right])
    hidden = np.array([len(options) for options in OPTIONS.values()])
    cues = np.where(clips.cues == HIDDEN, hidden, clips.cues)
    bins = np.clip(np.nan_to_num((clips.places + 10) / 20 * N_PLACES), 0, N_PLACES - 1)
    places = np.where(np.isnan(clips.places), -100, bins.astype(np.int64))
    return Lesson(
        torch.from_numpy(clips.pixels).float() / 127.5 - 1,
        packed,
        torch.from_numpy(right),
        torch.from_numpy(holds),
        torch.from_numpy(cues).long(),
        torch.from_numpy(places),
    )


def whole_questionnaire(asker: Asker, clips: Pictures, orders: dict[str, list[int]] | None = None) -> Lesson:
    """Every item of every clip, in the questionnaire's own words, options in other `orders` if given."""
    items = asker.questionnaire.items
    asked = [asker.ask(item, (orders or {}).get(item.id)) for item in items]
    return lesson_of(
        asker, clips, np.tile(np.arange(len(items)), (len(clips.answers), 1)), [asked] * len(clips.answers)
    )


def _vary(clips: Pictures, rng: np.random.Generator) -> Pictures:
    """Mirror, shift and recolour each clip as a whole: no answer depends on these."""
    pixels, places = clips.pixels.copy(), clips.places.copy()
    for i in range(len(pixels)):
        if rng.random() < 0.5:
            pixels[i], places[i] = pixels[i, :, :, ::-1], -places[i]
        right, down = (int(step) for step in rng.integers(-2, 3, size=2))
        pixels[i], places[i] = _shift(pixels[i], right, down), places[i] + right
        if rng.random() < 0.7:
            gain, lift = rng.uniform(0.85, 1.15, 3) * rng.uniform(0.8, 1.15), rng.uniform(-14, 14, 3)
            pixels[i] = np.clip(pixels[i] * gain.astype(np.float32) + lift.astype(np.float32), 0, 255)
    return Pictures(pixels, clips.cues, clips.answers, places)


def _shift(pixels: NDArray[np.uint8], right: int, down: int) -> NDArray[np.uint8]:
    padded = np.pad(pixels, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    _, height, width, _ = pixels.shape
    return padded[:, 2 - down : 2 - down + height, 2 - right : 2 - right + width]


def _shorten(clips: Pictures, m: int, rng: np.random.Generator) -> Pictures:
    """Show only m pictures, and ask for what those show."""
    if m == N_MOMENTS:
        return clips
    keep = np.sort(rng.permutation(N_MOMENTS)[:m])
    cues, places = clips.cues[:, keep], clips.places[:, keep]
    answers = clips.answers.copy()
    names = list(OPTIONS)
    gaze, movement = names.index("gaze"), names.index("movement")
    for i in range(len(answers)):
        looks = cues[i, :, gaze][cues[i, :, gaze] != HIDDEN]
        if answers[i, gaze] != HIDDEN:  # a picture taken in a blink shows no gaze
            answers[i, gaze] = HIDDEN if not len(looks) else 0 if not looks.any() else 2 if looks.all() else 1
        if answers[i, movement] != HIDDEN:
            span = float(np.ptp(places[i]))
            answers[i, movement] = HIDDEN if m == 1 else 0 if span < _STILL else 1 if span < _LITTLE else 2
    return Pictures(clips.pixels[:, keep], cues, answers, places)
