from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation
from transformers.models.vitpose.image_processing_pil_vitpose import VitPoseImageProcessorPil

from curate.errors import InputError
from curate.frames.people.boxes import Box
from curate.frames.people.finder import Detection
from curate.recipe import Pose
from curate.sequences.pose_model import PoseModel, load_pose_model


def vitpose(folder: Path, n_points: int, n_experts: int = 1) -> Path:
    """A VitPose of the true architecture and random weights."""
    torch.manual_seed(0)
    backbone = VitPoseBackboneConfig(
        image_size=[64, 48],
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_ratio=2,
        num_experts=n_experts,
        part_features=8,
        out_features=["stage2"],
    )
    VitPoseForPoseEstimation(VitPoseConfig(backbone_config=backbone, num_labels=n_points)).save_pretrained(
        folder
    )
    VitPoseImageProcessorPil(size={"height": 64, "width": 48}).save_pretrained(folder)
    return folder


@dataclass
class Told:
    """Finds what it was told, in pictures that are not black."""

    found: Sequence[Detection]
    name: str = "told@1"

    def find(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        return [list(self.found) if image.getbbox() else [] for image in images]


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vitpose(tmp_path_factory.mktemp("models") / "vitpose-tiny", 17)


def loaded(folder: Path, *found: Detection, batch: int = 16) -> PoseModel:
    return load_pose_model(Pose(model=str(folder), device="cpu", batch=batch), Told(found))


def noise(seed: int, width: int = 60, height: int = 80) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(1, 256, (height, width, 3), dtype=np.uint8)


def test_points_lie_where_they_would_if_all_were_moved(coco: Path) -> None:
    drawn = noise(0)
    moved = np.zeros((120, 110, 3), np.uint8)
    moved[30:110, 20:80] = drawn
    here = loaded(coco, Detection(Box(10, 20, 50, 70), 0.9)).people([Image.fromarray(drawn)])[0]
    there = loaded(coco, Detection(Box(30, 50, 70, 100), 0.9)).people([Image.fromarray(moved)])[0]
    assert here.shape == (1, 137, 3)
    found = here[0, :, 2] > 0
    assert 10 < found.sum() <= 19  # the body but for the feet, unless a random network says 0
    # 30 - 10 and 50 - 20 pixels further.
    assert np.abs(there[0, found] - here[0, found] - [20, 30, 0]).max() < 0.05


def test_batches_do_not_change_points_and_pictures_without_people_are_none(coco: Path) -> None:
    people = [Detection(Box(5, 5, 50, 70), 0.9), Detection(Box(20, 10, 55, 60), 0.8)]
    pictures = [Image.fromarray(noise(seed)) for seed in range(3)]
    pictures.insert(1, Image.new("RGB", (60, 80)))
    one, many = (loaded(coco, *people, batch=batch).people(pictures) for batch in (1, 16))
    assert [len(found) for found in many] == [2, 0, 2, 2]
    for alone, together in zip(one, many, strict=True):
        assert np.abs(alone - together).max(initial=0) < 1e-3


def test_only_the_largest_that_are_believed_are_looked_at(coco: Path) -> None:
    sizes = [Detection(Box(0, 0, side, side), 0.9) for side in (10, 20, 30, 40)]
    weak, flat = Detection(Box(0, 0, 60, 80), 0.2), Detection(Box(5, 5, 5, 50), 0.9)
    found = loaded(coco, *sizes, weak, flat).people([Image.fromarray(noise(0))])
    assert len(found[0]) == 3


def test_a_whole_body_model_with_experts(tmp_path: Path) -> None:
    model = loaded(vitpose(tmp_path / "whole", 133, n_experts=6), Detection(Box(5, 5, 50, 70), 0.9))
    found = model.people([Image.fromarray(noise(0))])[0][0]
    # A random network finds most points of each part; the pupils are never told.
    for part in (slice(0, 25), slice(25, 93), slice(95, 116), slice(116, 137)):
        assert (found[part, 2] > 0).mean() > 0.5
    assert (found[93:95] == 0).all()
    assert (found[:, 2] <= 1).all()


def test_the_name_is_that_of_the_weights_and_all_that_decides_is_told(coco: Path) -> None:
    model = loaded(coco)
    assert model.name.startswith("vitpose-tiny@sha256:")
    assert model.decided_by["finder"] == "told@1"
    assert str(coco) not in str(model.decided_by)


def test_models_that_cannot_be_used_say_why(coco: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tells 5 points, expected 17 or 133"):
        loaded(vitpose(tmp_path / "five", 5))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="cannot be loaded"):
        loaded(tmp_path / "empty")
    broken = tmp_path / "broken"
    vitpose(broken, 17)
    (broken / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(InputError, match="cannot be loaded"):
        loaded(broken)
