"""Evidence: what each instrument said about each clip, as sparse coded arrays.

An instrument is anything that speaks about a clip: the label that came with
it, a person, a questionnaire item put to a vision-language model, a
classifier. It speaks in *options*. Where its options are the classes, it is
*class-valued* and tells what the classes mean; where they are not ("never",
"often"), what it says about the classes is learned.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Kind = Literal["given", "human", "vlm", "model"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MACHINES: tuple[Kind, ...] = ("vlm", "model")
UNSEEN = "cannot be seen"
"""The option by which an instrument says that it cannot tell."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Votes = sparse.csr_array


@dataclass(frozen=True, slots=True)
class Instrument:
    """One source of opinion on clips."""

    name: str
    kind: Kind
    """given: the label shipped with the data. human: a person, or a tally of
    people. vlm: a model that sees the clip. model: any other model."""
    options: tuple[str, ...]
    """What it can answer; for a class-valued instrument the classes, in class order."""
    group: str
    """Class-valued instruments of one group are taken to be alike until their
    answers show otherwise: each one's confusions are shrunk to the group's."""
    direction: int = 0
    """+1: later options speak for higher classes, -1: for lower ones, 0: not
    known. Used where the classes are ordered."""
    soft: bool = False
    """Whether it spreads probabilities over its options."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Every answer of every instrument, one row per (clip, instrument, option).

    The four arrays have shape (n_rows,), sorted by item, instrument, option,
    each combination once. Clips and instruments are sorted by name, so that
    the order in which evidence arrived changes nothing.
    """

    classes: tuple[str, ...]
    ordinal: bool
    """Whether the classes are given from lowest to highest."""
    clip_ids: tuple[str, ...]
    instruments: tuple[Instrument, ...]
    item: Ints
    """Index into `clip_ids`."""
    instrument: Ints
    """Index into `instruments`."""
    option: Ints
    """Index into the instrument's options."""
    weight: Floats
    """Votes for the option, > 0 (0 for a voter that is muted): sums to 1 per clip and instrument, or to the
    number of people for a tally."""

    @property
    def n_items(self) -> int:
        """Number of clips."""
        return len(self.clip_ids)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def offsets(self) -> Ints:
        """First column of each instrument, and the number of columns: (n_instruments + 1,)."""
        sizes = [len(instrument.options) for instrument in self.instruments]
        return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)

    @property
    def column(self) -> Ints:
        """Column of each row when all options of all instruments stand side by side: (n_rows,)."""
        columns: Ints = self.offsets[self.instrument] + self.option
        return columns

    @property
    def owner(self) -> Ints:
        """Instrument of each column: (n_columns,)."""
        return np.repeat(np.arange(len(self.instruments)), np.diff(self.offsets))

    @property
    def is_class_valued(self) -> NDArray[np.bool_]:
        """Whether each instrument's options are the classes: (n_instruments,)."""
        return np.array([i.options == self.classes for i in self.instruments], dtype=bool)

    @property
    def is_machine(self) -> NDArray[np.bool_]:
        """Whether each instrument is a model rather than a person: (n_instruments,)."""
        return np.array([i.kind in MACHINES for i in self.instruments], dtype=bool)

    def of_rows(self, rows: Ints | NDArray[np.bool_]) -> "Evidence":
        """Some of the rows, given as a mask or as sorted indices; instruments and clips stay."""
        return replace(
            self,
            item=self.item[rows],
            instrument=self.instrument[rows],
            option=self.option[rows],
            weight=self.weight[rows],
        )

    def matrix(self, scale: Floats | None = None) -> Votes:
        """The weights as a sparse matrix (n_items, n_columns), each row times `scale` (n_rows,)."""
        data = self.weight if scale is None else self.weight * scale
        shape = (self.n_items, int(self.offsets[-1]))
        # The rows are in order already: nothing needs to be sorted or added up.
        places = (self.column.astype(np.int32), self.first_rows.astype(np.int32))
        return sparse.csr_array((data, *places), shape=shape)

    @property
    def first_rows(self) -> Ints:
        """First row of each clip, and the number of rows: (n_items + 1,)."""
        sizes = np.bincount(self.item, minlength=self.n_items)
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64, copy=False)

    def class_votes(self, weights: Floats | None = None) -> Floats:
        """Votes for each class by the class-valued instruments: (n_items, n_classes).

        A vote counts as its column's entry in `weights` (n_columns,), or as 1.
        """
        mine = self.is_class_valued[self.instrument]
        return self.votes_by_class(slice(None) if mine.all() else np.flatnonzero(mine), weights)

    def votes_by_class(self, rows: slice | Ints, weights: Floats | None = None) -> Floats:
        """As `class_votes`, of some rows, all of class-valued instruments."""
        cell = self.item[rows] * self.n_classes
        cell += self.option[rows]
        counted = self.weight[rows] if weights is None else self.weight[rows] * weights[self.column[rows]]
        votes = np.bincount(cell, counted, self.n_items * self.n_classes)
        return votes.astype(np.float64, copy=False).reshape(self.n_items, self.n_classes)

    @property
    def is_unseen(self) -> NDArray[np.bool_]:
        """Whether each row says that the instrument cannot tell: (n_rows,)."""
        offsets = self.offsets
        unseen = np.zeros(int(offsets[-1]), dtype=bool)
        for first, instrument in zip(offsets[:-1].tolist(), self.instruments, strict=True):
            if UNSEEN in instrument.options:
                unseen[first + instrument.options.index(UNSEEN)] = True
        return unseen[self.column] if unseen.any() else np.zeros(len(self.item), dtype=bool)

    @property
    def clips_answered(self) -> Ints:
        """Clips that each instrument said something about: (n_instruments,)."""
        new = self.begins_answer(slice(None))
        return np.bincount(self.instrument[new], minlength=len(self.instruments))

    def begins_answer(self, rows: slice) -> NDArray[np.bool_]:
        """Whether each of some consecutive rows is the first of an instrument's answer on a clip."""
        # The rows are sorted by clip and instrument: an answer begins where either changes.
        item, instrument = self.item[rows], self.instrument[rows]
        new = np.ones(len(item), dtype=bool)
        new[1:] = (np.diff(item) != 0) | (np.diff(instrument) != 0)
        return new

    def find(self, kind: Kind) -> list[int]:
        """Indices of the instruments of one kind, in order."""
        return [index for index, instrument in enumerate(self.instruments) if instrument.kind == kind]
