"""Who learns what from which clips."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train_reference.curriculum.arms import Arm
from train_reference.curriculum.pacing import admitted
from train_reference.data.clips import Clips
from train_reference.data.sequences import Sequences
from train_reference.errors import Problem, TrainError
from train_reference.losses import Loss
from train_reference.settings import Settings
from train_reference.training.order import epoch_order
from train_reference.training.phases import Phase
from train_reference.training.place import Place

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Task:
    """Everything but the student."""

    clips: Clips
    sequences: Mapping[str, Sequences]
    arm: Arm
    loss: Loss
    validation: Rows
    """Clips that the best weights are chosen on."""
    validation_truth: NDArray[np.int64]
    """Shape (n_validation,): labels of the kind that the arm learns from."""

    @property
    def n_labelled(self) -> int:
        """Clips of train that have a label, whatever the arm."""
        return int((self.clips.label[self.clips.rows("train")] >= 0).sum())

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Shape (n_clips,): steps of each clip's longest modality."""
        return np.asarray(np.max([one.lengths for one in self.sequences.values()], axis=0))


def batches_left(task: Task, phase: Phase, place: Place, settings: Settings) -> list[Rows]:
    """The batches of the present epoch from a place on: a pure function of its arguments.

    Raises:
        TrainError: No clip has the modality that is trained alone.
    """
    rows = rows_in(task, phase, place, settings)
    if not len(rows):
        what = f"no clip of train that arm {task.arm.name} learns from has {phase.only}"
        raise TrainError("release", [Problem("modalities", what, "Leave that modality out")])
    seed = (settings.seed, phase.number, place.epoch)
    order = epoch_order(rows, task.arm.labels, task.lengths, settings.schedule, seed)
    return order[place.batch : place.batch + phase.n_steps - place.step]


def rows_in(task: Task, phase: Phase, place: Place, settings: Settings) -> Rows:
    """Clips of the present epoch: those admitted by the curriculum that have the phase's modality."""
    rows = task.arm.rows
    if task.arm.is_paced:
        paced = settings.curriculum
        progress = place.epoch_began / phase.n_steps
        rows = rows[admitted(task.arm.order_by[rows], task.arm.is_high[rows], progress, paced)]
    if phase.only is not None:
        rows = rows[task.sequences[phase.only].lengths[rows] > 0]
    return rows
