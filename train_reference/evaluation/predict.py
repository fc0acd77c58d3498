"""What a model says of clips."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from numpy.typing import NDArray
from torch import nn

from train_reference.data.feed import feed
from train_reference.data.sequences import Sequences
from train_reference.losses import Loss


@torch.no_grad()
def predict(
    model: nn.Module,
    loss: Loss,
    sequences: Mapping[str, Sequences],
    rows: NDArray[np.int64],
    *,
    device: torch.device,
    only: str | None = None,
    batch_size: int = 64,
    accelerator: Accelerator | None = None,
) -> NDArray[np.float32]:
    """Class probabilities, shape (n_rows, n_classes).

    Clips of similar length go together; that changes nothing but the time.

    Args:
        model: A student, or a wrapped one.
        loss: Tells probabilities from outputs.
        sequences: By modality.
        rows: Clips.
        device: That the model is on.
        only: The one modality that is looked at.
        batch_size: Clips at once.
        accelerator: Of several processes, which share the clips; each gets all probabilities.
    """
    n, own = (accelerator.num_processes, accelerator.process_index) if accelerator else (1, 0)
    lengths = np.max([one.lengths for one in sequences.values()], axis=0)
    mine = rows[np.argsort(lengths[rows], kind="stable")][own::n]
    order = [mine[first : first + batch_size] for first in range(0, len(mine), batch_size)]
    was_training = model.training
    model.eval()
    said = []
    for batch in feed(sequences, order, device):
        with accelerator.autocast() if accelerator else nullcontext():
            logits = model(batch.inputs, only)
        said.append(loss.probabilities(logits.float()).cpu().numpy())
    model.train(was_training)
    pairs = [(mine, np.concatenate(said))] if said else []
    return _in_order(gather_object(pairs) if n > 1 else pairs, rows)


def _in_order(
    pairs: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    all_rows, probabilities = (np.concatenate(each) for each in zip(*pairs, strict=True))
    place = {int(row): i for i, row in enumerate(all_rows)}
    return np.asarray(probabilities[[place[int(row)] for row in rows]], dtype=np.float32)
