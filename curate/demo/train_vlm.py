"""Teaches the demo's vision-language model, from random weights and drawings only.

    python -m curate.demo.train_vlm --out curate/demo/model --minutes 64

First the vision tower learns, under a throwaway linear head, what a single
picture shows. Then the whole model learns to answer, with two throwaway heads
beside it: the same one, and one that says of each option whether it holds.
Plain cross-entropy on the letter alone hardly moves in this time.

The answers must not undo the pictures. With the cue head's loss weighed 0.3
instead of 1, and 0.8 instead of 0.5 of the highest rate when the answers begin,
that loss rose from 0.24 to 0.51; with both changed it fell again.

Killed at any moment, it goes on from its last save in `--work`.
"""

import argparse
import logging
import math
import multiprocessing
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from curate.demo.cues import OPTIONS
from curate.demo.lessons import Teacher, whole_questionnaire
from curate.demo.packing import Asker
from curate.demo.student import Optimisers, Student
from curate.demo.tiny_vlm import save_checkpoint
from curate.demo.training_pictures import Pictures, draw_chunk, fill_pool
from curate.questionnaire import load_questionnaire

log = logging.getLogger(__name__)

QUESTIONNAIRE = Path(__file__).with_name("questionnaire.yaml")

COMMAND = "python -m curate.demo.train_vlm --out curate/demo/model --minutes 64"
"""Made the checkpoint that ships."""

N_CHUNKS = 92
"""Size of the pool of pictures, in chunks of `training_pictures.CHUNK` clips."""

CHECK_SEED = 30_011
"""First word of the seeds of the clips that progress is measured on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to teach."""

    out: Path
    """Folder of the checkpoint."""
    work: Path
    """Folder of what is needed to go on: the pool of pictures, weights, optimisers."""
    minutes: float
    threads: int = 1
    seed: int = 0
    vision_share: float = 0.2
    """Share of the time for the vision tower alone."""
    n_chunks: int = N_CHUNKS
    batch: int = 16
    """Clips a step; twice as many, with two pictures each, while the vision tower learns alone."""
    questions: int = 4
    """Questions a clip and step."""
    varied: float = 0.3
    """Share of questions with reordered options or other words."""
    save_every_s: float = 180.0


def train(plan: Plan) -> None:
    """Teach until the time is up; the checkpoint in `plan.out` is replaced whenever it got better."""
    torch.set_num_threads(plan.threads)
    run = _Run(plan)
    painter = multiprocessing.get_context("spawn").Process(
        target=fill_pool, args=(plan.work / "pool", plan.n_chunks), daemon=True
    )
    painter.start()
    while run.teacher.look_for_chunks() < 2:
        time.sleep(1)
    check = draw_chunk(0, CHECK_SEED, 128, as_demo=True)
    while run.spent_s < plan.minutes * 60:
        began = time.monotonic()
        run.step()
        run.spent_s += time.monotonic() - began
        if run.spent_s - run.saved_s > plan.save_every_s:
            run.save(check)
            run.teacher.look_for_chunks()
    run.save(check)
    painter.terminate()


@torch.no_grad()
def measure(student: Student, asker: Asker, clips: Pictures) -> tuple[Tensor, float]:
    """Share of right letters for each item, shape (n_items,), and the mean loss of the right letter."""
    right, losses = [], []
    for start in range(0, len(clips.answers), 16):
        lesson = whole_questionnaire(asker, clips.some(range(start, min(start + 16, len(clips.answers)))))
        tokens, deeper, _ = student.see(lesson)
        answer, _, _ = student.answer(lesson, tokens, deeper)
        right.append((answer.argmax(-1) == lesson.right).float())
        losses.append(functional.cross_entropy(answer.flatten(0, 1), lesson.right.flatten()).item())
    return torch.cat(right).mean(dim=0), float(np.mean(losses))


class _Run:
    """Where the teaching is: weights, optimisers, time spent."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.student = plan, Student(plan.seed)
        self.optimisers = Optimisers(self.student)
        self.spent_s, self.saved_s, self.n_steps, self.best = 0.0, 0.0, 0, math.inf
        self.recent: list[tuple[float, float, float]] = []
        if self._state_file.exists():
            self._resume()
        self.asker = Asker(self.student.tokenizer, load_questionnaire(QUESTIONNAIRE))
        rng = np.random.default_rng((plan.seed, self.n_steps))
        self.teacher = Teacher(self.asker, plan.work / "pool", rng)

    def step(self) -> None:
        """Learn from one batch."""
        plan, student = self.plan, self.student
        share = self.spent_s / (plan.minutes * 60)
        alone, letters, right = share < plan.vision_share, 0.0, 0.0
        if alone:
            lesson = self.teacher.lesson(2 * plan.batch, 1, varied=0.0, n_pictures=2)
        else:
            lesson = self.teacher.lesson(plan.batch, plan.questions, varied=plan.varied)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            tokens, deeper, loss = student.see(lesson)
            cues = loss.item()
            if not alone:
                answering, letters, right = student.answer_loss(lesson, tokens, deeper)
                loss = answering + loss
        self.optimisers.step(loss, list(student.parameters()), _pace(share, plan.vision_share, self.n_steps))
        self.n_steps += 1
        self._tell((cues, letters, right))

    def save(self, check: Pictures) -> None:
        """Measure, keep the state, and ship the checkpoint if it got better."""
        self.saved_s = self.spent_s
        right, loss = measure(self.student, self.asker, check)
        per_item = " ".join(f"{name} {share:.3f}" for name, share in zip(OPTIONS, right, strict=True))
        log.info("%5.0f s  check: %s | mean %.4f nll %.4f", self.spent_s, per_item, right.mean(), loss)
        if loss < self.best:
            self.best = loss
            save_checkpoint(self.plan.out, self.student.model, self.student.tokenizer)
        state = {
            "student": self.student.state_dict(),
            "optimisers": self.optimisers.state_dict(),
            "numbers": (self.spent_s, self.n_steps, self.best),
        }
        unfinished = self._state_file.with_suffix(".tmp")
        torch.save(state, unfinished)
        unfinished.replace(self._state_file)

    @property
    def _state_file(self) -> Path:
        return self.plan.work / "state.pt"

    def _resume(self) -> None:
        saved = torch.load(self._state_file, weights_only=True)
        self.student.load_state_dict(saved["student"])
        self.optimisers.load_state_dict(saved["optimisers"])
        self.spent_s, self.n_steps, self.best = saved["numbers"]
        self.saved_s = self.spent_s
        log.info("going on after %.0f s", self.spent_s)

    def _tell(self, figures: tuple[float, float, float]) -> None:
        self.recent.append(figures)
        if len(self.recent) == 50:
            means = np.mean(self.recent, axis=0).tolist()
            self.recent.clear()
            log.info(
                "%5.0f s  step %d  cues %.4f  letters %.4f  right %.4f", self.spent_s, self.n_steps, *means
            )


def _pace(share: float, turn: float, n_steps: int) -> float:
    """Learning rate as a share of the highest: a half cosine in each part, the first one not to the end."""
    warm = min(1.0, (n_steps + 1) / 50)
    if share < turn:
        return warm * (0.35 + 0.65 * 0.5 * (1 + math.cos(math.pi * share / turn)))
    return warm * (0.01 + 0.49 * 0.5 * (1 + math.cos(math.pi * min(1.0, (share - turn) / (1 - turn)))))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "curate_demo_vlm")
    parser.add_argument("--minutes", type=float, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    chosen.work.mkdir(parents=True, exist_ok=True)
    train(Plan(**vars(chosen)))


if __name__ == "__main__":
    main()
