"""Ties: pairs of clips that must not stand on two sides of a split, and why."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from curate import tables
from curate.recipe import Together

Found = Iterable[tuple[str, str, float | None]]
"""Ids of both clips, and how strongly they are tied, where that is a number."""


def tie_table(found: dict[str, Found]) -> pl.DataFrame:
    """Table `ties` from pairs by kind: the lesser id first, and of a pair found twice the strongest."""
    rows: list[dict[str, object]] = [
        {"clip_id": min(one, other), "other": max(one, other), "kind": kind, "strength": strength}
        for kind, pairs in found.items()
        for one, other, strength in pairs
        if one != other
    ]
    made = tables.table("ties", rows).sort("strength", descending=True, nulls_last=True)
    return made.unique(["clip_id", "other", "kind"], keep="first", maintain_order=True).sort(
        "clip_id", "other", "kind"
    )


def units(clips: pl.DataFrame, ties: pl.DataFrame, together: Collection[Together]) -> list[str]:
    """Names of what goes to one side as a whole: (n_clips,).

    Clips belong together that share a group or a recording or are tied, and so do
    those that belong with one of them. The name is the least id among them.

    Args:
        clips: Table clips.
        ties: Table ties; ties of clips that are not in `clips` do not count.
        together: Which of these reasons count.
    """
    ids = clips["clip_id"].to_list()
    place = {clip_id: row for row, clip_id in enumerate(ids)}
    shared = [column for column in ("group", "recording") if column in together]
    links = [link for column in shared for link in _shared(clips, column)]
    counted = ties.filter(pl.col("kind").is_in(list(together)))
    links += [
        (place[one], place[other])
        for one, other in counted.select("clip_id", "other").iter_rows()
        if one in place and other in place
    ]
    return _least(ids, links)


def _shared(clips: pl.DataFrame, column: str) -> list[tuple[int, int]]:
    """Each clip with the first that has the same value."""
    rows = clips.select(column).with_row_index("row").drop_nulls()
    first = rows.select("row", first=pl.col("row").min().over(column))
    return [(one, other) for one, other in first.iter_rows() if one != other]


def _least(ids: Sequence[str], links: Sequence[tuple[int, int]]) -> list[str]:
    if not ids:
        return []
    pairs = np.array(links, dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ids), len(ids)))
    _, component = connected_components(graph, directed=False)
    least: dict[int, str] = {}
    numbers = component.tolist()
    for number, clip_id in zip(numbers, ids, strict=True):
        least[number] = min(least.get(number, clip_id), clip_id)
    return [least[number] for number in numbers]
