"""The loop: phases, epochs, steps; looked at on validation, kept in checkpoints."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn

from train_reference.curriculum.targets import Targets
from train_reference.data.batch import Batch
from train_reference.data.feed import feed
from train_reference.evaluation.metrics import all_metrics
from train_reference.evaluation.predict import predict
from train_reference.settings import Settings
from train_reference.training.checkpoint import (
    Tensors,
    optimiser_tensors,
    read_checkpoint,
    restore_optimiser,
    taken,
    write_checkpoint,
)
from train_reference.training.optimiser import make_optimiser, set_rate
from train_reference.training.phases import Phase, phases, steps_per_epoch
from train_reference.training.place import Place
from train_reference.training.rate import rate
from train_reference.training.step import Stepper
from train_reference.training.task import Rows, Task, batches_left

Told = Callable[[Mapping[str, Any]], None]
"""Called with a row of the curves."""


class Loop:
    """Trains a student on a task; goes on from its checkpoint where there is one."""

    def __init__(
        self, task: Task, student: nn.Module, settings: Settings, folder: Path, accelerator: Accelerator
    ) -> None:
        """Nothing is trained yet.

        Args:
            task: What is learned.
            student: With weights as they begin; with the best ones in the end.
            settings: All of them.
            folder: Where the checkpoint lies, or will.
            accelerator: Of this process.
        """
        self._task, self._student, self._settings = task, student, settings
        self._folder, self._accelerator = folder, accelerator
        schedule = settings.schedule
        self.phases = phases(list(task.sequences), task.n_labelled, schedule)
        self._look_every = schedule.evaluate_every * steps_per_epoch(task.n_labelled, schedule)
        self._weights = torch.from_numpy(task.arm.weights).to(accelerator.device)
        self._best: Tensors = {}
        self._losses: list[torch.Tensor] = []
        self.place = Place()

    def run(self, told: Told) -> None:
        """Train to the end; the student then has the weights that were best on validation."""
        kept = self._restored()
        model = self._accelerator.prepare(self._compiled())
        for phase in self.phases[self.place.phase :]:
            stepper = self._stepper(model, phase, kept)
            kept = None
            while self.place.step < phase.n_steps and not self._is_stale:
                self._epoch(phase, stepper, told)
            self.place.next_phase()
        self._student.load_state_dict(self._best)

    def _epoch(self, phase: Phase, stepper: Stepper, told: Told) -> None:
        order = batches_left(self._task, phase, self.place, self._settings)
        shares = [self._share(batch) for batch in order]
        fed = feed(
            self._task.sequences, (part for share in shares for part in share), self._accelerator.device
        )
        stepper.model.train()
        for batch, share in zip(order, shares, strict=True):
            self._step(phase, stepper, batch, [next(fed) for _ in share])
            if self.place.step % self._look_every == 0 or self.place.step == phase.n_steps:
                told(self._look(phase, stepper))
                if self._is_stale:
                    return
        self.place.next_epoch()

    def _step(self, phase: Phase, stepper: Stepper, batch: Rows, parts: Sequence[Batch]) -> None:
        # Dropout depends on the step alone, so that a run that goes on draws what it would have drawn.
        seed = (self._settings.seed, phase.number, self.place.step, self._accelerator.process_index)
        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        set_rate(stepper.optimiser, rate(self.place.step, phase.n_steps, self._settings.optimiser.warm_up))
        weight = float(self._task.arm.weights[batch].sum())
        counts = len(batch) > self._accelerator.process_index
        self._losses.append(stepper.step(parts, weight, self.place.step / phase.n_steps, counts=counts))
        self.place.next_step()

    def _share(self, batch: Rows) -> list[Rows]:
        """This process's clips of a batch, in as many parts as gradients are added up of."""
        own = batch[self._accelerator.process_index :: self._accelerator.num_processes]
        if not len(own):
            own = batch[:1]  # it has to take part in the step, but does not count
        return np.array_split(own, min(len(own), self._settings.optimiser.accumulate))

    def _look(self, phase: Phase, stepper: Stepper) -> dict[str, Any]:
        """Look at validation, keep the best weights of joint training, and write a checkpoint."""
        said = predict(
            stepper.model,
            self._task.loss,
            self._task.sequences,
            self._task.validation,
            device=self._accelerator.device,
            only=phase.only,
            batch_size=self._settings.schedule.batch_size,
            accelerator=self._accelerator,
        )
        measures = all_metrics(said, self._task.validation_truth)
        if phase.only is None and self.place.looked(measures):
            self._best = taken(self._student.state_dict())
        done = sum(each.n_steps for each in self.phases[: phase.number]) + self.place.step
        row = {
            "phase": phase.name,
            "step": self.place.step,
            "progress": done / sum(each.n_steps for each in self.phases),
            "loss": self._mean_loss(),
            **measures,
        }
        self.place.curves.append(row)
        self._keep(stepper)
        return row

    def _mean_loss(self) -> float:
        """Since the last look, over all processes."""
        mean = torch.stack(self._losses).mean()
        self._losses = []
        return float(self._accelerator.reduce(mean, "sum"))

    @property
    def _is_stale(self) -> bool:
        patience = self._settings.schedule.patience
        return patience is not None and self.place.stale_looks >= patience

    def _keep(self, stepper: Stepper) -> None:
        if self._accelerator.is_main_process:
            tensors = {
                **{f"student.{name}": one for name, one in self._student.state_dict().items()},
                **{f"best.{name}": one for name, one in self._best.items()},
                **{f"targets.{name}": one for name, one in stepper.targets.tensors().items()},
                **optimiser_tensors(stepper.optimiser),
            }
            write_checkpoint(self._folder, tensors, asdict(self.place))
        self._accelerator.wait_for_everyone()

    def _restored(self) -> Tensors | None:
        """Take up the place and weights of a checkpoint; its other tensors."""
        found = read_checkpoint(self._folder)
        if found is None:
            return None
        tensors, facts = found
        self.place = Place(**facts)
        self._student.load_state_dict(_under("student.", tensors))
        self._best = _under("best.", tensors)
        return tensors

    def _stepper(self, model: nn.Module, phase: Phase, kept: Tensors | None) -> Stepper:
        optimiser = self._accelerator.prepare(make_optimiser(self._student, self._settings.optimiser))
        targets = Targets(self._task.arm, self._settings.curriculum, self._accelerator.device)
        if kept is not None:
            restore_optimiser(optimiser, kept)
            targets.load(_under("targets.", kept))
        return Stepper(
            self._accelerator,
            model,
            optimiser,
            self._task.loss,
            self._task.arm,
            targets,
            self._weights,
            phase.only,
            self._settings.optimiser.clip_norm,
        )

    def _compiled(self) -> nn.Module:
        how = self._settings.compile
        if how == "on" or (how == "auto" and self._accelerator.device.type == "cuda"):
            return cast(nn.Module, torch.compile(self._student, dynamic=True))
        return self._student


def _under(prefix: str, tensors: Tensors) -> Tensors:
    return {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}
