"""What test clips really are: a file beside the release, or the release's own labels."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import polars as pl
from numpy.typing import NDArray

from train_reference.data.clips import NO_LABEL, Clips
from train_reference.data.release import Release
from train_reference.errors import Problem, TrainError, in_short

_KEYS = ("clip_id", "name", "clip", "file")


def read_truth(path: Path, release: Release, clips: Clips) -> NDArray[np.int64]:
    """Class of each clip, shape (n_clips,), `NO_LABEL` where the file does not say.

    Args:
        path: CSV with a column clip_id or name (or clip, file: the file's name), and one label or truth.
        release: Which names belong to which ids.
        clips: All of it.

    Raises:
        TrainError: The file cannot be read, lacks a column, names other classes or no clip of the release.
    """
    try:
        table = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        what = f"cannot be read ({in_short(error)})"
        raise TrainError("truth", [Problem(str(path), what)]) from error
    key = next((name for name in _KEYS if name in table.columns), None)
    column = next((name for name in ("label", "truth") if name in table.columns), None)
    if key is None or column is None:
        what = f"has the columns {', '.join(table.columns)}; clip_id or name, and label, were expected"
        raise TrainError("truth", [Problem(str(path), what)])
    unknown = sorted(set(table[column].drop_nulls()) - set(clips.classes))
    if unknown:
        what = f"{', '.join(unknown[:5])} are no classes of the release, which has {', '.join(clips.classes)}"
        raise TrainError("truth", [Problem(f"{path}, column {column}", what)])
    ids = _ids(release, clips) if key != "clip_id" else {one: one for one in clips.clip_ids}
    rows = [
        (_known(name, ids), label) for name, label in table.select(key, column).iter_rows() if name and label
    ]
    told = {ids[name]: label for name, label in rows if name is not None}
    if not told:
        raise TrainError("truth", [Problem(f"{path}, column {key}", "names no clip of the release")])
    numbers = {name: number for number, name in enumerate(clips.classes)}
    return np.array(
        [numbers[told[one]] if one in told else NO_LABEL for one in clips.clip_ids], dtype=np.int64
    )


def _known(name: str, ids: Mapping[str, str]) -> str | None:
    """A name as the release has it: what lies before it, such as the clips' folder, may be taken away."""
    parts = PurePosixPath(name).parts
    shorter = ("/".join(parts[first:]) for first in range(len(parts)))
    return next((one for one in shorter if one in ids), None)


def _ids(release: Release, clips: Clips) -> dict[str, str]:
    wanted, found = set(clips.clip_ids), dict[str, str]()
    for config in ("default", "pseudo_labeled"):
        if config in release.configs:
            rows = release.rows(config, ["clip_id", "name"])
            found |= {row["name"]: row["clip_id"] for row in rows if row["clip_id"] in wanted}
    return found
