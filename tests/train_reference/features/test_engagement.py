from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from train_reference.data.release import open_release
from train_reference.errors import TrainError
from train_reference.features.engagement import engagement_sequences, resampled


def test_means_and_deviations_of_equal_parts() -> None:
    values = np.array([[0.0], [2.0], [4.0], [4.0]], dtype=np.float32)
    # Two parts: mean 1 and deviation 1 of 0 and 2; mean 4 and deviation 0 of 4 and 4.
    assert resampled(values, 2).tolist() == [[1, 1], [4, 0]]
    # Fewer frames than segments: a frame a segment.
    assert resampled(values, 50)[:, 0].tolist() == [0, 2, 4, 4]
    assert resampled(values[:0], 50).shape == (0, 2)


def put(written: Any, rows: list[tuple[list[str], list[list[float]]]]) -> list[str]:
    ids = [row["clip_id"] for row in written.rows[: len(rows)]]
    written.sequences["features"] = pl.DataFrame(
        {"clip_id": ids, "names": [names for names, _ in rows], "values": [values for _, values in rows]},
        schema_overrides={"values": pl.List(pl.List(pl.Float32))},
        strict=False,
    )
    return ids


def test_failed_frames_are_left_out_and_columns_chosen_by_their_beginning(
    written: Any, tmp_path: Path
) -> None:
    names = ["success", "gaze_x", "AU12_r", "pose_Tx"]
    ids = put(written, [(names, [[1, 0.5, 2, 9], [0, float("nan"), 0, 0], [1, 0.7, 4, 9]])])
    opened = open_release(str(written.write()))
    found = engagement_sequences(opened, ids, ["AU", "gaze"], 1, tmp_path / "f")
    # Order of the release's columns: gaze_x (mean .6, deviation .1), AU12_r (mean 3, deviation 1).
    assert found.gather(np.array([0])).values[0].tolist() == [pytest.approx([0.6, 3, 0.1, 1])]


def test_only_columns_that_all_clips_have(written: Any, tmp_path: Path) -> None:
    ids = put(written, [(["gaze_x", "AU1"], [[1, 5]]), (["AU1", "AU2"], [[6, 7]])])
    opened = open_release(str(written.write()))
    found = engagement_sequences(opened, ids, ["gaze", "AU"], 50, tmp_path / "f")
    assert found.gather(np.array([0, 1])).values[:, 0, 0].tolist() == [5, 6]
    with pytest.raises(
        TrainError, match=r"features.columns: no column that all clips have is, or begins with, one"
    ):
        engagement_sequences(opened, ids, ["gaze"], 50, tmp_path / "g")


def test_what_is_no_number_is_named(written: Any, tmp_path: Path) -> None:
    ids = put(written, [(["gaze_x", "AU1"], [[1, 5], [1, float("nan")]])])
    opened = open_release(str(written.write()))
    with pytest.raises(TrainError, match=r"clip 0{16}: mean of AU1 at step 1 is nan.*Leave that column out"):
        engagement_sequences(opened, ids, ["gaze", "AU"], 50, tmp_path / "f")
