"""Ready feature sequences, such as OpenFace's: chosen, resampled, scaled."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train_reference.data.release import Release
from train_reference.data.sequences import Sequences
from train_reference.errors import Problem, TrainError
from train_reference.features.aligned import aligned

_SUCCESS = "success"


def engagement_sequences(
    release: Release, clip_ids: Sequence[str], columns: Sequence[str], segments: int, folder: Path
) -> Sequences:
    """Means and standard deviations over segments of each clip, from the release's config `features`.

    Args:
        release: It has that config.
        clip_ids: Of all clips, in order.
        columns: Names, or beginnings of names.
        segments: A clip has so many, or as many as it has frames.
        folder: Where they are kept.

    Raises:
        TrainError: Clips differ in their columns, none is wanted, or a number is not finite.
    """
    rows = list(release.rows("features", ["clip_id", "names", "values"]))
    names = _names(rows, columns)
    steps = ((row["clip_id"], resampled(_values(row, names), segments)) for row in rows)
    both = (*(f"mean of {name}" for name in names), *(f"deviation of {name}" for name in names))
    return aligned(steps, clip_ids, folder, 2 * len(names), "float32", both)


def resampled(values: NDArray[np.float32], segments: int) -> NDArray[np.float32]:
    """Shape (at most `segments`, 2 * width): mean and standard deviation of each of equally long parts.

    EngageNet's public baseline has 50 segments a clip; what it takes of each is not told, and this is ours.

    Args:
        values: Shape (n_frames, width).
        segments: Their number; fewer frames are a segment each.
    """
    if not len(values):
        return np.zeros((0, 2 * values.shape[1]), dtype=np.float32)
    parts = np.array_split(values, min(segments, len(values)))
    return np.stack([np.concatenate([part.mean(axis=0), part.std(axis=0)]) for part in parts])


def _names(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> tuple[str, ...]:
    """The wanted columns that all clips have, in the order of the first clip."""
    shared = set.intersection(*(set(row["names"]) for row in rows)) if rows else set()
    wanted = tuple(
        name
        for name in (rows[0]["names"] if rows else ())
        if name in shared and any(name.startswith(one) for one in columns)
    )
    if wanted:
        return wanted
    what = f"no column that all clips have is, or begins with, one of {', '.join(columns)}"
    raise TrainError(
        "settings", [Problem("features.columns", what, f"There are {', '.join(sorted(shared)[:20])}")]
    )


def _values(row: dict[str, Any], names: tuple[str, ...]) -> NDArray[np.float32]:
    """Shape (n_frames, len(names)), without the frames in which tracking failed."""
    there = {name: place for place, name in enumerate(row["names"])}
    values = np.asarray(row["values"], dtype=np.float32).reshape(-1, len(there))
    if _SUCCESS in there:
        values = values[values[:, there[_SUCCESS]] == 1]
    return values[:, [there[name] for name in names]]
