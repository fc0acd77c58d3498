"""A trained student with all that it needs to be used again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from train_reference.data.clips import Clips
from train_reference.data.labels import read_clips
from train_reference.data.release import open_release
from train_reference.errors import Problem, TrainError, in_short
from train_reference.evaluation.predict import predict
from train_reference.features.modalities import load_modalities
from train_reference.losses import Loss
from train_reference.models.student import Student
from train_reference.trained_config import TrainedConfig

WEIGHTS, CONFIG = "model.safetensors", "config.json"


@dataclass(frozen=True, slots=True)
class Trained:
    """A student, its classes and settings."""

    student: Student
    config: TrainedConfig

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        return self.config.classes

    @property
    def loss(self) -> Loss:
        """Which tells probabilities from outputs."""
        return Loss(self.config.settings.loss, len(self.classes))

    def predict(
        self, place: str, cache: Path, revision: str | None = None
    ) -> tuple[Sequence[str], NDArray[np.float32]]:
        """Clip ids of a release, and class probabilities of each, shape (n_clips, n_classes).

        Args:
            place: A release, by folder or id.
            cache: Folder where its sequences are kept.
            revision: Of the release on the Hub.

        Raises:
            TrainError: It has other classes, or lacks a modality of the model.
        """
        release = open_release(place, revision)
        clips = read_clips(release, "default")
        self.check_classes(clips)
        device = next(self.student.parameters()).device
        sequences = load_modalities(release, clips, self.config.settings, cache, device)
        missing = [name for name in self.config.student.encoders if name not in sequences]
        if missing:
            what = f"the model was trained on {', '.join(missing)} too, which this release has not"
            raise TrainError(place, [Problem("modalities", what)])
        rows = np.arange(len(clips))
        return clips.clip_ids, predict(self.student, self.loss, sequences, rows, device=device)

    def check_classes(self, clips: Clips) -> None:
        """Refuse clips whose classes are others, or in another order.

        Raises:
            TrainError: They are.
        """
        if clips.classes != self.classes:
            what = f"has the classes {', '.join(clips.classes)}, and the model {', '.join(self.classes)}"
            fix = "The order counts: put task.classes of the recipe in the model's order, or train anew"
            raise TrainError("model", [Problem("column label", what, fix)])

    def save(self, folder: Path) -> None:
        """Write weights and configuration."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: one.contiguous().cpu() for name, one in self.student.state_dict().items()}
        save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
        (folder / CONFIG).write_text(self.config.model_dump_json(indent=1), encoding="utf-8")


def load(folder: str | Path) -> Trained:
    """A trained student from the folder that it was written to; nothing else is read.

    Raises:
        TrainError: Something is missing or damaged.
    """
    folder = Path(folder)
    try:
        config = TrainedConfig.model_validate_json((folder / CONFIG).read_text(encoding="utf-8"))
        student = Student(config.student)
        student.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, ValidationError, SafetensorError, RuntimeError) as error:
        what = f"cannot be loaded ({in_short(error)})"
        raise TrainError(
            "model", [Problem(str(folder), what, "Train it again, or copy the whole folder")]
        ) from error
    return Trained(student.eval(), config)
