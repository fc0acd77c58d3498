"""Where people were found at the sampled moments of clips: boxes that were cut out, and key points."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.release.compare.edition import Edition

SKELETON = (
    (0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (10, 11), (8, 12),
    (12, 13), (13, 14), (0, 15), (15, 17), (0, 16), (16, 18), (14, 19), (19, 20), (14, 21), (11, 22),
    (22, 23), (11, 24),
)  # fmt: skip
"""Pairs of points that a line joins: BODY_25 of OpenPose, doc/02_output.md."""
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a person was found at one frame; coordinates are shares of width and height."""

    frame: int
    """From 1, as FiftyOne counts."""
    box: tuple[float, float, float, float] | None = None
    """Left, top, width, height."""
    points: Points = ()
    """nan where a point was not found."""


def key_points(release: Edition, clips: pl.DataFrame) -> Iterator[tuple[str, dict[int, Points]]]:
    """Key points at the sampled moments, by clip id and frame index; read one part at a time.

    Args:
        release: Holds table keypoints, or does not.
        clips: Columns clip_id and moments, as of `Scene.clips`.
    """
    wanted = clips.select("clip_id", "moments").drop_nulls("moments")
    for path in release.files("keypoints"):
        for row in pl.read_parquet(path).join(wanted, on="clip_id").iter_rows(named=True):
            yield row["clip_id"], _at_moments(row)


def person_moments(row: Mapping[str, Any], points: Mapping[int, Points]) -> list[Moment]:
    """What was found at each sampled moment of a clip; moments without anything are left out.

    Args:
        row: Of `Scene.clips`.
        points: By frame index.
    """
    found = [
        Moment(
            one["index"] + 1, _share(one["box"], row["width"], row["height"]), points.get(one["index"], ())
        )
        for one in row["moments"] or ()
    ]
    return [one for one in found if one.box or one.points]


def _share(box: Sequence[float] | None, width: int, height: int) -> tuple[float, float, float, float] | None:
    """Left, top, width and height as shares, of left, top, right and bottom in pixels."""
    if box is None:
        return None
    left, top, right, bottom = box
    return left / width, top / height, (right - left) / width, (bottom - top) / height


def _at_moments(row: Mapping[str, Any]) -> dict[int, Points]:
    times = np.array(row["t_s"])
    if not len(times):
        return {}
    return {
        one["index"]: _as_shares(
            np.array(row["points"][int(abs(times - one["t_s"]).argmin())], dtype=float), row
        )
        for one in row["moments"]
    }


def _as_shares(points: NDArray[np.float64], row: Mapping[str, Any]) -> Points:
    """Shares of width and height, nan where a point was not found: of (n_points, 3), see table keypoints."""
    side = max(row["width"], row["height"])
    places = points[:, :2] * side + (row["origin_x"], row["origin_y"])
    places = places / (row["width"], row["height"])
    places[points[:, 2] <= 0] = np.nan
    return tuple((float(x), float(y)) for x, y in places)
