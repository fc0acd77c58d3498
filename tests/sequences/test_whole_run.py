"""From a recipe to a release, with everything that seeing adds: events, faces and sequences."""

import hashlib
import shutil
from io import BytesIO
from pathlib import Path

import datasets
import numpy as np
import polars as pl
import pytest
from PIL import Image

from curate import verbs
from curate.frames.people.blur import open_face_blur
from curate.release.check import check_release
from curate.run_folder import Run

NAMES = ("single_face.mp4", "no_face.mp4", "carphone_pristine.mp4", "test_462_frames.mp4", "justin.jpg")
RECIPE = """
name: seen
task: {{classes: ["no", "yes"]}}
clips:
  source: folder
  path: media
  labels: {{file: labels.csv, label: smiling, group: group, unlabelled: [cannot_tell, ""]}}
  keypoints: {{path: keypoints, fps: 24}}
  features: {{path: features, columns: [gaze, pose, AU, confidence, success]}}
frames: {{strategy: events, count: 4, size_px: 64, crop: face}}
embeddings: {{model: {model}, fps: 2, most: 6, batch: 4, device: cpu}}
vlm: {{backend: transformers, model: demo}}
answers: {{questionnaire: questionnaire.yaml}}
release: {{faces: blur}}
"""


@pytest.fixture(scope="module")
def recipe(test_data: Path, tmp_path_factory: pytest.TempPathFactory, tiny_dinov2: Path) -> Path:
    folder = tmp_path_factory.mktemp("seen")
    for place in ("media", "features"):
        (folder / place).mkdir()
    for name in NAMES:
        shutil.copyfile(test_data / "clips" / name, folder / "media" / name)
    labels = pl.read_csv(test_data / "clips" / "labels.csv", infer_schema=False)
    labels.filter(pl.col("file").is_in(NAMES)).write_csv(folder / "labels.csv")
    shutil.copyfile(test_data / "features" / "openface.csv", folder / "features" / "single_face.csv")
    archive = test_data / "keypoints" / "openpose_signing_json.zip"
    shutil.unpack_archive(archive, folder / "keypoints" / "carphone_pristine")
    questionnaire = Path(__file__).parents[2] / "examples" / "real_clips" / "questionnaire.yaml"
    shutil.copyfile(questionnaire, folder / "questionnaire.yaml")
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.format(model=tiny_dinov2), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(recipe: Path) -> Run:
    return verbs.run(recipe)


def of(run: Run, config: str) -> datasets.Dataset:
    return datasets.load_dataset(str(run.release), config, split="train", cache_dir=str(run.folder / "cache"))


def test_the_release_is_sound(run: Run) -> None:
    check_release(run.release)


def test_pictures_are_cut_to_the_face_that_is_there(run: Run) -> None:
    frames = run.read("frames").join(run.read("clips").select("clip_id", "name"), on="clip_id")
    boxes = {name: rows["box"].drop_nulls() for (name,), rows in frames.group_by("name")}
    assert len(boxes["single_face.mp4"]) == 4
    assert len(boxes["no_face.mp4"]) == 0, "nobody there is no error: the whole frame is shown"
    left, top, right, bottom = boxes["single_face.mp4"][0]
    assert right - left == pytest.approx(bottom - top, abs=2), "a face is cut out as a square"


def test_sequences_are_configs_of_the_release(run: Run) -> None:
    points = np.array(of(run, "keypoints")[0]["points"], dtype=np.float32)
    assert points.shape == (93, 137, 3)
    (features,) = of(run, "features")
    assert np.array(features["values"]).shape == (len(features["t_s"]), len(features["names"]))
    assert {name.split("_")[0][:2] for name in features["names"]} <= {"ga", "po", "AU", "co", "su"}
    embeddings = of(run, "embeddings")
    assert len(embeddings) == len(NAMES)
    assert all(len(row["vectors"]) == len(row["t_s"]) <= 6 for row in embeddings)


def test_faces_are_blurred_in_what_is_released_and_not_in_what_was_asked(run: Run) -> None:
    blur = open_face_blur("opencv")
    released = of(run, "default") if (run.release / "data").exists() else of(run, "pseudo_labeled")
    rows = [row for split in datasets.load_dataset(str(run.release), "default").values() for row in split]
    stills = [row for row in rows if row["name"] == "justin.jpg"]
    assert released.num_rows > 0
    (still,) = stills
    image = still["image"].convert("RGB")
    assert not [face for face in blur.finder.find([image])[0] if face.score > 0.5]
    frames = run.read("frames").join(run.read("clips").select("clip_id", "name"), on="clip_id")
    sha256 = frames.filter(pl.col("name") == "justin.jpg")["sha256"][0]
    sent = Image.open(BytesIO(run.pictures.get(sha256)))
    assert sent.size[0] <= 64


def test_ids_are_of_the_originals(run: Run, test_data: Path) -> None:
    digest = hashlib.sha256((test_data / "clips" / "justin.jpg").read_bytes()).hexdigest()
    (row,) = [
        row
        for split in datasets.load_dataset(str(run.release), "default").values()
        for row in split
        if row["name"] == "justin.jpg"
    ]
    assert row["clip_id"] == digest[:16]
    assert row["sha256"] != digest


def test_run_again_nothing_is_made_anew(run: Run, recipe: Path) -> None:
    before = (run.folder / "manifest.json").read_bytes()
    assert verbs.run(recipe).folder == run.folder
    assert (run.folder / "manifest.json").read_bytes() == before
