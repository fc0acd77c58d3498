"""Sequences of different lengths, one modality of all clips, in one file that is mapped into memory."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from train_reference.data.batch import Padded
from train_reference.errors import Problem, TrainError

_VALUES, _PLACES = "values.npy", "places.npy"


class Sequences:
    """One modality of all clips; a clip that lacks it has length 0."""

    def __init__(self, values: NDArray[np.generic], places: NDArray[np.int64]) -> None:
        """Take over arrays.

        Args:
            values: Shape (n_steps_of_all, width), of any kind of number, or (n_steps_of_all,) token ids.
            places: Shape (n_clips, 2): where each clip begins, and how many steps it has.
        """
        self._values, self._starts, self.lengths = values, places[:, 0], places[:, 1]

    @property
    def width(self) -> int:
        """Numbers a step; 1 for token ids."""
        return int(self._values.shape[1]) if self._values.ndim > 1 else 1

    def of(self, row: int) -> NDArray[np.generic]:
        """The steps of one clip."""
        start = self._starts[row]
        return self._values[start : start + self.lengths[row]]

    def gather(self, rows: NDArray[np.int64]) -> Padded:
        """Some clips, filled up to the longest of them (one step at least)."""
        lengths = self.lengths[rows]
        n_steps = max(1, int(lengths.max(initial=0)))
        kind = np.int64 if self._values.ndim == 1 else np.float32
        filled = np.zeros((len(rows), n_steps, *self._values.shape[1:]), dtype=kind)
        for place, row in enumerate(rows):
            filled[place, : lengths[place]] = self.of(row)
        return Padded(torch.from_numpy(filled), torch.from_numpy(lengths), bool((lengths == n_steps).all()))


class SequencesWriter:
    """Writes sequences clip by clip, in bounded memory; they are there as a whole or not at all.

    Used in a `with`: whoever leaves it without `close` leaves nothing behind.
    """

    def __init__(self, folder: Path, width: int | None, kind: str, names: tuple[str, ...] = ()) -> None:
        """Begin.

        Args:
            folder: Where they will lie.
            width: Numbers a step; None for token ids.
            kind: Of the numbers as numpy names it.
            names: Of the numbers of a step, for messages.
        """
        self._folder, self._partial = folder, folder.with_name(folder.name + ".partial")
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        self._raw = (self._partial / "raw").open("wb")
        self._width, self._kind, self._names = width, np.dtype(kind), names
        self._places: dict[str, tuple[int, int]] = {}
        self._n_steps = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()
        shutil.rmtree(self._partial, ignore_errors=True)

    def add(self, clip_id: str, steps: NDArray[np.generic]) -> None:
        """Add a clip; `steps` of shape (n_steps, width), or (n_steps,) token ids.

        Raises:
            TrainError: A number is not finite, as the type that is kept has it.
        """
        with np.errstate(over="ignore"):  # told below, by name
            kept = np.ascontiguousarray(steps, dtype=self._kind)
        if self._kind.kind == "f" and not np.isfinite(kept).all():
            raise _not_finite(clip_id, kept, self._names)
        self._raw.write(kept.tobytes())
        self._places[clip_id] = (self._n_steps, len(kept))
        self._n_steps += len(kept)

    def close(self, clip_ids: Sequence[str]) -> Sequences:
        """End, and open what was written for clips in this order; those not added have no steps."""
        self._raw.close()
        shape = (self._n_steps,) if self._width is None else (self._n_steps, self._width)
        header = {"descr": np.lib.format.dtype_to_descr(self._kind), "fortran_order": False, "shape": shape}
        with (self._partial / _VALUES).open("wb") as file, (self._partial / "raw").open("rb") as raw:
            np.lib.format.write_array_header_1_0(file, header)
            shutil.copyfileobj(raw, file)
        (self._partial / "raw").unlink()
        places = [self._places.get(clip_id, (0, 0)) for clip_id in clip_ids]
        np.save(self._partial / _PLACES, np.array(places, dtype=np.int64).reshape(-1, 2))
        shutil.rmtree(self._folder, ignore_errors=True)
        self._partial.replace(self._folder)
        return open_sequences(self._folder)


def are_there(folder: Path) -> bool:
    """Whether a writer has ended here."""
    return (folder / _PLACES).exists()


def open_sequences(folder: Path) -> Sequences:
    """What a writer left, mapped into memory."""
    places = np.load(folder / _PLACES, allow_pickle=False)
    # An empty file cannot be mapped.
    mapped: Literal["r"] | None = "r" if places[:, 1].any() else None
    return Sequences(np.load(folder / _VALUES, mmap_mode=mapped, allow_pickle=False), places)


def _not_finite(clip_id: str, steps: NDArray[np.generic], names: tuple[str, ...]) -> TrainError:
    step, column = np.argwhere(~np.isfinite(steps))[0][:2]
    name = names[column] if names else f"number {column}"
    n = int((~np.isfinite(steps)).sum())
    what = f"{name} at step {step} is {steps[step, column]}, and {n - 1} more are no finite numbers"
    fix = "Leave that column out (features.columns), or mend the file it came from and publish again"
    return TrainError("release", [Problem(f"clip {clip_id}", what, fix)])
