"""Is the trainer as fast as a plain loop, and how does it compare with transformers' Trainer?

    python benchmarks/trainer_speed.py [--turns N] [--clips N]

The same student, clips, batch size, optimiser, clipping and learning rates under
three loops, in turns in one process on a CPU with one thread: train_reference's;
a plain loop over a DataLoader as most scripts have it; transformers' Trainer,
with everything off that it does beside training. Sequences of 8 to 64 steps of
64 numbers. A figure is clips a second, the median over turns; a ratio the median
of the ratios in a turn.

Exits with 1 if the trainer is slower than the plain loop, or under 1.3 times Trainer.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack, redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader
from trainer_parts.drawn import drawn_clips, drawn_sequences
from transformers import Trainer, TrainingArguments
from transformers.utils.logging import disable_progress_bar

from train_reference.curriculum.arms import make_arm
from train_reference.data.batch import Padded
from train_reference.losses import make_loss
from train_reference.models.student import Student, StudentConfig
from train_reference.settings import read_settings
from train_reference.training.loop import Loop
from train_reference.training.rate import rate
from train_reference.training.run import open_accelerator
from train_reference.training.task import Task

WIDTH_IN, N_CLASSES, BATCH, EPOCHS = 64, 4, 32, 2
AT_LEAST = {"plain loop": 1.0, "Trainer": 1.3}
CONFIG = StudentConfig(
    encoders={"images": "transformer"},
    widths_in={"images": WIDTH_IN},
    n_outputs=N_CLASSES,
    width=64,
    depth=2,
    n_heads=4,
)
SETTINGS = read_settings(
    [
        "arm=given",
        "threads=1",
        f"schedule.batch_size={BATCH}",
        f"schedule.epochs={EPOCHS}",
        "schedule.evaluate_every=1000",
    ]
)


def main() -> int:
    """Print the speeds; 1 if a ratio is too small."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--clips", type=int, default=2048)
    asked = parser.parse_args()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}"
    print(f"{machine}, load {os.getloadavg()[0]:.1f}")
    loops = {"train_reference": _ours, "plain loop": _plain, "Trainer": _trainer}
    speeds: dict[str, list[float]] = {name: [] for name in loops}
    for turn in range(asked.turns + 1):
        for name, loop in loops.items():
            took_s = loop(asked.clips)
            if turn:  # the first one warms up
                speeds[name].append(EPOCHS * asked.clips / took_s)
    for name, several in speeds.items():
        print(f"{name:16} {median(several):7.0f} clips a second  ({min(several):.0f} to {max(several):.0f})")
    below = [_is_below(speeds, name) for name in AT_LEAST]
    return int(any(below))


def _is_below(speeds: dict[str, list[float]], name: str) -> bool:
    times = median(a / b for a, b in zip(speeds["train_reference"], speeds[name], strict=True))
    print(f"{times:.2f} times the {name} (at least {AT_LEAST[name]})")
    return times < AT_LEAST[name]


def _ours(n_clips: int) -> float:
    accelerator = open_accelerator(SETTINGS)
    clips, sequences = drawn_clips(n_clips, N_CLASSES), drawn_sequences(n_clips, WIDTH_IN)
    loss = make_loss("soft_cross_entropy", "none", torch.ones(N_CLASSES))
    rows = np.arange(BATCH)
    task = Task(clips, {"images": sequences}, make_arm("given", clips, 0), loss, rows, clips.given[rows])
    with tempfile.TemporaryDirectory() as folder:
        loop = Loop(task, _student(), SETTINGS, Path(folder) / "checkpoint", accelerator)
        began_s = time.perf_counter()
        loop.run(lambda row: None)
        return time.perf_counter() - began_s


def _plain(n_clips: int) -> float:
    student, n_steps = _student(), EPOCHS * -(-n_clips // BATCH)
    loader = DataLoader(_items(n_clips), BATCH, shuffle=True, collate_fn=_collated)  # type: ignore[arg-type]
    optimiser = torch.optim.AdamW(student.parameters(), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate(step, n_steps, 0.1))
    began_s = time.perf_counter()
    for _ in range(EPOCHS):
        for batch in loader:
            logits = student({"images": Padded(batch["values"], batch["lengths"])})
            nn.functional.cross_entropy(logits, batch["labels"]).backward()
            nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
    return time.perf_counter() - began_s


class _ForTrainer(nn.Module):
    """The student as Trainer wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.student = _student()

    def forward(
        self, values: torch.Tensor, lengths: torch.Tensor, labels: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        logits = self.student({"images": Padded(values, lengths)})
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def _trainer(n_clips: int) -> float:
    disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), ExitStack() as stack:
        warnings.simplefilter("ignore")
        stack.enter_context(redirect_stdout(StringIO()))  # it prints what it took
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=BATCH,
            num_train_epochs=EPOCHS,
            learning_rate=1e-3,
            weight_decay=0.05,
            lr_scheduler_type="cosine",
            warmup_steps=0.1,
            max_grad_norm=1.0,
            optim="adamw_torch_fused",
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        )
        trainer = Trainer(_ForTrainer(), arguments, _collated, _items(n_clips))  # type: ignore[arg-type]
        began_s = time.perf_counter()
        trainer.train()
        return time.perf_counter() - began_s


def _student() -> Student:
    torch.manual_seed(0)
    return Student(CONFIG)


def _items(n_clips: int) -> list[dict[str, Any]]:
    clips, sequences = drawn_clips(n_clips, N_CLASSES), drawn_sequences(n_clips, WIDTH_IN)
    return [
        {"values": torch.from_numpy(np.array(sequences.of(row))), "label": int(clips.given[row])}
        for row in range(n_clips)
    ]


def _collated(items: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    return {
        "values": nn.utils.rnn.pad_sequence([item["values"] for item in items], batch_first=True),
        "lengths": torch.tensor([len(item["values"]) for item in items]),
        "labels": torch.tensor([item["label"] for item in items]),
    }


if __name__ == "__main__":
    sys.exit(main())
