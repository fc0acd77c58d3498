from pathlib import Path
from typing import Any

import pytest
import torch

from train_reference.data.labels import read_clips
from train_reference.data.release import open_release
from train_reference.data.sequences import Sequences
from train_reference.errors import TrainError
from train_reference.features.modalities import load_modalities
from train_reference.settings import Settings, read_settings


def loaded(folder: Path, to: Path, settings: Settings) -> dict[str, Sequences]:
    opened = open_release(str(folder))
    return load_modalities(opened, read_clips(opened), settings, to, torch.device("cpu"))


def test_those_that_are_there_and_wanted(release: Path, tmp_path: Path) -> None:
    assert list(loaded(release, tmp_path, Settings())) == ["keypoints"]
    with pytest.raises(TrainError, match="the release has none of features; it has default, keypoints"):
        loaded(release, tmp_path, read_settings(["modalities=features"]))


def test_clips_without_any(written: Any, tmp_path: Path) -> None:
    written.sequences["keypoints"] = written.sequences["keypoints"][2:]
    folder = written.write()
    said = r"2 clips have none of keypoints \(0000000000000000, 0000000000000001\). drop=true leaves them out"
    with pytest.raises(TrainError, match=said):
        loaded(folder, tmp_path, Settings())
    assert (loaded(folder, tmp_path, read_settings(["drop=true"]))["keypoints"].lengths[:3] > 0).tolist() == [
        False,
        False,
        True,
    ]


def test_a_release_that_changed_is_read_anew(written: Any, tmp_path: Path) -> None:
    before = loaded(written.write(), tmp_path, Settings())["keypoints"].lengths.tolist()
    written.sequences["keypoints"] = (
        written.sequences["keypoints"].reverse().with_columns(written.sequences["keypoints"]["clip_id"])
    )
    assert loaded(written.write(), tmp_path, Settings())["keypoints"].lengths.tolist() == before[::-1]
