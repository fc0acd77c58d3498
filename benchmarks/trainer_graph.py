"""Key points: an MLP over three streams, or a graph network? Paper B's claim, tried on drawn people.

    python benchmarks/trainer_graph.py [--seeds N] [--jobs N] [--clips N] [--subjects N]

The demo's people, as a pose estimator would find them, with their true classes;
nobody in test is in train. The same training for both encoders, which have
about as many weights; the best epoch is chosen on validation. Test is told with
95 % intervals over subjects and seeds. The answer is written down whichever way
it goes: the script fails only if an encoder learns nothing.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from trainer_parts.drawn import drawn_keypoints
from trainer_parts.graph import GraphEncoder

from train_reference.curriculum.arms import make_arm
from train_reference.data.clips import Clips
from train_reference.data.sequences import Sequences
from train_reference.evaluation.comparison import compare, table, verdict
from train_reference.losses import make_loss
from train_reference.models.keypoints import KeypointEncoder
from train_reference.models.student import Student, StudentConfig
from train_reference.settings import Settings, read_settings
from train_reference.training.loop import Loop
from train_reference.training.predict import predict
from train_reference.training.run import open_accelerator
from train_reference.training.task import Task

DRAWN_SEED = 7
SETTINGS = (
    "arm=given",
    "modalities=keypoints",
    "threads=1",
    "schedule.epochs=20",
    "optimiser.learning_rate=2e-3",
)
WIDTH, DEPTH, N_HEADS = 24, 2, 2
CHANNELS, BLOCKS = 32, 4
ENCODERS = ("mlp", "graph")
Told = tuple[NDArray[np.float32], float]
"""Probabilities of the clips of test; seconds that training took."""


def main() -> int:
    """Print both encoders side by side."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--clips", type=int, default=960)
    parser.add_argument("--subjects", type=int, default=60)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, one thread a training")
    clips, sequences = drawn_keypoints(asked.clips, asked.subjects, DRAWN_SEED)
    seeds = range(asked.seeds)
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        begun = {
            name: [pool.submit(trained, name, seed, clips, sequences) for seed in seeds] for name in ENCODERS
        }
        told = {name: [one.result() for one in several] for name, several in begun.items()}
    return _tell(told, clips, seeds)


def _tell(told: dict[str, list[Told]], clips: Clips, seeds: range) -> int:
    test = clips.rows("test")
    for name, several in told.items():
        n_weights = sum(one.numel() for one in encoder_of(name).parameters())
        seconds = np.mean([duration_s for _, duration_s in several])
        print(f"{name:6} {n_weights:7,} weights, {seconds:6.0f} s a training")
    said = {name: [probabilities for probabilities, _ in several] for name, several in told.items()}
    found = compare(said, clips.label[test], clips.groups[test], seeds, beside=("graph",))
    print(
        f"{found.n_clips} clips of {found.n_groups} people in test, {len(seeds)} seeds",
        table(found),
        sep="\n",
    )
    print(*verdict(found, "mlp"), sep="\n")
    by_chance = 1 / len(clips.classes)
    return int(any(one["uar"].low <= by_chance for one in found.measured.values()))


def trained(name: str, seed: int, clips: Clips, sequences: Sequences) -> Told:
    """Train one encoder with one seed."""
    settings = read_settings([*SETTINGS, f"seed={seed}"])
    accelerator = open_accelerator(settings)
    arm = make_arm(settings.arm, clips, seed)
    loss = make_loss(settings.loss, settings.adjust, torch.from_numpy(arm.class_counts))
    validation = clips.rows("validation")
    task = Task(clips, {"keypoints": sequences}, arm, loss, validation, clips.label[validation])
    student = student_of(name, settings, sequences, clips.rows("train"), loss.n_outputs)
    started_s = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "checkpoint"
        Loop(task, student.to(accelerator.device), settings, place, accelerator).run(lambda row: None)
    duration_s = time.perf_counter() - started_s
    said = predict(student, loss, task.sequences, clips.rows("test"), device=accelerator.device)
    return said, duration_s


def student_of(
    name: str, settings: Settings, sequences: Sequences, train: NDArray[np.int64], n_outputs: int
) -> Student:
    """The reference student with one encoder or the other."""
    torch.manual_seed(settings.seed)
    config = StudentConfig(
        encoders={"keypoints": "keypoints"},
        widths_in={"keypoints": sequences.width},
        n_outputs=n_outputs,
        width=WIDTH,
        depth=DEPTH,
        n_heads=N_HEADS,
    )
    student = Student(config)
    student.encoders["keypoints"] = encoder_of(name)
    student.scalings["keypoints"].fit(sequences, train)
    return student


def encoder_of(name: str) -> nn.Module:
    """By name."""
    if name == "graph":
        return GraphEncoder(WIDTH, CHANNELS, BLOCKS, dropout=0.1)
    return KeypointEncoder(WIDTH, DEPTH, N_HEADS, patch=1, dropout=0.1)


if __name__ == "__main__":
    sys.exit(main())
