"""Sequences that come in any order, written in the order of the clips."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train_reference.data.sequences import Sequences, SequencesWriter, are_there, open_sequences


def aligned(
    found: Iterable[tuple[str, NDArray[np.generic]]],
    clip_ids: Sequence[str],
    folder: Path,
    width: int | None,
    kind: str,
    names: tuple[str, ...] = (),
) -> Sequences:
    """Write what was found for each clip; a clip without anything has length 0.

    What lies in `folder` already is opened instead.

    Args:
        found: Clip id and steps, in any order, of other clips too.
        clip_ids: Of all clips, in order.
        folder: Where they are kept.
        width: Numbers a step; None for token ids.
        kind: Of the numbers as numpy names it.
        names: Of the numbers of a step, for messages.
    """
    if are_there(folder):
        return open_sequences(folder)
    wanted = set(clip_ids)
    with SequencesWriter(folder, width, kind, names) as writer:
        for clip_id, steps in found:
            if clip_id in wanted:
                writer.add(clip_id, steps)
        return writer.close(clip_ids)
