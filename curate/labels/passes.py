"""Passes: what each round of the fit does with every clip, some thousand clips at a time.

A pass goes over arrays of (n_items, n_classes) many times: sums, maxima,
exponentials. Taken whole they leave the processor's cache between any two of
these, and need as much memory again; a block of clips does neither.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from curate.labels.evidence import Evidence, Floats, Ints, Votes
from curate.labels.rows import TOGETHER, softmax_in_place
from curate.labels.start import smoothed_shares
from curate.labels.trust import Scales


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Consecutive clips and the answers about them."""

    clips: slice
    """Their places among all clips."""
    heard: Votes
    """Answers as far as they count while confusions are estimated: (n_clips, n_columns)."""
    cell: NDArray[np.int32]
    """Place of each vote among the block's clips x classes: (n_votes,)."""
    column: NDArray[np.int32]
    """(n_votes,)"""
    weight: Floats
    """(n_votes,)"""
    voted: NDArray[np.bool_]
    """Clips with votes: (n_clips, 1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Passes:
    """All clips in blocks, and what stays the same from round to round."""

    blocks: tuple[Block, ...]
    spoken: Votes
    """All answers: (n_items, n_columns)."""
    by_column: Floats
    """Votes for each class by each class-valued instrument; 0 for other columns: (n_columns,)."""
    weigh: Scales
    anchored: Floats
    """1 for clips that have a share, 0 for others: (n_items,)."""

    def counts(self, target: Floats) -> Floats:
        """Expected votes for each option under each class, by classes `target`: (n_columns, n_classes).

        Clip by clip, since a row of `target` is then read once and in order:
        four times as fast as column by column.
        """
        return np.asarray(self.spoken.T @ target)

    def take_shares(self, weights: Floats, share: Floats) -> None:
        """Write the shares of votes that weigh `weights` (n_columns,) into `share`; all of 0 without votes.

        Weights are scaled to be 1 on average. Without any votes nothing changes.
        """
        total = self.by_column.sum()
        if total == 0:
            return
        weights = weights * (total / (self.by_column * weights).sum())
        for block in self.blocks:
            mine = share[block.clips]
            votes = np.bincount(block.cell, block.weight * weights[block.column], mine.size).astype(
                np.float64, copy=False
            )
            shares = smoothed_shares(votes.reshape(mine.shape), self.weigh.smoothing[block.clips])
            np.multiply(shares, block.voted, out=mine)

    def believe(self, logs: Floats, log_prior: Floats, share: Floats, target: Floats) -> None:
        """Write the belief under log confusions `logs`, drawn to `share` by the anchor, into `target`."""
        anchor = (self.weigh.anchor * self.anchored)[:, None]
        own = ((1 - self.weigh.anchor) * self.anchored)[:, None]
        for block in self.blocks:
            belief = softmax_in_place(block.heard @ logs + log_prior)
            belief *= own[block.clips]
            np.multiply(share[block.clips], anchor[block.clips], out=target[block.clips])
            target[block.clips] += belief

    def mean(self, share: Floats) -> Floats:
        """Mean share of the clips that have one; even shares if there are none."""
        if not self.anchored.any():
            return np.full(share.shape[1], 1 / share.shape[1])
        return np.asarray(np.einsum("i,ik->k", self.anchored, share) / self.anchored.sum())


def passes(evidence: Evidence, weigh: Scales, anchored: NDArray[np.bool_]) -> Passes:
    """Cut the evidence into blocks.

    Args:
        evidence: The answers.
        weigh: How much each of them counts.
        anchored: Clips that have a share: (n_items,).
    """
    voter, offsets = evidence.is_class_valued, evidence.offsets
    spoken = evidence.matrix()
    heard = spoken
    if not (weigh.loop_rows == 1).all():  # mostly all are votes, and one set of numbers is enough
        scaled = evidence.weight * weigh.loop_rows
        heard = sparse.csr_array((scaled, spoken.indices, spoken.indptr), shape=spoken.shape)
    by_column = np.bincount(spoken.indices, evidence.weight, int(offsets[-1]))
    return Passes(
        blocks=tuple(_blocks(evidence, heard, voter)),
        spoken=spoken,
        by_column=np.where(np.repeat(voter, np.diff(offsets)), by_column, 0.0),
        weigh=weigh,
        anchored=anchored.astype(np.float64),
    )


def _blocks(evidence: Evidence, heard: Votes, voter: NDArray[np.bool_]) -> Iterator[Block]:
    for first in range(0, evidence.n_items, TOGETHER):
        clips = slice(first, min(first + TOGETHER, evidence.n_items))
        rows = slice(int(heard.indptr[clips.start]), int(heard.indptr[clips.stop]))
        votes = _votes(evidence, rows, voter)
        cell = (evidence.item[votes] - first) * evidence.n_classes + evidence.option[votes]
        said = np.bincount(evidence.item[votes] - first, evidence.weight[votes], clips.stop - first)
        yield Block(
            clips=clips,
            heard=_part(heard, clips, rows),
            cell=cell.astype(np.int32),
            column=heard.indices[votes],
            weight=evidence.weight[votes],
            voted=(said > 0)[:, None],
        )


def _votes(evidence: Evidence, rows: slice, voter: NDArray[np.bool_]) -> slice | Ints:
    """Those of the rows that are of class-valued instruments; a slice, which copies nothing, if all are."""
    mine = voter[evidence.instrument[rows]]
    return rows if mine.all() else rows.start + np.flatnonzero(mine)


def _part(matrix: Votes, clips: slice, rows: slice) -> Votes:
    """Some rows of a sparse matrix, in its own memory: scipy's constructor would copy them."""
    part = sparse.csr_array((clips.stop - clips.start, matrix.shape[1]))
    part.data, part.indices = matrix.data[rows], matrix.indices[rows]
    part.indptr = matrix.indptr[clips.start : clips.stop + 1] - matrix.indptr[clips.start]
    return part
