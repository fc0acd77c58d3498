import zipfile
from pathlib import Path

import polars as pl
import pytest

from curate import tables
from curate.clips.finding import Finding
from curate.errors import InputError
from curate.recipe import FeatureFiles
from curate.sequences.columns import Row
from curate.sequences.features import read_features

CLIP = {
    "clip_id": "0" * 16, "name": "anna.mp4", "uri": "anna.mp4", "sha256": "0" * 64, "media": "video",
    "split": "train", "duration_s": 1.0, "fps": 10.0, "n_frames": 10, "width": 640, "height": 480,
}  # fmt: skip


def clips(*changes: dict[str, object]) -> pl.DataFrame:
    return tables.table("clips", [CLIP | change for change in changes or ({},)])


def read(folder: Path, listed: pl.DataFrame, *columns: str) -> tuple[list[Row], list[str]]:
    found = list(read_features(listed, FeatureFiles(path=folder, columns=columns)))
    told = [f"{one.clip}: {one.what} ({one.action})" for one in found if isinstance(one, Finding)]
    return [one for one in found if not isinstance(one, Finding)], told


def written(folder: Path, name: str, *lines: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines), encoding="utf-8")


def test_a_row_a_clip_and_a_list_a_frame(tmp_path: Path) -> None:
    written(tmp_path, "anna.csv", "frame, timestamp, success, AU01_r", "1, 0.0, 1, 0.5", "2, 0.25, 0, 0")
    rows, told = read(tmp_path, clips())
    assert not told
    row = rows[0]
    assert (row["clip_id"], row["source"], row["names"]) == ("0" * 16, "given", ["success", "AU01_r"])
    assert row["t_s"].tolist() == [0, 0.25]  # type: ignore[attr-defined]
    assert row["values"].tolist() == [[1, 0.5], [0, 0]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("head", "lines", "t_s"),
    [
        # No timestamps: the clip's 10 frames a second, frames counted from 1 or from 0.
        ("frame,AU01_r", ("1,5", "2,6", "4,7"), [0, 0.1, 0.3]),
        ("frame,AU01_r", ("0,5", "1,6"), [0, 0.1]),
        ("AU01_r", ("5", "6", "7"), [0, 0.1, 0.2]),
        # Timestamps that do not rise tell nothing, as of a folder of pictures.
        ("frame,timestamp,AU01_r", ("1,0,5", "2,0,6"), [0, 0.1]),
    ],
)
def test_times(tmp_path: Path, head: str, lines: tuple[str, ...], t_s: list[float]) -> None:
    written(tmp_path, "anna.csv", head, *lines)
    rows, _ = read(tmp_path, clips())
    assert rows[0]["t_s"].tolist() == pytest.approx(t_s)  # type: ignore[attr-defined]


def test_tables_of_clips_by_path_or_name_and_from_a_zip_file(tmp_path: Path) -> None:
    listed = clips(
        {"name": "train/anna.mp4"},
        {"clip_id": "1" * 16, "name": "test/anna.mp4"},
        {"clip_id": "2" * 16, "name": "b.mp4"},
    )
    for number, name in enumerate(("test/anna.csv", "out/b.csv", "anna.csv", "train/anna.csv", "c.csv")):
        written(tmp_path / "in", name, "AU01_r", str(number))
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as packed:
        for path in sorted((tmp_path / "in").rglob("*.csv")):
            packed.write(path, path.relative_to(tmp_path / "in"))
    for place in (tmp_path / "in", tmp_path / "in.zip"):
        rows, told = read(place, listed)
        assert [row["values"].tolist() for row in rows] == [[[3]], [[0]], [[1]]]  # type: ignore[attr-defined]
        assert told == [
            "None: 1 files name no clip, such as c.csv (set_aside)",
            "None: 1 files can mean several clips, such as anna.csv (set_aside)",
        ]


def test_what_cannot_be_read_sets_its_clip_aside(tmp_path: Path) -> None:
    listed = clips({}, {"clip_id": "1" * 16, "name": "b.mp4"}, {"clip_id": "2" * 16, "name": "c.mp4"})
    written(tmp_path, "anna.csv", "AU01_r", "much")
    written(tmp_path, "c.csv", "AU01_r", "1")
    written(tmp_path, "x/c.csv", "AU01_r", "1")
    written(tmp_path, "b.csv", "frame,AU01_r", "2,1", "1,1")
    rows, told = read(tmp_path, listed)
    assert not rows
    assert told == [
        "anna.mp4: file anna.csv has 'much' in line 2, column AU01_r, expected a number (set_aside)",
        "b.mp4: file b.csv has frames that are not in order of time (set_aside)",
        "c.mp4: 2 files are called as the clip: c.csv, x/c.csv (set_aside)",
    ]


def test_clips_without_a_table_and_tables_with_two_faces_are_told(tmp_path: Path) -> None:
    listed = clips({}, {"clip_id": "1" * 16, "name": "b.mp4"})
    written(tmp_path, "b.csv", "face_id,confidence,AU01_r", "0,0.9,1", "1,0.2,2")
    rows, told = read(tmp_path, listed)
    assert len(rows) == 1
    assert told == [
        "anna.mp4: no file is called as the clip (set_aside)",
        "b.mp4: file b.csv has 2 faces; the one found most surely is kept (read)",
    ]


def test_the_real_table(test_data: Path) -> None:
    rows, told = read(test_data / "features", clips({"name": "openface.mp4"}), "gaze", "pose_R", "AU")
    assert not told
    assert rows[0]["values"].shape == (100, 2 + 6 + 3 + 35)  # type: ignore[attr-defined]


def test_a_folder_without_tables_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds none"):
        read(tmp_path, clips())
