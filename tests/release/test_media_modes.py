"""Media inside the tables, in files of their own, or nowhere; and joined again by a reader."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Literal

import pyarrow.parquet as pq
import pytest

from curate.errors import ReleaseError
from curate.release.attach import attach
from curate.release.check import check_release
from curate.release.dataset import write_release
from curate.release.load import load_release

Media = Literal["embed", "files", "none"]


def write(synthetic: ModuleType, folder: Path, media: Media) -> Path:
    content = synthetic.make().content
    release = content.recipe.release.model_copy(update={"media": media})
    write_release(folder, replace(content, recipe=content.recipe.model_copy(update={"release": release})))
    return folder


@pytest.fixture
def bare(synthetic: ModuleType, tmp_path: Path) -> Path:
    return write(synthetic, tmp_path / "bare", "none")


@pytest.fixture
def own_media(release: Path, tmp_path: Path) -> Path:
    """A user's copy of the media, under names of their own."""
    folder = tmp_path / "mine"
    (folder / "deep").mkdir(parents=True)
    for path in [*release.glob("data/*"), *release.glob("pseudo/*")]:
        for row in pq.read_table(path, columns=["video", "image"]).to_pylist():
            value = row["video"] or row["image"]
            name = hashlib.md5(value["bytes"]).hexdigest() + Path(value["path"]).suffix  # noqa: S324
            (folder / "deep" / name).write_bytes(value["bytes"])
    return folder


def test_without_media_there_are_ids_and_labels_only(bare: Path, release: Path) -> None:
    schema = pq.read_schema(next(bare.glob("data/*")))
    assert not {"video", "image", "file_name"} & set(schema.names)
    ours, theirs = load_release(bare).clips, load_release(release).clips
    assert ours.equals(theirs.select(ours.columns))
    assert "may not be passed on" in (bare / "README.md").read_text(encoding="utf-8")


def test_files_lie_once_and_each_row_names_its_own(
    synthetic: ModuleType, tmp_path: Path, release: Path
) -> None:
    folder = write(synthetic, tmp_path / "files", "files")
    rows = load_release(folder).clips
    for clip_id, name, digest in rows.select("clip_id", "file_name", "sha256").iter_rows():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert Path(name).stem == clip_id
    assert len(list(folder.glob("media/*/*/*"))) == rows.height
    index = pq.read_table(folder / "media" / "image" / "metadata.parquet")
    assert index.column_names == ["file_name", "clip_id", "split", "reliability_split", "label"]
    (folder / rows["file_name"][0]).write_bytes(b"other")
    with pytest.raises(ReleaseError, match=f"{rows['file_name'][0]}: has sha256"):
        check_release(folder)


LOAD_FOLDER = """
import sys
sys.modules["curate"] = None
from datasets import Image, load_dataset
from datasets.features import Video
folder, cache = sys.argv[1:]
plain = load_dataset(folder, "high_reliability", split="train", cache_dir=cache)
images = load_dataset("imagefolder", data_dir=folder + "/media/image", cache_dir=cache)
videos = load_dataset("videofolder", data_dir=folder + "/media/video", cache_dir=cache)
counts = [sum(split.num_rows for split in found.values()) for found in (images, videos)]
print(plain.num_rows, *counts, *images["train"].features, *videos["train"].features)
"""


def test_datasets_loads_a_folder_of_media(synthetic: ModuleType, tmp_path: Path) -> None:
    folder = write(synthetic, tmp_path / "files", "files")
    done = subprocess.run(
        [sys.executable, "-c", LOAD_FOLDER, folder, tmp_path / "cache"],
        capture_output=True,
        text=True,
        check=True,
    )
    n_plain, n_images, n_videos, *columns = done.stdout.split()
    rows = load_release(folder).clips
    high = rows.filter(split="train", reliability_split="high")
    assert int(n_plain) == high.height
    # Every fourth of the 24 clips is an image.
    assert (int(n_images), int(n_videos)) == (6, 18)
    beside = ["clip_id", "split", "reliability_split", "label"]
    assert columns == ["image", *beside, "video", *beside]


def test_a_user_joins_media_by_their_bytes(
    bare: Path, own_media: Path, release: Path, tmp_path: Path
) -> None:
    done = attach(bare, own_media, tmp_path / "joined")
    assert (done.n_found, done.missing) == (24, ())
    check_release(tmp_path / "joined")
    for name in ("data/train-low-00000-of-00001.parquet", "pseudo/train-00000-of-00001.parquet"):
        ours, theirs = (pq.read_table(folder / name) for folder in (tmp_path / "joined", release))
        assert [row["bytes"] for row in ours["video"].to_pylist() if row] == [
            row["bytes"] for row in theirs["video"].to_pylist() if row
        ]


def test_what_is_not_found_keeps_its_row(bare: Path, own_media: Path, tmp_path: Path) -> None:
    gone = sorted((own_media / "deep").iterdir())[0]
    gone.unlink()
    done = attach(bare, own_media, tmp_path / "joined")
    assert done.n_found == 23
    assert len(done.missing) == 1
    check_release(tmp_path / "joined")
    assert load_release(tmp_path / "joined").clips.height == 24


def test_media_of_others_and_releases_that_hold_their_own(
    bare: Path, release: Path, own_media: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReleaseError, match="none of its 0 files belongs to a clip"):
        attach(bare, tmp_path / "empty", tmp_path / "joined")
    assert not (tmp_path / "joined").exists()
    with pytest.raises(ReleaseError, match="made with media: none"):
        attach(release, own_media, tmp_path / "joined")
