"""On a GPU: does the device wait for data, do 16,384 steps train, and how near is it to the matmul ceiling?

    python benchmarks/trainer_gpu.py [--tiny] [--steps N] [--batch N] [--width N] [--depth N]

Trains the ultra-long-sequence Transformer on random sequences of 16,384 steps,
kept in a memory-mapped file as the trainer keeps them, in bf16 by the trainer's
own step. Prints the machine, the time of a step, the share of it that the loop
waited for a batch, the peak memory, the achieved TFLOP/s (operations that the
model needs, forward and backward) and their share of what a large bf16 matrix
product reaches on the same device. `--tiny` runs on a CPU in
seconds: it shows that the script runs, and nothing else.

Exits with 1 if the device waits for more than 5 % of the time (not with --tiny).
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import torch
from accelerate import Accelerator
from trainer_parts.drawn import drawn_clips

from train_reference.curriculum.arms import make_arm
from train_reference.curriculum.targets import Targets
from train_reference.data.batch import Batch
from train_reference.data.feed import feed
from train_reference.data.sequences import Sequences, SequencesWriter
from train_reference.losses import make_loss
from train_reference.models.operations import step_operations
from train_reference.models.student import Student, StudentConfig
from train_reference.settings import Settings
from train_reference.training.optimiser import make_optimiser
from train_reference.training.run import open_accelerator
from train_reference.training.step import Stepper

WIDTH_IN, N_CLASSES, MOST_WAITING = 768, 4, 0.05
"""DINOv2-Base gives 768 numbers a frame."""


def main() -> int:
    """Print what was measured; 1 if the device waits too long."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--length", type=int, default=16_384, help="steps of a sequence")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--depth", type=int, default=8)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--steps", type=int, default=40, help="training steps that are timed")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--saves-memory", action="store_true")
    asked = parser.parse_args()
    if asked.tiny:
        asked.length, asked.batch, asked.width, asked.depth, asked.heads, asked.steps = 256, 2, 32, 1, 2, 3
    elif not torch.cuda.is_available():
        print("no GPU is here, and nothing was measured: --tiny shows that the script runs")
        return 0
    accelerator = open_accelerator(Settings())
    name = torch.cuda.get_device_name() if accelerator.device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}, precision {accelerator.mixed_precision}")
    with tempfile.TemporaryDirectory() as folder:
        waiting = _timed(asked, _written(asked, Path(folder)), accelerator)
    return int(waiting > MOST_WAITING and not asked.tiny)


def _timed(asked: argparse.Namespace, sequences: Sequences, accelerator: Accelerator) -> float:
    """Print times; the share of waiting."""
    device = accelerator.device
    stepper, student, config = _stepper(asked, accelerator)
    rows = np.random.default_rng(0).permutation(len(sequences.lengths))
    order = [np.resize(np.roll(rows, -asked.batch * k), asked.batch) for k in range(asked.steps + 3)]
    fed = feed({"images": sequences}, order, device)
    _step(stepper, fed)
    _step(stepper, fed)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    waits, steps = zip(*(_step(stepper, fed) for _ in range(asked.steps)), strict=True)
    step_s, waiting = median(steps), sum(waits) / sum(steps)
    ceiling = _ceiling(device, tiny=asked.tiny)
    n_weights = sum(each.numel() for each in student.parameters())
    sizes = f"width {asked.width}, depth {asked.depth}: {n_weights:,} weights"
    print(f"{asked.batch} clips of {asked.length:,} steps, {sizes}")
    print(f"step {step_s * 1000:.1f} ms, {waiting:.1%} of it waiting for data (at most {MOST_WAITING:.0%})")
    if device.type == "cuda":
        print(f"peak memory {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")
    counted = step_operations(config, {"images": (asked.batch, asked.length)})
    reached = counted / step_s / 1e12
    print(f"{reached:.3g} TFLOP/s; a matrix product reaches {ceiling:.3g}: {reached / ceiling:.0%} of it")
    return waiting


def _step(stepper: Stepper, fed: Iterator[Batch]) -> tuple[float, float]:
    """Seconds that the loop waited for the batch, and that the whole step took."""
    began_s = time.perf_counter()
    batch = next(fed)
    waited_s = time.perf_counter() - began_s
    float(stepper.step([batch], float(len(batch.rows)), 0.5))  # a number on the host: the device has ended
    return waited_s, time.perf_counter() - began_s


def _ceiling(device: torch.device, *, tiny: bool) -> float:
    """TFLOP/s of a large product of bf16 matrices, the best of several."""
    n = 256 if tiny else 8192
    a, b = (torch.randn(n, n, device=device, dtype=torch.bfloat16) for _ in range(2))
    times_s = []
    for _ in range(20):
        began_s = time.perf_counter()
        float((a @ b)[0, 0])
        times_s.append(time.perf_counter() - began_s)
    return 2 * n**3 / min(times_s) / 1e12


def _stepper(asked: argparse.Namespace, accelerator: Accelerator) -> tuple[Stepper, Student, StudentConfig]:
    torch.manual_seed(0)
    config = StudentConfig(
        encoders={"images": "transformer"},
        widths_in={"images": WIDTH_IN},
        n_outputs=N_CLASSES,
        width=asked.width,
        depth=asked.depth,
        n_heads=asked.heads,
        saves_memory=asked.saves_memory,
    )
    student = Student(config)
    device = accelerator.device
    clips = drawn_clips(_n_clips(asked), N_CLASSES)
    arm, settings = make_arm("soft", clips, 0), Settings()
    compiled = torch.compile(student) if asked.compile else student
    model = accelerator.prepare(compiled)
    optimiser = accelerator.prepare(make_optimiser(student, settings.optimiser))
    loss = make_loss("soft_cross_entropy", "none", torch.ones(N_CLASSES))
    targets = Targets(arm, settings.curriculum, device)
    weights = torch.ones(len(clips), device=device)
    stepper = Stepper(accelerator, model, optimiser, loss, arm, targets, weights, None, 1.0)
    return stepper, student, config


def _n_clips(asked: argparse.Namespace) -> int:
    return 4 * int(asked.batch)


def _written(asked: argparse.Namespace, folder: Path) -> Sequences:
    """Random sequences in half precision, as the trainer keeps embeddings."""
    rng, ids = np.random.default_rng(0), [f"{k:016x}" for k in range(_n_clips(asked))]
    with SequencesWriter(folder / "images", WIDTH_IN, "float16") as writer:
        for clip_id in ids:
            writer.add(clip_id, rng.standard_normal((asked.length, WIDTH_IN), dtype=np.float32))
        return writer.close(ids)


if __name__ == "__main__":
    sys.exit(main())
