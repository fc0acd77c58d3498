"""How far training has come: with the tensors, all that the next step depends on."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Place:
    """A place in the course of training; JSON can hold it."""

    phase: int = 0
    step: int = 0
    """Of the phase."""
    epoch: int = 0
    epoch_began: int = 0
    """Step of the phase."""
    batch: int = 0
    """Of the epoch."""
    stale_looks: int = 0
    """Looks at validation since the best one."""
    best: dict[str, float] | None = None
    """Measures on validation of the best weights so far."""
    curves: list[dict[str, Any]] = field(default_factory=list)
    """A row for each look."""

    def next_step(self) -> None:
        """A step was taken."""
        self.step, self.batch = self.step + 1, self.batch + 1

    def next_epoch(self) -> None:
        """An epoch has ended."""
        self.epoch, self.batch, self.epoch_began = self.epoch + 1, 0, self.step

    def next_phase(self) -> None:
        """A phase has ended."""
        self.phase, self.step, self.epoch, self.epoch_began, self.batch = self.phase + 1, 0, 0, 0, 0

    def looked(self, measures: dict[str, float]) -> bool:
        """Whether these are the best so far: by macro-F1, then by log-loss."""
        better = self.best is None or _rank(measures) > _rank(self.best)
        self.stale_looks = 0 if better else self.stale_looks + 1
        self.best = dict(measures) if better else self.best
        return better


def _rank(measures: dict[str, float]) -> tuple[float, float]:
    return measures["macro_f1"], -measures["nll"]
