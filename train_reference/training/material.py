"""What all arms share: clips, sequences, the truth that they are measured against."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from train_reference.data.clips import NO_LABEL, Clips
from train_reference.data.labels import read_clips
from train_reference.data.release import Release, open_release
from train_reference.data.sequences import Sequences
from train_reference.data.truth import read_truth
from train_reference.errors import Problem, TrainError
from train_reference.features.modalities import load_modalities
from train_reference.models.student import Student, StudentConfig
from train_reference.models.text import TextEncoder, load_text_weights, read_text_config
from train_reference.settings import Settings


@dataclass(frozen=True, slots=True)
class Material:
    """An open release, ready to be trained on."""

    release: Release
    clips: Clips
    sequences: dict[str, Sequences]
    truth: NDArray[np.int64]
    """Shape (n_clips,): what test clips are measured against, `NO_LABEL` where nothing is known."""
    truth_is: str
    """Where it comes from, in words."""

    @property
    def test(self) -> NDArray[np.int64]:
        """Rows of the test clips whose truth is known and that have a modality."""
        is_shown = np.sum([one.lengths for one in self.sequences.values()], axis=0) > 0
        return np.flatnonzero((self.clips.splits == "test") & (self.truth != NO_LABEL) & is_shown)


def prepare(
    place: str, settings: Settings, cache: Path, truth: Path | None, device: torch.device
) -> Material:
    """Read a release and make its sequences.

    Args:
        place: Folder, or id on the Hub.
        settings: All of them.
        cache: Folder where sequences are kept.
        truth: CSV of what test clips really are; the release's refined labels if left out.
        device: That embeds frames.

    Raises:
        TrainError: Whatever is wrong with the release or the truth.
    """
    release = open_release(place, settings.revision)
    clips = read_clips(release, settings.config)
    sequences = load_modalities(release, clips, settings, cache, device)
    known = read_truth(truth, release, clips) if truth else clips.label
    words = truth.name if truth else "the release's refined labels, which the curated arms learn from as well"
    material = Material(release, clips, sequences, known, words)
    if not len(material.test):
        raise TrainError("truth", [Problem(str(truth or place), "tells nothing of any clip of test")])
    return material


def make_student(material: Material, settings: Settings, n_outputs: int) -> tuple[Student, StudentConfig]:
    """A student for a release's modalities, scaled by its train split; weights as the seed draws them."""
    config = student_config(material, settings, n_outputs)
    torch.manual_seed(settings.seed)
    student = Student(config)
    rows = material.clips.rows("train")
    for name, scaling in student.scalings.items():
        scaling.fit(material.sequences[name], rows)  # type: ignore[operator]
    text = student.encoders["text"] if "text" in config.encoders else None
    if isinstance(text, TextEncoder):
        load_text_weights(text, settings.text.model, settings.text.revision)
    return student, config


def student_config(material: Material, settings: Settings, n_outputs: int) -> StudentConfig:
    """Kinds and sizes of encoders."""
    kinds = {
        "images": "transformer",
        "keypoints": "keypoints",
        "features": settings.features.student,
        "text": "text",
    }
    has_text = "text" in material.sequences
    return StudentConfig.model_validate(
        {
            "encoders": {name: kinds[name] for name in material.sequences},
            "widths_in": {name: one.width for name, one in material.sequences.items() if name != "text"},
            "n_outputs": n_outputs,
            **settings.model.model_dump(),
            "text": read_text_config(settings.text.model, settings.text.revision) if has_text else None,
        }
    )
