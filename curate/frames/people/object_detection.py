"""People, or faces, by a transformers model for object detection."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from curate.checkpoint import model_name
from curate.errors import InputError, MissingPartError, Problem
from curate.frames.people.boxes import Box
from curate.frames.people.finder import Detection, distinct

KEY = "frames.detector"
"""Where a recipe names it."""

_AT_ONCE = 8
"""Pictures in one pass of the model."""
_WEAKEST = 0.05
"""Findings below it are not even listed."""


@dataclass(frozen=True, slots=True)
class ObjectDetector:
    """A loaded model and its processor; one call at a time."""

    name: str
    """name@revision."""
    label: int
    """Of the class that is looked for."""
    network: Any
    processor: Any
    # torch uses every core for one call: a second at the same time would only take memory.
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def find(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        """What is in each picture, by falling score."""
        with self._one_at_a_time:
            parts = [images[first : first + _AT_ONCE] for first in range(0, len(images), _AT_ONCE)]
            return [found for part in parts for found in self._found(part)]

    def _found(self, images: Sequence[Image.Image]) -> Iterator[list[Detection]]:
        import torch

        inputs = self.processor(images=list(images), return_tensors="pt").to(self.network.device)
        with torch.inference_mode():
            outputs = self.network(**inputs)
        sizes = [(image.height, image.width) for image in images]
        for told in self.processor.post_process_object_detection(
            outputs, threshold=_WEAKEST, target_sizes=sizes
        ):
            yield distinct(self._detections(told))

    def _detections(self, told: Mapping[str, Any]) -> Iterator[Detection]:
        """Of one picture: scores of shape (n,), labels (n,), boxes (n, 4) in pixels."""
        rows = zip(told["scores"].tolist(), told["labels"].tolist(), told["boxes"].tolist(), strict=True)
        return (Detection(Box(*box), score) for score, label, box in rows if label == self.label)


def load_object_detector(model: str, revision: str | None, label: str) -> ObjectDetector:
    """Load a model from a folder or the Hub.

    Only safetensors are read and no code from a repository is run: a
    checkpoint is data.

    Args:
        model: Hub id or folder.
        revision: On the Hub.
        label: Name of the class to look for, such as person.

    Raises:
        MissingPartError: torch or transformers is not installed.
        InputError: The model cannot be loaded, is none for object detection, or does not know the class.
    """
    auto = _transformers()
    from safetensors import SafetensorError

    source: dict[str, Any] = {"revision": revision or "main", "trust_remote_code": False}
    try:
        # Pillow's, also where torchvision is installed: the same numbers on every machine.
        processor = auto.AutoImageProcessor.from_pretrained(model, backend="pil", **source)
        network, told = auto.AutoModelForObjectDetection.from_pretrained(
            model, use_safetensors=True, output_loading_info=True, **source
        )
        network = network.to(_device()).float().eval()
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        raise _unfit(model, f"cannot be loaded: {error}") from error
    # Buffers follow from the configuration; weights that are missing would be random.
    if missing := sorted(told["missing_keys"] & dict(network.named_parameters()).keys()):
        raise _unfit(model, f"has no weights for {missing[0]}")
    return ObjectDetector(
        model_name(model, network.config), _label(model, network.config, label), network, processor
    )


def object_detector_problems(model: str, revision: str | None, label: str) -> list[Problem]:
    """What its configuration alone tells against a model; its weights are not fetched."""
    try:
        auto = _transformers()
        config = auto.AutoConfig.from_pretrained(model, revision=revision or "main", trust_remote_code=False)
        _label(model, config, label)
    except MissingPartError as error:
        return [Problem(KEY, str(error))]
    except InputError as error:
        return list(error.problems)
    except (OSError, ValueError) as error:
        return list(_unfit(model, f"cannot be loaded: {error}").problems)
    return []


def _transformers() -> Any:
    """The module, whose Auto classes bear no types."""
    try:
        import torch  # noqa: F401  # what the models are computed with
        import transformers
    except ImportError as error:
        raise MissingPartError(
            f"finding people needs torch and transformers ({error}). "
            "Install them with: pip install torch transformers"
        ) from error
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # curate shows its own
    return transformers


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _label(model: str, config: Any, wanted: str) -> int:
    labels: Mapping[int, str] = config.id2label
    for number, name in sorted(labels.items()):
        if name.lower() == wanted:
            return int(number)
    raise _unfit(model, f"knows no class {wanted!r}, only {', '.join(list(labels.values())[:5])}, …")


def _unfit(model: str, what: str) -> InputError:
    fix = "Name a model for object detection that is published as safetensors"
    return InputError("recipe", [Problem(KEY, f"{model} {what}", fix)])
