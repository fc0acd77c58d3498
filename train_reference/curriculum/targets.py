"""What each clip is taken to be: the release's soft label, blended with what the model says itself."""

import torch

from train_reference.curriculum.arms import Arm
from train_reference.settings import Curriculum


class Targets:
    """Soft targets of all clips, and the running average of the model's predictions of each."""

    def __init__(self, arm: Arm, settings: Curriculum, device: torch.device) -> None:
        """Nothing is predicted yet."""
        self._begin = torch.from_numpy(arm.targets).to(device)  # (n_clips, n_classes)
        self._doubt = 1 - torch.from_numpy(arm.order_by).to(device)  # (n_clips,)
        self._most = settings.most if arm.is_refined else 0.0
        self._decay = settings.decay
        self._sum = torch.zeros_like(self._begin)
        self._weight = torch.zeros_like(self._doubt)

    def of(self, rows: torch.Tensor, progress: float) -> torch.Tensor:
        """Targets of some clips, shape (n_rows, n_classes).

        (1 - b) soft label + b average prediction, with b = most x progress x (1 -
        reliability): the blend grows with time, and as reliability falls (ours;
        that targets of doubtful clips are softened is paper A's, averages as
        targets are SELC's and ELR's). A clip that was not predicted yet keeps its
        soft label.
        """
        blend = self._most * progress * self._doubt[rows] * (self._weight[rows] > 0)
        return torch.lerp(self._begin[rows], self.average(rows), blend[:, None])

    def average(self, rows: torch.Tensor) -> torch.Tensor:
        """Average prediction of some clips, shape (n_rows, n_classes); zeros where there was none.

        An exponential one, divided by the weight that it has by now, as otherwise the first
        predictions would count too little.
        """
        return self._sum[rows] / self._weight[rows].clamp(min=1e-12)[:, None]

    def update(self, rows: torch.Tensor, probabilities: torch.Tensor) -> None:
        """Take in predictions, shape (n_rows, n_classes), of different clips.

        Of a clip that a sampler drew twice, one counts.
        """
        kept = 1 - self._decay
        self._sum[rows] = self._decay * self._sum[rows] + kept * probabilities
        self._weight[rows] = self._decay * self._weight[rows] + kept

    def tensors(self) -> dict[str, torch.Tensor]:
        """What a checkpoint keeps."""
        return {"sum": self._sum, "weight": self._weight}

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Put back what `tensors` gave."""
        self._sum.copy_(tensors["sum"])
        self._weight.copy_(tensors["weight"])
