"""Layout: where the options of each instrument stand among the columns of all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.labels.evidence import UNSEEN, Evidence, Instrument, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Lean:
    """Which way an item's answers are expected to go with the classes."""

    direction: int
    """As `Instrument.direction`."""
    placed: NDArray[np.bool_]
    """Options that have a place among the others: (n_options,)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the options of each instrument stand among the columns."""

    pools: tuple[Ints, ...]
    """Class-valued instruments by group: columns of shape (n_instruments, n_classes)."""
    items: tuple[Ints, ...]
    """Every other instrument: columns of shape (n_options,)."""
    alike: bool = False
    """Whether the instruments of a pool share their confusions: two views of a
    class cannot be told apart by their agreement, three can (Allman, Matias and
    Rhodes 2009, theorem 1, https://doi.org/10.1214/09-AOS689)."""
    ordinal: bool = False
    """Whether neighbouring classes are taken for each other more easily than distant ones."""
    leans: tuple[Lean, ...] = ()
    """One for each item where the classes are ordered; otherwise none."""


def layout(evidence: Evidence) -> Layout:
    """Sort the instruments of `evidence` into pools and items; voters that said nothing are in no pool."""
    offsets, class_valued = evidence.offsets, evidence.is_class_valued
    heard = np.bincount(evidence.instrument, evidence.weight, len(class_valued)) > 0
    groups: dict[str, list[int]] = {}
    for index in np.flatnonzero(class_valued & heard):
        groups.setdefault(evidence.instruments[index].group, []).append(int(index))
    within = np.arange(evidence.n_classes)
    return Layout(
        pools=tuple(offsets[groups[name]][:, None] + within for name in sorted(groups)),
        items=tuple(np.arange(offsets[i], offsets[i + 1]) for i in np.flatnonzero(~class_valued)),
        alike=int(heard.sum()) < 3,
        ordinal=evidence.ordinal and evidence.n_classes > 2,
        leans=tuple(_lean(evidence.instruments[i]) for i in np.flatnonzero(~class_valued))
        if evidence.ordinal
        else (),
    )


def _lean(item: Instrument) -> Lean:
    return Lean(item.direction, np.array([option != UNSEEN for option in item.options]))
