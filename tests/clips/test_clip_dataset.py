"""Clips from a Hugging Face dataset on disk: the network is never asked."""

from io import BytesIO
from pathlib import Path

import datasets
import pytest
from PIL import Image

from curate.clips.media import media_bytes, media_store
from curate.clips.read import read_clips
from curate.errors import InputError
from curate.recipe import DatasetClips


def picture(shade: int) -> bytes:
    written = BytesIO()
    Image.new("L", (8, 6), shade).save(written, "PNG")
    return written.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a dataset can be written and loaded from without leaving anything behind."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return tmp_path / "data"


def shades(first: int, labels: list[int]) -> datasets.Dataset:
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "video": datasets.Video(),
            "label": datasets.ClassLabel(names=["no", "yes"]),
            "who": datasets.Value("int64"),
        }
    )
    rows = [
        {"image": {"bytes": picture(first + i), "path": None}, "video": None, "label": label, "who": i}
        for i, label in enumerate(labels)
    ]
    return datasets.Dataset.from_list(rows, features=features)


def test_a_folder_of_parquet(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    shades(0, [0, 1]).to_parquet(folder / "data" / "train-0.parquet")
    shades(50, [-1]).to_parquet(folder / "data" / "test-0.parquet")
    clips = DatasetClips(source="dataset", path=str(folder), media="image", label="label", group="who")
    found = read_clips(clips, ["no", "yes"])
    columns = ["name", "uri", "media", "label_given", "split", "group", "width"]
    assert found.clips.select(columns).rows() == [
        ("test/0", "test/0", "image", None, "test", "0", 8),
        ("train/0", "train/0", "image", "no", "train", "0", 8),
        ("train/1", "train/1", "image", "yes", "train", "1", 8),
    ]
    assert found.problems.is_empty()
    assert media_bytes(media_store(clips).open("train/1")) == picture(1)


def test_what_save_to_disk_wrote(folder: Path) -> None:
    datasets.DatasetDict({"val": shades(0, [0]), "extra": shades(9, [1, 1])}).save_to_disk(folder)
    clips = DatasetClips(source="dataset", path=str(folder), media="image", label="label")
    found = read_clips(clips, ["no", "maybe"])
    assert found.clips.select("name", "label_given", "split").rows() == [
        ("extra/0", None, "train"),
        ("extra/1", None, "train"),
        ("val/0", "no", "validation"),
    ]
    assert found.problems.select("where", "what", "action").rows() == [
        ("extra", "split 'extra' is none of train, validation and test; it counts as train", "read"),
        ("extra/0", "label 'yes' is none of the classes no, maybe", "set_aside"),
        ("extra/1", "label 'yes' is none of the classes no, maybe", "set_aside"),
    ]


def test_rows_without_media_are_set_aside(folder: Path) -> None:
    data = shades(0, [0, 1]).map(lambda row: {"image": None if row["who"] else row["image"]})
    datasets.DatasetDict({"train": data}).save_to_disk(folder)
    clips = DatasetClips(source="dataset", path=str(folder), media="image")
    found = read_clips(clips, ["no", "yes"])
    assert found.clips["name"].to_list() == ["train/0"]
    assert found.problems.select("clip", "what").rows() == [("train/1", "has no media in column image")]


def test_a_dataset_that_is_a_script_is_refused(folder: Path) -> None:
    folder.mkdir()
    (folder / "data.py").write_text("raise AssertionError", encoding="utf-8")
    with pytest.raises(InputError, match=r"cannot be loaded as a dataset: Dataset scripts are no longer"):
        read_clips(DatasetClips(source="dataset", path=str(folder)), ["no", "yes"])


def test_what_is_not_there_is_told_at_once(folder: Path) -> None:
    datasets.DatasetDict({"train": shades(0, [0])}).save_to_disk(folder)
    wrong = DatasetClips(source="dataset", path=str(folder), media="who", label="lable", group="image")
    with pytest.raises(InputError) as caught:
        read_clips(wrong, ["no", "yes"])
    assert [str(problem).partition(";")[0] for problem in caught.value.problems] == [
        "clips.label: no column 'lable'",
        "clips.media: column 'who' is Value, expected Video or Image",
        "clips.group: column 'image' is Image, expected one value a row",
    ]
    with pytest.raises(InputError, match="no split 'dev'; found train"):
        read_clips(
            DatasetClips(source="dataset", path=str(folder), media="image", splits=("dev",)), ["no", "yes"]
        )
    with pytest.raises(InputError, match="cannot be loaded as a dataset"):
        read_clips(DatasetClips(source="dataset", path=str(folder / "none")), ["no", "yes"])
