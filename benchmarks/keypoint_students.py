"""Does an MLP over three streams of key points match a graph network, as arXiv 2602.08057 says?

    python benchmarks/keypoint_students.py [--seeds N] [--clips N] [--subjects N]

Both students learn the true classes of drawn people from their key points (as a
pose estimator would find them, with its errors), with the same loop, steps and
encoder over time, and are tried on subjects that neither was trained on.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from trainer_parts.drawn_people import drawn_people
from trainer_parts.graph import GraphEncoder

from train_reference.curriculum.arms import make_arm
from train_reference.data.clips import Clips
from train_reference.data.sequences import Sequences
from train_reference.evaluation.comparison import compare, table
from train_reference.evaluation.predict import predict
from train_reference.losses import make_loss
from train_reference.models.keypoints import WIDTH
from train_reference.models.student import Student, StudentConfig
from train_reference.settings import Settings, read_settings
from train_reference.training.loop import Loop
from train_reference.training.run import open_accelerator
from train_reference.training.task import Task

WIDTH_OUT = 64
SETTINGS = ["arm=given", "threads=1", "schedule.epochs=20", "optimiser.learning_rate=2e-3"]


def main() -> int:
    """Print what each reaches."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--clips", type=int, default=480)
    parser.add_argument("--subjects", type=int, default=40)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        clips, sequences = drawn_people(asked.clips, asked.subjects, Path(folder))
        said: dict[str, list[np.ndarray]] = {}
        for name in ("MLP", "graph"):
            said[name] = [_said(name, seed, clips, sequences, Path(folder)) for seed in range(asked.seeds)]
    rows = clips.rows("test")
    found = compare(said, clips.label[rows], clips.groups[rows], range(asked.seeds), beside=("graph",))
    print(f"{found.n_clips} test clips of {found.n_groups} subjects, {asked.seeds} seeds")
    print(table(found))
    return 0


def _said(name: str, seed: int, clips: Clips, sequences: Sequences, folder: Path) -> np.ndarray:
    settings = read_settings([*SETTINGS, f"seed={seed}"])
    student = _student(name, settings, len(clips.classes))
    student.scalings["keypoints"].fit(sequences, clips.rows("train"))  # type: ignore[operator]
    loss = make_loss("soft_cross_entropy", "none", torch.ones(len(clips.classes)))
    rows, accelerator = clips.rows("validation"), open_accelerator(settings)
    task = Task(clips, {"keypoints": sequences}, make_arm("given", clips, 0), loss, rows, clips.label[rows])
    began_s = time.process_time()
    Loop(task, student, settings, folder / f"{name}-{seed}", accelerator).run(lambda row: None)
    if not seed:
        n_weights = sum(each.numel() for each in student.encoders.parameters())
        print(
            f"{name:12} {n_weights:,} weights, {time.process_time() - began_s:.0f} CPU s",
            flush=True,
        )
    return predict(student, loss, {"keypoints": sequences}, clips.rows("test"), device=accelerator.device)


def _student(name: str, settings: Settings, n_classes: int) -> Student:
    torch.manual_seed(settings.seed)
    config = StudentConfig(
        encoders={"keypoints": "keypoints"},
        widths_in={"keypoints": WIDTH},
        n_outputs=n_classes,
        width=WIDTH_OUT,
        depth=1,
    )
    student = Student(config)
    if name != "MLP":
        encoder: nn.Module = GraphEncoder(
            WIDTH_OUT, config.depth, config.n_heads, config.patch, config.dropout
        )
        student.encoders["keypoints"] = encoder
    return student


if __name__ == "__main__":
    sys.exit(main())
