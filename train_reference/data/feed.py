"""Batches on their way to the device."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from train_reference.data.batch import Batch, Padded
from train_reference.data.sequences import Sequences

_AHEAD = 4


def gathered(sequences: Mapping[str, Sequences], rows: NDArray[np.int64]) -> Batch:
    """Some clips with all their modalities, on the CPU."""
    return Batch(torch.from_numpy(rows), {name: one.gather(rows) for name, one in sequences.items()})


def feed(
    sequences: Mapping[str, Sequences], order: Iterable[NDArray[np.int64]], device: torch.device
) -> Iterator[Batch]:
    """Batches on a device; for a GPU they are read ahead by a thread, so that it need not wait."""
    if device.type != "cuda":
        return (moved(gathered(sequences, rows), device) for rows in order)
    return _ahead(sequences, order, device)


def _ahead(
    sequences: Mapping[str, Sequences], order: Iterable[NDArray[np.int64]], device: torch.device
) -> Iterator[Batch]:
    ready: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for rows in order:
            ready.append(pool.submit(lambda rows: _pinned(gathered(sequences, rows)), rows))
            if len(ready) > _AHEAD:
                yield moved(ready.popleft().result(), device)
        while ready:
            yield moved(ready.popleft().result(), device)


def moved(batch: Batch, device: torch.device) -> Batch:
    """The same batch on a device."""
    inputs = {
        name: Padded(
            one.values.to(device, non_blocking=True), one.lengths.to(device, non_blocking=True), one.is_full
        )
        for name, one in batch.inputs.items()
    }
    return Batch(batch.rows, inputs)


def _pinned(batch: Batch) -> Batch:
    inputs = {
        name: Padded(one.values.pin_memory(), one.lengths.pin_memory(), one.is_full)
        for name, one in batch.inputs.items()
    }
    return Batch(batch.rows, inputs)
