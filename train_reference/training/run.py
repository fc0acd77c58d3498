"""One training, from a release's material to a folder with the trained model."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from train_reference.curriculum.arms import Arm, make_arm
from train_reference.data.clips import NO_LABEL, Clips
from train_reference.errors import Problem, TrainError
from train_reference.evaluation import plots
from train_reference.evaluation.card import card
from train_reference.evaluation.comparison import Interval, compare
from train_reference.evaluation.predict import predict
from train_reference.losses import Loss, make_loss
from train_reference.settings import Settings
from train_reference.trained import Trained
from train_reference.trained_config import TrainedConfig
from train_reference.training.loop import Loop
from train_reference.training.material import Material, make_student
from train_reference.training.task import Task

RESULT, SUMMARY, PREDICTIONS = "metrics.json", "measures.txt", "predictions.parquet"
BEGUN, CHECKPOINT = "begun.json", "checkpoint"
Told = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What a training came to."""

    said: NDArray[np.float32]
    """Shape (n_test, n_classes): probabilities of the material's test clips."""
    curves: list[dict[str, Any]]


def open_accelerator(settings: Settings) -> Accelerator:
    """Device, precision and processes: bf16 on a GPU, float32 on a CPU unless the settings say otherwise."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    precision = settings.precision
    if precision == "auto":
        precision = "bf16" if torch.cuda.is_available() else "no"
    # While a modality is trained alone, the others' weights have no gradient.
    wrapped = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(mixed_precision=precision, kwargs_handlers=[wrapped])


def train(
    material: Material, settings: Settings, folder: Path, accelerator: Accelerator, told: Told
) -> Result:
    """Train one arm, measure it on test and write everything to a folder.

    A training that was stopped goes on; one that has ended is read.

    Args:
        material: Of the release.
        settings: All of them.
        folder: Of this training alone.
        accelerator: Of this process.
        told: Called after each look at validation.

    Raises:
        TrainError: The folder holds a training with other settings or classes, or the
            release lacks what the arm learns from.
    """
    if accelerator.is_main_process:
        _begin(folder, settings, material.clips)
    accelerator.wait_for_everyone()
    if (folder / RESULT).exists():
        return _read(folder)
    arm = make_arm(settings.arm, material.clips, settings.seed)
    loss = _loss(arm, settings)
    student, config = make_student(material, settings, loss.n_outputs)
    loop = Loop(
        _task(material, arm, loss), student.to(accelerator.device), settings, folder / CHECKPOINT, accelerator
    )
    with _logged(folder, accelerator, told) as listener:
        loop.run(listener)
    said = predict(student, loss, material.sequences, material.test, device=accelerator.device)
    result = Result(said, loop.place.curves)
    if accelerator.is_main_process:
        trained = Trained(
            student, TrainedConfig(classes=material.clips.classes, student=config, settings=settings)
        )
        _write(folder, material, trained, result)
    accelerator.wait_for_everyone()
    return result


def _task(material: Material, arm: Arm, loss: Loss) -> Task:
    clips = material.clips
    labels = clips.given if arm.learns_given else clips.label
    is_shown = np.sum([one.lengths for one in material.sequences.values()], axis=0) > 0
    rows = np.flatnonzero((clips.splits == "validation") & (labels != NO_LABEL) & is_shown)
    if not len(rows):
        column = "label_given" if arm.learns_given else "label"
        what = f"no clip of validation has one, and arm {arm.name} is chosen on it"
        raise TrainError("release", [Problem(f"column {column}", what, "Set splits.make, and publish again")])
    return Task(clips, material.sequences, arm, loss, rows, labels[rows])


def _loss(arm: Arm, settings: Settings) -> Loss:
    try:
        return make_loss(settings.loss, settings.adjust, torch.from_numpy(arm.class_counts))
    except ValueError as error:
        raise TrainError("settings", [Problem("adjust", str(error))]) from error


def _begin(folder: Path, settings: Settings, clips: Clips) -> None:
    """Write what this training is, or see that it is the one that was begun here."""
    folder.mkdir(parents=True, exist_ok=True)
    now = json.loads(json.dumps({"classes": clips.classes, **settings.model_dump()}))
    path = folder / BEGUN
    if not path.exists():
        path.write_text(json.dumps(now, indent=1), encoding="utf-8")
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        fix = "Remove this folder, or name another with --out"
        raise TrainError("training", [Problem(str(path), "is damaged", fix)]) from None
    off = [key for key in now if before.get(key) != now[key]]
    if off:
        fix = "Name another folder with --out, or remove this one"
        said = [
            Problem(key, f"was {before.get(key)} when {folder} was begun, and is {now[key]}", fix)
            for key in off
        ]
        raise TrainError("training", said)


class _logged:
    """Passes rows of the curves on, and writes them for TensorBoard."""

    def __init__(self, folder: Path, accelerator: Accelerator, told: Told) -> None:
        self._writer = SummaryWriter(str(folder / "logs")) if accelerator.is_main_process else None
        self._told = told

    def __enter__(self) -> Told:
        return self._row

    def __exit__(self, *_: object) -> None:
        if self._writer:
            self._writer.close()

    def _row(self, row: Mapping[str, Any]) -> None:
        if self._writer:
            for name, value in row.items():
                if isinstance(value, float):
                    self._writer.add_scalar(f"{row['phase']}/{name}", value, row["step"])
            self._told(row)


def _write(folder: Path, material: Material, trained: Trained, result: Result) -> None:
    clips, rows = material.clips, material.test
    truth, settings = material.truth[rows], trained.config.settings
    trained.save(folder)
    measured = compare({settings.arm: [result.said]}, truth, clips.groups[rows], [settings.seed]).measured[
        settings.arm
    ]
    plots.confusion_matrix(result.said, truth, clips.classes, folder / "confusion.png")
    plots.calibration(result.said, truth, folder / "calibration.png")
    plots.curves(result.curves, folder / "curves.png")
    n_groups = len(np.unique(clips.groups[rows]))
    text = card(trained.config, material.release, measured, len(rows), n_groups, material.truth_is)
    (folder / "README.md").write_text(text, encoding="utf-8")
    (folder / SUMMARY).write_text(
        _summary(measured, len(rows), n_groups, material.truth_is), encoding="utf-8"
    )
    pl.DataFrame(
        {
            "clip_id": [clips.clip_ids[row] for row in rows],
            "probabilities": result.said.tolist(),
            "truth": [clips.classes[label] for label in truth],
        },
        schema_overrides={"probabilities": pl.List(pl.Float32)},
    ).write_parquet(folder / PREDICTIONS)
    facts = {
        "truth": material.truth_is,
        "n_test": len(rows),
        "n_groups": n_groups,
        "measured": {
            name: {"value": one.mean, "low": one.low, "high": one.high} for name, one in measured.items()
        },
        "curves": result.curves,
    }
    # Last, as it says that all the rest is there.
    partial = folder / (RESULT + ".partial")
    partial.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    partial.replace(folder / RESULT)
    shutil.rmtree(folder / CHECKPOINT, ignore_errors=True)


def _summary(measured: Mapping[str, Interval], n_test: int, n_groups: int, truth_is: str) -> str:
    head = f"{n_test} test clips of {n_groups} groups, against {truth_is}"
    rows = [f"{name:10} {one.mean:.3f} ({one.low:.3f} to {one.high:.3f})" for name, one in measured.items()]
    return "\n".join([head, *rows])


def _read(folder: Path) -> Result:
    table = pl.read_parquet(folder / PREDICTIONS)
    facts = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    return Result(np.array(table["probabilities"].to_list(), dtype=np.float32), facts["curves"])
