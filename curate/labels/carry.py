"""Carry: confusions learned earlier, for evidence that has grown since."""

from dataclasses import dataclass

import numpy as np

from curate.errors import InputError, Problem
from curate.labels.evidence import Evidence, Floats
from curate.labels.layout import Layout
from curate.labels.posterior import Posterior


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """An earlier fit, to go on from."""

    evidence: Evidence
    posterior: Posterior
    """What `evidence` led to."""


def carried_confusions(evidence: Evidence, where: Layout, earlier: Earlier) -> Floats:
    """Confusions of each instrument as they were; a new one's as its pool's mean: (n_columns, n_classes).

    An item that is new says nothing yet: each option is equally likely.

    Raises:
        InputError: It was fitted to other classes.
    """
    if earlier.evidence.classes != evidence.classes:
        listed = ", ".join(earlier.evidence.classes)
        raise InputError("earlier", [Problem("classes", f"it was fitted to {listed}", "Leave it out")])
    offsets, old_offsets = evidence.offsets, earlier.evidence.offsets
    sizes = np.diff(offsets)
    table = np.repeat(1 / sizes, sizes)[:, None].repeat(evidence.n_classes, axis=1)
    known = np.zeros(int(offsets[-1]), dtype=bool)
    before = {instrument: index for index, instrument in enumerate(earlier.evidence.instruments)}
    for index, instrument in enumerate(evidence.instruments):
        if instrument in before:
            old = int(old_offsets[before[instrument]])
            first, size = int(offsets[index]), int(sizes[index])
            table[first : first + size] = earlier.posterior.confusions[old : old + size]
            known[first : first + size] = True
    for pool in where.pools:
        seen = known[pool[:, 0]]
        if seen.any():
            table[pool[~seen]] = table[pool[seen]].mean(axis=0)
    return table
