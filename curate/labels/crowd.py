"""Crowd: people who answered too few clips to be known apart, counted together."""

from dataclasses import replace

import numpy as np

from curate.labels.evidence import Evidence, Instrument, Ints

MOST_CELLS = 20_000_000
"""Numbers that the confusions of all instruments may hold: 160 megabytes."""


def with_crowds(evidence: Evidence, most_cells: int = MOST_CELLS) -> Evidence:
    """Count people with few answers together where confusions for each would not fit into memory.

    A million people with one vote each on ten classes would need a hundred
    million numbers, learned from a million votes. One vote cannot tell a
    person from the others anyway: with one vote a person the likelihood of
    the votes is the same however much people differ.

    Args:
        evidence: As it was coded.
        most_cells: Columns times classes that are kept; above, people who
            answered fewer than 2 clips join their group's crowd, then fewer
            than 3, and so on until the rest fits or nobody is left.

    Returns:
        The same evidence where it fits. Else a person who joined is no
        instrument of their own any more: their votes add up, clip by clip, to
        those of "others of <group>", as `count` adds up anonymous people.
        Only people who answer in classes join.
    """
    sizes = np.diff(evidence.offsets)
    if sizes.sum() * evidence.n_classes <= most_cells:
        return evidence
    is_person = np.array([instrument.kind == "human" for instrument in evidence.instruments], dtype=bool)
    answered = np.where(is_person & evidence.is_class_valued, evidence.clips_answered, np.iinfo(np.int64).max)
    return _joined(evidence, answered < _least(answered, sizes, most_cells // evidence.n_classes))


def _least(answered: Ints, sizes: Ints, most_columns: int) -> int:
    """Smallest number of answers such that the columns of those with at least as many fit."""
    possible = np.unique(answered[answered < np.iinfo(np.int64).max])
    for least in possible.tolist():
        if sizes[answered >= least].sum() <= most_columns:
            return int(least)
    return int(possible.max(initial=-1)) + 1


def _joined(evidence: Evidence, joins: np.ndarray) -> Evidence:
    """The evidence with some instruments as crowds."""
    if not joins.any():
        return evidence
    groups = {evidence.instruments[index].group for index in np.flatnonzero(joins)}
    stay = [evidence.instruments[index] for index in np.flatnonzero(~joins)]
    taken = {instrument.name for instrument in stay}
    crowds = {
        group: Instrument(_free(f"others of {group}", taken), "human", evidence.classes, group)
        for group in sorted(groups)
    }
    instruments = tuple(sorted([*stay, *crowds.values()], key=lambda instrument: instrument.name))
    place = {instrument.name: index for index, instrument in enumerate(instruments)}
    moved = np.array(
        [
            place[crowds[instrument.group].name if join else instrument.name]
            for instrument, join in zip(evidence.instruments, joins.tolist(), strict=True)
        ],
        dtype=np.int64,
    )
    return _added_up(replace(evidence, instruments=instruments, instrument=moved[evidence.instrument]))


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"other {name}"
    return name


def _added_up(evidence: Evidence) -> Evidence:
    """Rows sorted again, and equal ones added up."""
    order = np.lexsort((evidence.weight, evidence.option, evidence.instrument, evidence.item))
    item, instrument, option = (a[order] for a in (evidence.item, evidence.instrument, evidence.option))
    new = np.ones(len(item), dtype=bool)
    new[1:] = (np.diff(item) != 0) | (np.diff(instrument) != 0) | (np.diff(option) != 0)
    first = np.flatnonzero(new)
    weight = np.add.reduceat(evidence.weight[order], first)
    return replace(
        evidence, item=item[first], instrument=instrument[first], option=option[first], weight=weight
    )
