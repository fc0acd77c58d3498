import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from curate import tables
from curate.clips.finding import Finding
from curate.errors import InputError
from curate.recipe import KeypointFiles
from curate.sequences.columns import Row
from curate.sequences.keypoints import read_keypoints
from curate.sequences.points import Placed, in_pixels

CLIP = {
    "clip_id": "0" * 16, "name": "anna.mp4", "uri": "anna.mp4", "sha256": "0" * 64, "media": "video",
    "split": "train", "duration_s": 0.4, "fps": 10.0, "n_frames": 4, "width": 640, "height": 480,
}  # fmt: skip


def clips(*changes: dict[str, object]) -> pl.DataFrame:
    return tables.table("clips", [CLIP | change for change in changes or ({},)])


def frame(x: float = 100, **rest: object) -> str:
    """Someone whose whole body is at (x, 50)."""
    return json.dumps({"people": [{"pose_keypoints_2d": [x, 50.0, 0.5] * 25}], **rest})


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def apart(results: Iterable[Row | Finding]) -> tuple[list[Row], list[str]]:
    listed = list(results)
    told = [f"{one.clip}: {one.what} ({one.action})" for one in listed if isinstance(one, Finding)]
    return [one for one in listed if not isinstance(one, Finding)], told


def pixels(row: Row) -> NDArray[np.float32]:
    values, x, y = row["points"], row["origin_x"], row["origin_y"]
    return in_pixels(Placed(values, x, y), int(str(row["width"])), int(str(row["height"])))  # type: ignore[arg-type]


def test_a_real_recording_reads_as_it_is(test_data: Path) -> None:
    with np.load(test_data / "keypoints" / "openpose_signing.npz") as told:
        truth = told["keypoints"]
    recording = {"name": "signs/openpose_signing.mp4", "fps": 24.0, "width": 1000, "height": 1000}
    files = KeypointFiles(path=test_data / "keypoints" / "openpose_signing_json.zip")
    rows, told = apart(read_keypoints(clips({**recording, "duration_s": 93 / 24}), files))
    assert not told
    assert rows[0]["points"].shape == (93, 137, 3)  # type: ignore[attr-defined]
    assert rows[0]["t_s"].tolist() == [i / 24 for i in range(93)]  # type: ignore[attr-defined]
    # 0.061 px by rounding to 16 bits, 0.0005 by the three decimals of the JSON.
    assert np.abs(pixels(rows[0]) - truth)[..., :2].max() < 0.07
    assert ((truth[..., 2] == 0) == (pixels(rows[0])[..., 2] == 0)).all()


def test_missing_frames_are_nobody_and_the_clip_s_rate_counts(tmp_path: Path) -> None:
    files = {f"anna_{i:012d}_keypoints.json": frame(100 + i) for i in (0, 1, 3)}
    rows, told = apart(read_keypoints(clips(), KeypointFiles(path=written(tmp_path, files))))
    assert told == ["anna.mp4: 1 of 4 frames have no file; nobody is in them (read)"]
    assert pixels(rows[0])[:, 0].round(1).tolist() == [
        [100, 50, 0.5],
        [101, 50, 0.5],
        [0, 0, 0],
        [103, 50, 0.5],
    ]
    assert rows[0]["t_s"].tolist() == [0, 0.1, 0.2, 3 / 10]  # type: ignore[attr-defined]
    assert rows[0]["source"] == "given"


@pytest.mark.parametrize(("fps", "step_s"), [(None, 0.2), (2.0, 0.5)])
def test_every_second_frame(tmp_path: Path, fps: float | None, step_s: float) -> None:
    folder = written(tmp_path, {f"anna/{i}.json": frame() for i in (0, 2, 4)})
    rows, _ = apart(read_keypoints(clips(), KeypointFiles(path=folder, fps=fps)))
    assert rows[0]["t_s"].tolist() == pytest.approx([0, step_s, 2 * step_s])  # type: ignore[attr-defined]


def test_one_result_a_clip_by_rising_id_and_files_of_no_clip_first(tmp_path: Path) -> None:
    listed = clips({"clip_id": "c" * 16}, {"clip_id": "a" * 16, "name": "b.mp4"}, {"name": "dir/c.mp4"})
    folder = written(
        tmp_path, {"b_0.json": frame(), "dir/c_0.json": frame(), "else_0.json": "", "else_1.json": ""}
    )
    steps: list[tuple[int, int]] = []
    found = read_keypoints(listed, KeypointFiles(path=folder), progress=lambda *step: steps.append(step))
    rows, told = apart(found)
    assert [row["clip_id"] for row in rows] == ["0" * 16, "a" * 16]
    assert told == [
        "None: 2 files name no clip, such as else_0.json (set_aside)",
        "anna.mp4: no file is called as the clip (set_aside)",
    ]
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_a_clip_without_files_can_have_a_row_from_elsewhere(tmp_path: Path) -> None:
    listed = clips({}, {"clip_id": "1" * 16, "name": "b.mp4"})
    folder = written(tmp_path, {"b_0.json": frame()})
    rows, told = apart(
        read_keypoints(listed, KeypointFiles(path=folder), instead=lambda clip: {"clip_id": clip.clip_id})
    )
    assert [row["clip_id"] for row in rows] == ["0" * 16, "1" * 16]
    assert not told


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"anna_0.json": frame(), "anna_1.json": "{"}, "file anna_1.json is no JSON"),
        (
            {"anna_0.json": '{"people": [{"pose_keypoints_2d": [1]}]}'},
            "file anna_0.json has 1 numbers in pose",
        ),
        (
            {"anna_0.json": frame(), "anna/0.json": frame()},
            "has two files of frame 0: anna/0.json and anna_0.json",
        ),
        ({"anna_0.json": frame(1e20)}, "has key points that are far outside of any picture"),
    ],
)
def test_files_that_cannot_be_read_set_their_clip_aside(
    tmp_path: Path, files: dict[str, str], told: str
) -> None:
    listed = clips({}, {"clip_id": "1" * 16, "name": "b.mp4"})
    folder = written(tmp_path, {**files, "b_0.json": frame()})
    rows, said = apart(read_keypoints(listed, KeypointFiles(path=folder)))
    assert [row["clip_id"] for row in rows] == ["1" * 16]
    assert len(said) == 1
    assert told in said[0]


def test_a_picture_is_one_frame_and_needs_no_rate(tmp_path: Path) -> None:
    picture = {"name": "face.jpg", "media": "image", "fps": None, "duration_s": None, "n_frames": 1}
    folder = written(tmp_path, {"face_keypoints.json": frame()})
    rows, told = apart(read_keypoints(clips(picture), KeypointFiles(path=folder)))
    assert not told
    assert rows[0]["t_s"].tolist() == [0]  # type: ignore[attr-defined]
    written(tmp_path, {"face/1.json": frame(), "face/2.json": frame()})
    (tmp_path / "face_keypoints.json").unlink()
    _, told = apart(read_keypoints(clips(picture), KeypointFiles(path=folder)))
    assert told == [
        "face.jpg: has key points of 2 frames, and no frame rate of its own: "
        "name clips.keypoints.fps (set_aside)"
    ]


@pytest.mark.parametrize(
    ("x", "y", "pixel"),
    [
        (0.5, 0.25, (320, 120)),  # --keypoint_scale 3: shares of 640 x 480 from the corner
        (-0.5, 0.5, (160, 360)),  # --keypoint_scale 4: halves from the middle, 320 - 160 and 240 + 120
    ],
)
def test_points_that_are_scaled_to_the_picture(
    tmp_path: Path, x: float, y: float, pixel: tuple[int, int]
) -> None:
    text = json.dumps({"people": [{"pose_keypoints_2d": [x, y, 0.5] * 25}]})
    rows, told = apart(read_keypoints(clips(), KeypointFiles(path=written(tmp_path, {"anna_0.json": text}))))
    assert told == ["anna.mp4: key points are shares of the picture; they are read as such (read)"]
    assert pixels(rows[0])[0, 0].tolist() == [*pixel, 0.5]


def test_what_does_not_fit_the_clip_is_told_and_read(tmp_path: Path) -> None:
    folder = written(tmp_path, {f"anna_{i}.json": frame(1900) for i in range(30)})
    rows, told = apart(read_keypoints(clips(), KeypointFiles(path=folder)))
    assert len(rows) == 1
    assert told == [
        "anna.mp4: key points reach (1900, 50), the picture is 640 x 480: "
        "they may be of another size of it (read)",
        "anna.mp4: key points last 2.9 s, the clip 0.4 s: is clips.keypoints.fps right? (read)",
    ]


def test_a_folder_that_is_about_no_clip_is_an_error(tmp_path: Path) -> None:
    written(tmp_path, {"x_0.json": frame()})
    with pytest.raises(
        InputError, match=r"none of its 1 files names a clip, such as x_0.json; the clips are called"
    ):
        list(read_keypoints(clips(), KeypointFiles(path=tmp_path)))
    (tmp_path / "x_0.json").unlink()
    with pytest.raises(InputError, match="holds none"):
        list(read_keypoints(clips(), KeypointFiles(path=tmp_path)))
    with pytest.raises(InputError, match="no such folder"):
        list(read_keypoints(clips(), KeypointFiles(path=tmp_path / "gone")))
