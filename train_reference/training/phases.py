"""What is trained when: each modality alone, then all together."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from train_reference.settings import Schedule


@dataclass(frozen=True, slots=True)
class Phase:
    """Some steps with one optimiser."""

    number: int
    only: str | None
    """The modality that is trained alone; None for all together."""
    n_steps: int

    @property
    def name(self) -> str:
        """For people and logs."""
        return f"{self.only} alone" if self.only else "joint"


def phases(modalities: Sequence[str], n_labelled: int, schedule: Schedule) -> list[Phase]:
    """Each modality alone, then joint fine-tuning (arXiv 2602.08057); of one modality only the latter.

    Args:
        modalities: Those of the student.
        n_labelled: Clips of train that have a label, which does not depend on the arm: so that
            all arms take the same number of steps.
        schedule: Batch size and epochs.
    """
    per_epoch = steps_per_epoch(n_labelled, schedule)
    alone = ceil(schedule.alone_epochs * per_epoch) if len(modalities) > 1 else 0
    first = [Phase(number, only, alone) for number, only in enumerate(modalities)] if alone else []
    return [*first, Phase(len(first), None, max(1, ceil(schedule.epochs * per_epoch)))]


def steps_per_epoch(n_labelled: int, schedule: Schedule) -> int:
    """At least one."""
    return max(1, ceil(n_labelled / schedule.batch_size))
