"""Key points with how far each moved since the frame before."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train_reference.data.release import Release
from train_reference.data.sequences import Sequences
from train_reference.features.aligned import aligned

WIDTH = 137 * 5


def keypoint_sequences(release: Release, clip_ids: Sequence[str], every: int, folder: Path) -> Sequences:
    """Steps of 137 x (x, y, confidence, dx, dy) of all clips, from the release's config `keypoints`.

    Args:
        release: It has that config.
        clip_ids: Of all clips, in order.
        every: Each so-manieth frame is used.
        folder: Where they are kept.
    """
    rows = release.rows("keypoints", ["clip_id", "points"])
    steps = ((row["clip_id"], with_offsets(_points(row["points"])[::every])) for row in rows)
    return aligned(steps, clip_ids, folder, WIDTH, "float16")


def with_offsets(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shape (n_frames, 137 * 5): x, y, confidence, dx, dy of each point.

    Inter-frame offsets are paper B's (arXiv 2602.08057). A point that was not
    found, of confidence 0, is at the origin and moves nowhere, nor does one that
    was not found in the frame before (ours).

    Args:
        points: Shape (n_frames, 137, 3): x, y, confidence.
    """
    is_found = points[..., 2:] > 0  # (n_frames, 137, 1)
    offsets = np.diff(points[..., :2], axis=0, prepend=points[:1, :, :2])
    is_known = is_found & np.concatenate([is_found[:1], is_found[:-1]])
    found = np.concatenate([points * is_found, offsets * is_known], axis=-1)
    return np.asarray(found.reshape(len(points), WIDTH), dtype=np.float32)


def _points(nested: object) -> NDArray[np.float32]:
    return np.asarray(nested, dtype=np.float32).reshape(-1, 137, 3)
