"""A transformers pose model from a folder or the Hub: pictures in, the points of people out."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from PIL import Image

from curate.checkpoint import chosen_device, model_name, placeless
from curate.errors import InputError, MissingPartError, Problem
from curate.frames.people.finder import Detection, Finder
from curate.recipe.sequences import Pose
from curate.sequences.points import N_POINTS, Points
from curate.sequences.skeleton import MAPPINGS, as_openpose

_KEY = "pose.model"
_MOST_PEOPLE = 3
"""In a picture whose points are estimated; then one of them is followed."""
_EXPERTS = {17: 0, 133: 5}
"""ViTPose+ has an expert a data set: which one, by number of points (COCO, COCO-WholeBody; Xu et al. 2022,
ViTPose++, https://arxiv.org/abs/2212.04246)."""


class PeoplePoints(Protocol):
    """Finds people and their points in pictures."""

    @property
    def name(self) -> str:
        """name@revision."""
        ...

    @property
    def batch(self) -> int:
        """Pictures that are given at once."""
        ...

    @property
    def decided_by(self) -> Mapping[str, object]:
        """All that decides points beside the pictures, as JSON can say it."""
        ...

    def people(self, images: Sequence[Image.Image]) -> list[Points]:
        """Points in pixels of each upright RGB picture: (n_people, 137, 3) each, maybe of nobody."""
        ...


@dataclass(frozen=True, slots=True)
class PoseModel:
    """A network, which computes one batch at a time, its image processor, and what finds people for it."""

    name: str
    batch: int
    least_score: float
    """Of a finding that is believed."""
    finder: Finder
    network: Any
    processor: Any
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    @property
    def decided_by(self) -> Mapping[str, object]:
        """Also the device and batch: they decide how a number is rounded."""
        return {
            "model": self.name,
            "finder": self.finder.name,
            "least_score": self.least_score,
            "most_people": _MOST_PEOPLE,
            "config": placeless(self.network.config.to_dict()),
            "processor": self.processor.to_json_string(),
            "device": self.network.device.type,
            "batch": self.batch,
        }

    def people(self, images: Sequence[Image.Image]) -> list[Points]:
        """Points of the largest, surest people of each picture."""
        found = [_largest(here, self.least_score) for here in self.finder.find(images)]
        shown = [(image, here) for image, here in zip(images, found, strict=True) if here]
        told = iter(self._points(shown) if shown else ())
        nobody = np.zeros((0, N_POINTS, 3), dtype=np.float32)
        return [next(told) if here else nobody for here in found]

    def _points(self, shown: Sequence[tuple[Image.Image, Sequence[Detection]]]) -> list[Points]:
        """Points of people in pictures, (n_people, 137, 3) each; every picture has at least one."""
        images = [image for image, _ in shown]
        boxes = [[_coco_box(one) for one in here] for _, here in shown]
        crops = self.processor(images, boxes=boxes, return_tensors="pt")["pixel_values"]
        with self._one_at_a_time:
            outputs = self._outputs(crops)
        told = self.processor.post_process_pose_estimation(outputs, boxes=boxes)
        return [as_openpose(np.stack([_joined(one) for one in here])) for here in told]

    def _outputs(self, crops: Any) -> Any:
        """Heat maps of crops of shape (n_people, 3, height, width), `batch` at a time."""
        import torch

        parts = [self._pass(part) for part in crops.to(self.network.device).split(self.batch)]
        return _HeatMaps(torch.cat(parts))

    def _pass(self, crops: Any) -> Any:
        import torch

        told = {}
        if self.network.config.backbone_config.num_experts > 1:
            expert = _EXPERTS[self.network.config.num_labels]
            told["dataset_index"] = torch.full((len(crops),), expert, device=crops.device)
        with torch.inference_mode():
            return self.network(crops, **told).heatmaps.float()


@dataclass(frozen=True, slots=True)
class _HeatMaps:
    """What a processor reads of a network's output."""

    heatmaps: Any
    """(n_people, n_points, height, width)."""


def load_pose_model(asked: Pose, finder: Finder) -> PoseModel:
    """Load the recipe's model.

    Only safetensors are read and no code from a repository is run: a
    checkpoint is data.

    Args:
        asked: The recipe's section.
        finder: Finds people, see `open_finder`.

    Raises:
        MissingPartError: torch or transformers is not installed.
        InputError: The model cannot be loaded, or is none that tells 17 or 133 points of a person.
    """
    try:
        import transformers
        from safetensors import SafetensorError
        from transformers.utils.logging import disable_progress_bar
    except ImportError as error:
        raise MissingPartError(
            f"key points need torch and transformers ({error}). Install them with: "
            "pip install torch transformers"
        ) from error
    disable_progress_bar()  # type: ignore[no-untyped-call]  # curate shows its own
    auto: Any = transformers  # its Auto classes bear no types
    source: dict[str, Any] = {"revision": asked.revision or "main", "trust_remote_code": False}
    try:
        # Pillow's, also where torchvision is installed: the same numbers on every machine.
        processor = auto.AutoImageProcessor.from_pretrained(asked.model, backend="pil", **source)
        network, told = auto.VitPoseForPoseEstimation.from_pretrained(
            asked.model, use_safetensors=True, output_loading_info=True, **source
        )
        network = network.to(chosen_device(asked.device)).float().eval()
    # A torch without CUDA answers "cuda" with an AssertionError.
    except (OSError, ValueError, RuntimeError, ImportError, AssertionError, SafetensorError) as error:
        raise _unfit(asked, f"cannot be loaded: {error}") from error
    if told["missing_keys"]:
        raise _unfit(asked, f"has no weights for {sorted(told['missing_keys'])[0]}")
    if network.config.num_labels not in MAPPINGS:
        numbers = " or ".join(map(str, MAPPINGS))
        raise _unfit(asked, f"tells {network.config.num_labels} points, expected {numbers}")
    name = model_name(asked.model, network.config)
    return PoseModel(name, asked.batch, asked.least_score, finder, network, processor)


def _largest(found: Sequence[Detection], least_score: float) -> list[Detection]:
    believed = [one for one in found if one.score >= least_score and one.box.area > 0]
    return sorted(believed, key=lambda one: -one.score * one.box.area)[:_MOST_PEOPLE]


def _coco_box(found: Detection) -> list[float]:
    """Left, top, width, height [px]."""
    return [found.box.left, found.box.top, found.box.width, found.box.height]


def _joined(told: Mapping[str, Any]) -> Points:
    """x, y and score of a person: (n_points, 3). A heat map may rise a little above 1."""
    scores = told["scores"].numpy().reshape(-1, 1).clip(0, 1)
    return np.concatenate([told["keypoints"].numpy(), scores], axis=1).astype(np.float32)


def _unfit(asked: Pose, what: str) -> InputError:
    fix = "Check pose.model, revision and device, or name a VitPose model that is published as safetensors"
    return InputError(asked.model, [Problem(_KEY, f"{asked.model} {what}", fix)])
