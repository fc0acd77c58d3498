from pathlib import Path
from typing import Any

import pytest

from train_reference.data.release import class_names, open_release, read
from train_reference.errors import TrainError


def test_configs_and_task_are_those_of_the_card_and_the_recipe(release: Path) -> None:
    found = open_release(str(release))
    assert set(found.configs) == {"default", "keypoints"}
    assert found.task == {"ordinal": True}
    assert [path.name for _, path in found.files("default")] == ["all-00000-of-00001.parquet"]


def test_a_folder_without_a_card(tmp_path: Path) -> None:
    with pytest.raises(
        TrainError, match=r"README.md: has no configs at its head. Name the folder that curate wrote"
    ):
        open_release(str(tmp_path))


def test_neither_a_folder_nor_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        TrainError, match="no such/place/at all: is no folder, and nothing can be fetched by that name"
    ):
        open_release("no such/place/at all")


def test_a_shard_that_is_missing(release: Path) -> None:
    (release / "data" / "all-00000-of-00001.parquet").unlink()
    with pytest.raises(
        TrainError, match=r"data/all-\*.parquet: config default names it, and no such file is there"
    ):
        open_release(str(release)).files("default")


def test_a_file_that_is_damaged(release: Path) -> None:
    path = release / "data" / "all-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(
        TrainError, match=r"all-00000-of-00001.parquet: cannot be read .* Fetch or write the release"
    ):
        read(path, ["clip_id"])


def test_class_names_are_those_of_the_class_label(written: Any) -> None:
    written.classes = ("c", "b", "a")
    path = written.write() / "data" / "all-00000-of-00001.parquet"
    assert class_names(path, "label") == ("c", "b", "a")
    with pytest.raises(TrainError, match="column clip_id: has no class names"):
        class_names(path, "clip_id")
