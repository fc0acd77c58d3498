"""Certificates: sets of clips whose share of wrong labels is proven to be small."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from curate.errors import InputError, Problem
from curate.labels.evidence import Ints
from curate.labels.exact_test import group_p_value, labels_needed, most_errors, p_values
from curate.labels.gold_sample import Draw

ENOUGH = 5
"""Gold labels from which on the present error rate of a set is worth telling."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is proven about the clips with a score of at least `threshold`."""

    threshold: float
    """Clips from this score on are in the set; infinite if nothing could be certified."""
    n_kept: int
    """Clips in the set."""
    error_bound: float
    """The largest share of wrong labels that is not refuted: of the set, or, if none
    could be certified, of the first set that was tested. 1 if nothing was tested."""
    epsilon: float
    """Share of wrong labels that is allowed."""
    delta: float
    """Probability, over the draw of gold, that more of the set is wrong."""
    n_gold_used: int
    """Randomly drawn gold labels in the tested sets: they alone are the proof."""
    n_errors_seen: int
    """Wrong labels among them."""
    certified: bool
    statement: str
    """The same in one sentence."""
    n_more: int | None = None
    """Gold labels that, drawn anew, would certify a set at the present error rate;
    None if it is certified, or if no set seems good enough."""
    classes: tuple[tuple[int, "Certificate"], ...] = ()
    """One certificate for each class of label, which hold together; empty if not asked for."""


@dataclass(frozen=True, slots=True)
class _Set:
    """One set of clips, counted."""

    threshold: float
    n_clips: int
    n_known_wrong: int
    """Wrong ones among clips that could not be drawn."""
    n_unknown: int
    """Clips that could be drawn."""
    n_drawn: int
    n_drawn_wrong: int

    def allowed(self, epsilon: float) -> int:
        """Clips that could be drawn of which so many may be wrong; negative if there are too many already."""
        # 1e-9: 0.1 * 30 is 3.0000000000000004.
        return int(np.floor(epsilon * self.n_clips + 1e-9)) - self.n_known_wrong


def certify(
    draw: Draw | None, wrong: Ints, epsilon: float, delta: float, *, labels: Ints | None = None
) -> Certificate:
    """The largest set of the surest clips of which at most a share epsilon is wrongly labelled.

    The sets are tested in the order of the draw until one fails, each exactly and
    at level delta. A smaller epsilon or delta never keeps more of the same draw.

    Args:
        draw: How gold was drawn; None if nobody knows, which certifies nothing.
        wrong: 1 where gold says that the label under test is wrong, 0 where it
            says it is right, -1 without gold: (n_clips,). The labels must be
            those of before the draw. Drawn clips without gold count as wrong,
            so that leaving out the hard ones does not help.
        epsilon: Share of wrong labels that is allowed, between 0 and 1.
        delta: Probability with which the certificate may be wrong, between 0 and 1.
        labels: Class of each label under test, (n_clips,), to certify every
            class's part of the ranking too, delta being divided among them.

    Returns:
        True with probability 1 - delta over the draw, whatever the ranking and
        whatever gold was known before. A set larger than the first one with few
        enough errors even if all its unchecked clips were wrong needs no test.
        `certified` is False if there is none and the first set fails; then a
        new attempt needs a new draw and its own delta: two attempts hold
        together with probability 1 - 2 * delta.

    Raises:
        InputError: With every argument that is out of its range.

    Source:
        Fixed-sequence testing: Maurer, Hothorn and Lehmacher (1995), as used by
        Angelopoulos et al. (2021), Learn then Test, section 2.3,
        https://arxiv.org/abs/2110.01052. The p-values: `exact_test`.
    """
    _check(draw, wrong, epsilon, delta, labels)
    if draw is None:
        return _refusal(wrong, epsilon, delta)
    whole = _certify(draw, np.isfinite(draw.score), wrong, epsilon, delta)
    if labels is None:
        return whole
    return _with_classes(whole, draw, wrong, labels)


def kept(draw: Draw, certificate: Certificate) -> NDArray[np.bool_]:
    """Whether each clip is in the certified set: (n_clips,). Clips without a score never are."""
    found: NDArray[np.bool_] = draw.score >= certificate.threshold
    return found


def _with_classes(whole: Certificate, draw: Draw, wrong: Ints, labels: Ints) -> Certificate:
    scored = np.isfinite(draw.score)
    present = np.unique(labels[scored & (labels >= 0)]).tolist()
    share = whole.delta / max(len(present), 1)
    parts = tuple(
        (code, _certify(draw, scored & (labels == code), wrong, whole.epsilon, share)) for code in present
    )
    return replace(whole, classes=parts)


def _certify(draw: Draw, member: NDArray[np.bool_], wrong: Ints, epsilon: float, delta: float) -> Certificate:
    tested = list(_sets(draw, member, wrong, draw.thresholds.tolist()))
    passed = list(takewhile(lambda found: _p_value(draw, member, wrong, found, epsilon) <= delta, tested))
    certain = _sets(draw, member, wrong, _certain(draw, member, wrong, epsilon))
    passed += [found for found in certain if tested and found.n_clips > tested[0].n_clips]
    if not passed:
        return _failure(draw, member, wrong, tested[0] if tested else None, epsilon, delta)
    largest = max(passed, key=lambda found: found.n_clips)
    return Certificate(
        threshold=largest.threshold,
        n_kept=largest.n_clips,
        error_bound=float(np.floor(epsilon * largest.n_clips + 1e-9)) / largest.n_clips,
        epsilon=epsilon,
        delta=delta,
        n_gold_used=largest.n_drawn,
        n_errors_seen=largest.n_drawn_wrong,
        certified=True,
        statement=_assuming(draw) + _success(largest, epsilon, delta),
    )


def _certain(draw: Draw, member: NDArray[np.bool_], wrong: Ints, epsilon: float) -> list[float]:
    """Threshold of the largest set with few enough errors even if all unchecked clips are wrong."""
    rows = np.flatnonzero(member)[np.argsort(-draw.score[member], kind="stable")]
    ordered, sizes = draw.score[rows], np.arange(1, len(rows) + 1)
    fine = np.cumsum(wrong[rows] != 0) <= np.floor(epsilon * sizes + 1e-9)
    fine &= np.r_[ordered[1:] < ordered[:-1], True][: len(rows)]  # Equally sure clips stay together.
    return [float(threshold) for threshold in ordered[fine][-1:]]


def _sets(draw: Draw, member: NDArray[np.bool_], wrong: Ints, thresholds: list[float]) -> Iterator[_Set]:
    """The sets with these thresholds, in order, without empty ones."""
    drawn = np.zeros(len(wrong), dtype=bool)
    drawn[draw.clips] = True
    for threshold in thresholds:
        inside = member & (draw.score >= threshold)
        if inside.any():
            yield _Set(
                threshold=threshold,
                n_clips=int(inside.sum()),
                n_known_wrong=int((inside & ~draw.pool & (wrong != 0)).sum()),
                n_unknown=int((inside & draw.pool).sum()),
                n_drawn=int((inside & drawn).sum()),
                n_drawn_wrong=int((inside & drawn & (wrong != 0)).sum()),
            )


def _p_value(draw: Draw, member: NDArray[np.bool_], wrong: Ints, found: _Set, epsilon: float) -> float:
    if draw.groups is None:
        parts = (found.n_drawn_wrong, found.n_drawn, found.n_unknown, found.allowed(epsilon))
        return float(p_values(*parts))
    inside = member & draw.pool & (draw.score >= found.threshold)
    codes = np.unique(draw.groups, return_inverse=True)[1]
    sizes = np.bincount(codes[inside])
    sizes = np.pad(sizes, (0, codes.max() + 1 - len(sizes)))
    errors = np.bincount(codes[inside], wrong[inside] != 0, minlength=len(sizes))
    _, first = np.unique(codes[draw.clips], return_index=True)
    order = codes[draw.clips][np.sort(first)]
    known = found.n_clips - found.n_unknown
    return group_p_value(
        gains=(errors - epsilon * sizes)[order],
        largest=float(sizes.max()),  # (1 - epsilon) times that would do, but would not be monotone in epsilon
        n_groups=len(np.unique(codes[draw.pool])),
        allowed=epsilon * known - found.n_known_wrong,
    )


def _failure(
    draw: Draw, member: NDArray[np.bool_], wrong: Ints, first: _Set | None, epsilon: float, delta: float
) -> Certificate:
    more, among = _more(draw, member, wrong, epsilon, delta)
    n_gold = int((wrong[member] >= 0).sum())
    return Certificate(
        threshold=float("inf"),
        n_kept=0,
        error_bound=_first_bound(draw, first, delta),
        epsilon=epsilon,
        delta=delta,
        n_gold_used=first.n_drawn if first else 0,
        n_errors_seen=first.n_drawn_wrong if first else 0,
        certified=False,
        statement=_assuming(draw) + _no(more, among, epsilon, n_gold),
        n_more=more,
    )


def _first_bound(draw: Draw, first: _Set | None, delta: float) -> float:
    if first is None or draw.groups is not None:
        return 1.0
    hidden = most_errors(first.n_drawn_wrong, first.n_drawn, first.n_unknown, delta)
    return (first.n_known_wrong + hidden) / first.n_clips


def _more(
    draw: Draw, member: NDArray[np.bool_], wrong: Ints, epsilon: float, delta: float
) -> tuple[int | None, int]:
    """Labels that would certify the set with the fewest of them per clip, and the set's size.

    All gold is known by then; the new labels are drawn among the rest of the set.
    """
    ordered = np.sort(draw.score[member])[::-1]
    sizes = np.unique((np.linspace(0.03, 1, 20) * len(ordered)).astype(np.int64))
    found: list[tuple[int, int]] = []
    for threshold in ordered[sizes[sizes > 0] - 1].tolist():
        checked = wrong[member & (draw.score >= threshold)]
        n_wrong, n_gold, size = int((checked == 1).sum()), int((checked >= 0).sum()), len(checked)
        if n_gold < ENOUGH or n_wrong >= epsilon * n_gold:
            continue
        allowed = int(np.floor(epsilon * size + 1e-9)) - n_wrong
        needed = labels_needed(size - n_gold, allowed, n_wrong / n_gold, delta)
        if needed:  # 0 where all of a set smaller than the first one is known already
            found.append((needed, size))
    return min(found, key=lambda pair: pair[0] / pair[1], default=(None, 0))


def _refusal(wrong: Ints, epsilon: float, delta: float) -> Certificate:
    text = (
        f"Cannot certify: it is not known how the {(wrong >= 0).sum()} gold labels were drawn. "
        "Draw new ones at random; these can still help to choose among which clips."
    )
    return Certificate(float("inf"), 0, 1.0, epsilon, delta, 0, 0, False, text)


def _assuming(draw: Draw) -> str:
    return "If gold was drawn at random: " if draw.assumed else ""


def _success(found: _Set, epsilon: float, delta: float) -> str:
    return (
        f"At most {epsilon:.3g} of the labels of the {found.n_clips} clips with a score of "
        f"{found.threshold:.3g} or more are wrong, with probability {1 - delta:.3g} over the draw of gold "
        f"({found.n_drawn} drawn, {found.n_drawn_wrong} wrong)"
    )


def _no(more: int | None, among: int, epsilon: float, n_gold: int) -> str:
    if n_gold < ENOUGH:
        return (
            f"Cannot certify: {n_gold} gold labels are too few. Have clips checked that are drawn at random"
        )
    if more is None:
        return (
            "Cannot certify: no part of the surest clips seems to have few enough wrong labels "
            f"(at most {epsilon:.3g} of them)"
        )
    return (
        f"Cannot certify: {more} more gold labels, drawn at random among the {among} surest clips, "
        "would, at the present error rate"
    )


def _check(draw: Draw | None, wrong: Ints, epsilon: float, delta: float, labels: Ints | None) -> None:
    problems = [
        Problem(name, f"got {value:g}, expected a number between 0 and 1, both excluded")
        for name, value in (("epsilon", epsilon), ("delta", delta))
        if not 0 < value < 1
    ]
    if not np.isin(wrong, (-1, 0, 1)).all():
        problems.append(Problem("wrong", "expected 1, 0 or -1 for wrong, right and without gold"))
    if draw is not None and len(draw.score) != len(wrong):
        what = f"{len(wrong)} clips, but the draw was made among {len(draw.score)}"
        problems.append(Problem("wrong", what, "Pass the same clips in the same order"))
    if labels is not None and len(labels) != len(wrong):
        problems.append(Problem("labels", f"{len(labels)} labels for {len(wrong)} clips"))
    if problems:
        raise InputError("certificate", problems)
