from pathlib import Path

import numpy as np
import pytest

from train_reference.data.release import open_release
from train_reference.features.keypoints import keypoint_sequences, with_offsets


def test_offsets_are_from_frame_to_frame_and_none_where_a_point_is_missing() -> None:
    points = np.zeros((3, 137, 3), dtype=np.float32)
    points[:, 0] = [(0.1, 0.2, 0.9), (0.3, 0.1, 0.9), (0.3, 0.5, 0.9)]
    points[:, 1] = [(0.1, 0.1, 0.9), (0.7, 0.7, 0.0), (0.2, 0.2, 0.9)]  # lost in the second frame
    steps = with_offsets(points).reshape(3, 137, 5)
    assert steps[:, 0] == pytest.approx(
        np.array([(0.1, 0.2, 0.9, 0, 0), (0.3, 0.1, 0.9, 0.2, -0.1), (0.3, 0.5, 0.9, 0, 0.4)])
    )
    # Not found: all 0. And from where it was not found, it did not move.
    assert steps[:, 1] == pytest.approx(
        np.array([(0.1, 0.1, 0.9, 0, 0), (0, 0, 0, 0, 0), (0.2, 0.2, 0.9, 0, 0)])
    )


def test_clips_without_a_row_have_no_steps_and_every_other_frame_will_do(written, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written.sequences["keypoints"] = written.sequences["keypoints"][1:]
    opened = open_release(str(written.write()))
    ids = [row["clip_id"] for row in written.rows]
    whole = keypoint_sequences(opened, ids, 1, tmp_path / "whole")
    half = keypoint_sequences(opened, ids, 2, tmp_path / "half")
    assert whole.lengths[0] == half.lengths[0] == 0
    assert whole.width == 685
    np.testing.assert_array_equal(half.lengths, (whole.lengths + 1) // 2)
    # What is there is opened, not made again.
    assert keypoint_sequences(opened, ids, 7, tmp_path / "whole").lengths.tolist() == whole.lengths.tolist()
