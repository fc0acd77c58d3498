"""Batch: the clips that are worth most together, so that none repeats another and no subject fills it."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from curate.labels.evidence import Floats, Ints

GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it, less their whole part, lie evenly between 0 and 1: equally good
clips are taken in this order, so that a batch is spread over the list, which often
goes by subject or by class. In order of the list, `benchmarks/annotation_queue.py`
gains less."""


@dataclass(frozen=True, slots=True)
class Batch:
    """How mixed a batch must be."""

    per_group: int | None = None
    """At most so many clips of one subject; None: any number."""
    class_excess: float = 2.0
    """A class may fill so many times its share of all clips, or one n-th with n
    classes if that is more; exceeded only where nothing else is left."""
    same_answers: float = 0.999
    """What a clip is still worth beside one with the same posterior: this, once
    for each of them. Near 1, since an answer about one says little of the other:
    0.9 loses to asking for the most gain, see `benchmarks/annotation_queue.py`."""
    same_looks: float = 0.5
    """The same for clips whose embeddings are alike; used where there are embeddings."""
    alike_from: float = 0.95
    """Cosine of two embeddings from which on they are alike."""


def draw_batch(
    worth: Floats,
    probabilities: Floats,
    size: int,
    batch: Batch,
    groups: Ints | None = None,
    embeddings: Floats | None = None,
) -> Ints:
    """Choose clips one by one, each time the one that adds most to those chosen.

    A clip adds its worth, times `same_answers` or `same_looks` for each chosen
    clip that is like it. Since this only falls as the batch grows, a clip whose
    worth is up to date and still the largest is the best one (Minoux 1978,
    https://doi.org/10.1007/BFb0006528), so that few clips are looked at twice.

    Args:
        worth: At least 0; clips worth nothing are not chosen: (n_clips,).
        probabilities: Posterior, (n_clips, n_classes).
        size: Clips wanted.
        batch: How mixed they must be.
        groups: Subject or source of each clip: (n_clips,).
        embeddings: Shape (n_clips, n_dimensions).

    Returns:
        Indices, best first; equally good ones spread over the list.
    """
    likeness: _Likeness = _Answers(probabilities, batch)
    if embeddings is not None:
        likeness = _Looks(embeddings, batch)
    limits = _limits(probabilities, size, batch, groups)
    chosen: list[int] = []
    postponed: list[int] = []
    for clip in _by_worth(worth, likeness):
        if len(chosen) == size:
            break
        if limits.class_is_full(clip):
            postponed.append(clip)
        elif not limits.group_is_full(clip):
            chosen.append(clip)
            limits.add(clip)
            likeness.add(clip)
    for clip in postponed:
        if len(chosen) < size and not limits.group_is_full(clip):
            chosen.append(clip)
            limits.add(clip)
    return np.array(chosen, dtype=np.int64)


def _by_worth(worth: Floats, likeness: "_Likeness") -> Iterator[int]:
    """The clip that adds most to the batch as it is at the time of asking, each clip once.

    Clips of one family lose the same share of their worth, so that only the
    best one left of each family need be on the heap.
    """
    spread = np.arange(len(worth)) * GOLDEN % 1
    ranked = np.lexsort((spread, -worth, likeness.family))
    ranked = ranked[worth[ranked] > 0]
    family = likeness.family[ranked]
    first = np.flatnonzero(np.diff(family, prepend=-1)).tolist()
    clips = ranked.tolist()
    ties = spread[ranked].tolist()
    heap = [(-worth[clips[place]], ties[place], place) for place in first]
    heapq.heapify(heap)
    while heap:
        before, tie, place = heap[0]
        clip = clips[place]
        now = -worth[clip] * likeness.factor(clip)
        if now > before:  # less is left of it than when it was put on the heap
            heapq.heapreplace(heap, (now, tie, place))
            continue
        yield clip
        place += 1
        if place < len(clips) and family[place] == family[place - 1]:
            now = -worth[clips[place]] * likeness.factor(clips[place])
            heapq.heapreplace(heap, (now, ties[place], place))
        else:
            heapq.heappop(heap)


class _Likeness(Protocol):
    """What is left of a clip's worth beside the chosen ones."""

    family: Ints
    """Clips of one family always have the same factor: (n_clips,)."""

    def factor(self, clip: int) -> float: ...

    def add(self, clip: int) -> None: ...


class _Answers:
    """Clips are alike if their posteriors are, to three digits: they drew the same answers."""

    def __init__(self, probabilities: Floats, batch: Batch) -> None:
        rows = np.ascontiguousarray(np.round(probabilities * 1000).astype(np.int32))
        # Rows as single values, which sort faster than rows of numbers.
        values = rows.view(f"V{rows.itemsize * rows.shape[1]}").ravel()
        self.family = np.unique(values, return_inverse=True)[1]
        self._chosen = np.zeros(len(rows), dtype=np.int64)
        self._same = batch.same_answers

    def factor(self, clip: int) -> float:
        return float(self._same ** self._chosen[self.family[clip]])

    def add(self, clip: int) -> None:
        self._chosen[self.family[clip]] += 1


class _Looks:
    """Clips are alike if the angle between their embeddings is small."""

    def __init__(self, embeddings: Floats, batch: Batch) -> None:
        length = np.linalg.norm(embeddings, axis=1, keepdims=True)
        self.family = np.arange(len(embeddings))
        self._direction = embeddings / np.where(length > 0, length, 1)
        self._chosen: list[int] = []
        self._like = np.zeros(len(embeddings), dtype=np.int64)
        self._compared = np.zeros(len(embeddings), dtype=np.int64)
        self._batch = batch

    def factor(self, clip: int) -> float:
        new = self._chosen[self._compared[clip] :]
        if new:
            cosines = self._direction[new] @ self._direction[clip]
            self._like[clip] += np.count_nonzero(cosines >= self._batch.alike_from)
            self._compared[clip] = len(self._chosen)
        return float(self._batch.same_looks ** self._like[clip])

    def add(self, clip: int) -> None:
        self._chosen.append(clip)


@dataclass(frozen=True, slots=True, eq=False)
class _Limits:
    """How many clips of each class and group a batch may still take."""

    place: Ints
    """Likeliest class of each clip: (n_clips,)."""
    class_room: Ints
    """Counted down: (n_classes,)."""
    group: Ints
    """Code of each clip's group: (n_clips,)."""
    group_room: Ints
    """Counted down: (n_groups,)."""

    def class_is_full(self, clip: int) -> bool:
        return bool(self.class_room[self.place[clip]] <= 0)

    def group_is_full(self, clip: int) -> bool:
        return bool(self.group_room[self.group[clip]] <= 0)

    def add(self, clip: int) -> None:
        self.class_room[self.place[clip]] -= 1
        self.group_room[self.group[clip]] -= 1


def _limits(probabilities: Floats, size: int, batch: Batch, groups: Ints | None) -> _Limits:
    n_clips, n_classes = probabilities.shape
    share = probabilities.sum(axis=0) / max(n_clips, 1)
    class_room = np.ceil(size * np.maximum(batch.class_excess * share, 1 / n_classes) - 1e-9)
    group = np.arange(n_clips) if groups is None else np.unique(groups, return_inverse=True)[1]
    per_group = size if groups is None or batch.per_group is None else batch.per_group
    n_groups = int(group.max(initial=-1)) + 1
    return _Limits(
        probabilities.argmax(axis=1), class_room.astype(np.int64), group, np.full(n_groups, per_group)
    )
