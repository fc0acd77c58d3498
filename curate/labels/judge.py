"""Judge: a classifier on what a network makes of the clips, as one more instrument of the label model."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from curate.labels.classifier import out_of_fold_probabilities
from curate.labels.evidence import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class ClipVectors:
    """One vector a clip."""

    model: str
    """What made them, as name@revision; empty if there are none."""
    clip_ids: tuple[str, ...]
    vectors: Floats
    """(n_clips, n_columns)."""


def clip_vectors(parts: Iterable[pl.DataFrame]) -> ClipVectors:
    """Mean and standard deviation over each clip's frames: what it looks like, and how much that changes.

    The deviation is left out where no clip has two frames: it would say nothing,
    and take half of the trust that the classifier spreads over the dimensions.

    Args:
        parts: Table embeddings, cut into parts of some clips each, and only one
            of them in memory at a time.

    Returns:
        In the order of the parts; empty if they hold no clip.
    """
    model, ids = "", list[str]()
    means, deviations = list[Floats](), list[Floats]()
    for part in parts:
        if part.height:
            model = part["model"][0]
            ids += part["clip_id"].to_list()
            mean, deviation = _summary(part["vectors"])
            means.append(mean)
            deviations.append(deviation)
    halves = [means, deviations] if any(deviation.any() for deviation in deviations) else [means]
    vectors = np.hstack([np.concatenate(half) for half in halves]) if ids else np.empty((0, 0))
    return ClipVectors(model, tuple(ids), vectors)


def embedding_probabilities(
    looks: ClipVectors, clips: pl.DataFrame, votes: pl.DataFrame, classes: tuple[str, ...], seed: int = 0
) -> pl.DataFrame:
    """Class probabilities of every clip that has a vector, by a classifier that saw nothing of its group.

    What it is taught is a clip's given label and votes, each as one voice: they
    are what is believed before any model is asked, so that what a vision-language
    model gets wrong is not learned here and then counted twice.

    Args:
        looks: The vectors.
        clips: Table clips; one without a group is a group of its own.
        votes: Table votes.
        classes: Names, in order.
        seed: Deals groups into parts.

    Returns:
        Table probabilities, sorted by clip; its model is "embeddings: NAME".

    Raises:
        InputError: Fewer than two classes occur in two groups or more.
    """
    known = clips.select("clip_id", "group", "label_given")
    judged = known.join(
        pl.DataFrame({"clip_id": looks.clip_ids, "place": range(len(looks.clip_ids))}), on="clip_id"
    ).sort("clip_id")
    vectors = looks.vectors[judged["place"].to_numpy().astype(np.int64)]
    targets = believed(judged, votes, classes)
    rng = np.random.default_rng(seed)
    found = out_of_fold_probabilities(vectors, targets, _groups(judged), rng)
    model = pl.lit(f"embeddings: {looks.model}")
    probs = pl.Series("probs", found, dtype=pl.List(pl.Float64))
    return judged.select("clip_id", model=model).with_columns(probs)


def believed(clips: pl.DataFrame, votes: pl.DataFrame, classes: tuple[str, ...]) -> Floats:
    """Share of each class among a clip's given label and votes: (n_clips, n_classes).

    A row of zeros where nobody said anything; words that are no class do not count.
    """
    place = {clip_id: row for row, clip_id in enumerate(clips["clip_id"])}
    code = {name: column for column, name in enumerate(classes)}
    given = clips.filter(pl.col("label_given").is_not_null()).select("clip_id", label="label_given")
    voices = pl.concat([given, votes.select("clip_id", "label")])
    voices = voices.filter(pl.col("clip_id").is_in(list(place)), pl.col("label").is_in(list(code)))
    counts = np.zeros((len(place), len(code)))
    cells = [(place[clip_id], code[label]) for clip_id, label in voices.iter_rows()]
    if cells:
        np.add.at(counts, tuple(np.array(cells).T), 1.0)
    shares: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _summary(vectors: pl.Series) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each clip's frames, each (n_clips, n_dimensions)."""
    n_frames = vectors.list.len().to_numpy().astype(np.int64)
    flat = vectors.explode(empty_as_null=False).explode().to_numpy()
    frames = flat.reshape(int(n_frames.sum()), -1).astype(np.float64)  # (n_frames of all, n_dimensions)
    starts = np.cumsum(n_frames) - n_frames
    mean: Floats = np.add.reduceat(frames, starts) / n_frames[:, None]
    frames -= np.repeat(mean, n_frames, axis=0)
    deviation: Floats = np.sqrt(np.add.reduceat(frames**2, starts) / n_frames[:, None])
    return mean, deviation


def _groups(clips: pl.DataFrame) -> Ints:
    """A number a group: (n_clips,)."""
    rows = clips.select("clip_id", "group").iter_rows()
    names = [f"clip {clip_id}" if group is None else f"group {group}" for clip_id, group in rows]
    numbers: Ints = np.unique(names, return_inverse=True)[1]
    return numbers
