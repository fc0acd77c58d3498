"""Who is who: findings of many moments put together to tracks, one a face or person; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, log, sqrt

import numpy as np
from scipy.optimize import linear_sum_assignment

from curate.frames.people.boxes import Box
from curate.frames.people.finder import Detection

_REACH = 1.0
"""How far the middle may move between two moments, however near, in sides of the box."""
_REACH_A_SECOND = 1.0
_LARGEST_REACH = 2.5
_LARGEST_RATIO = 2.5
"""By which the side may change between two moments."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where something was seen."""

    moment: int
    """Which of the moments, from 0."""
    box: Box
    score: float


Track = tuple[Sighting, ...]
"""Sightings of one face or person, by rising moment, at least one."""


def tracks(
    found: Sequence[Sequence[Detection]], times_s: Sequence[float], *, lost_s: float = float("inf")
) -> list[Track]:
    """Findings of the same face or person, put together (ours).

    From moment to moment the findings are assigned to what was seen before so
    that they are nearest altogether (Kuhn's Hungarian method): so a second
    person who passes by takes along her own finding, and does not steal that of
    the first. A finding is never assigned to what was too far away or of
    another size; it then begins a track.

    Args:
        found: Shape (n_moments, any): what was found at each moment, none twice;
            their order does not matter.
        times_s: Shape (n_moments,), rising.
        lost_s: What was not seen for longer is not looked for any more [s].

    Returns:
        By first moment, then by place; every finding is in one track.
    """
    ended: list[list[Sighting]] = []
    going: list[list[Sighting]] = []
    for moment, (here, now_s) in enumerate(zip(found, times_s, strict=True)):
        lost = [now_s - times_s[one[-1].moment] > lost_s for one in going]
        ended += [one for one, gone in zip(going, lost, strict=True) if gone]
        going = [one for one, gone in zip(going, lost, strict=True) if not gone]
        seen = [Sighting(moment, each.box, each.score) for each in sorted(here, key=_place)]
        waits_s = [now_s - times_s[one[-1].moment] for one in going]
        taken = _assigned([one[-1].box for one in going], waits_s, seen)
        for track, sighting in taken.items():
            going[track].append(seen[sighting])
        going += [[one] for place, one in enumerate(seen) if place not in taken.values()]
    everyone = [tuple(one) for one in ended + going]
    return sorted(everyone, key=lambda one: (one[0].moment, _edges(one[0].box)))


def _assigned(boxes: Sequence[Box], waits_s: Sequence[float], seen: Sequence[Sighting]) -> dict[int, int]:
    """Which finding (value) goes to which track (key): the sum of nearness is the largest possible."""
    if not boxes or not seen:
        return {}
    nearness = np.array(
        [
            [_nearness(box, one.box, wait_s) for one in seen]
            for box, wait_s in zip(boxes, waits_s, strict=True)
        ]
    )
    rows, columns = linear_sum_assignment(nearness, maximize=True)
    return {
        int(row): int(column) for row, column in zip(rows, columns, strict=True) if nearness[row, column] > 0
    }


def _nearness(before: Box, now: Box, wait_s: float) -> float:
    """1 where it stands still, falling to 0 at the end of its reach or of the change of size; never less."""
    side = (_side(before) + _side(now)) / 2
    if min(_side(before), _side(now)) <= 0:
        return 0.0
    moved = hypot(now.centre[0] - before.centre[0], now.centre[1] - before.centre[1]) / side
    reach = min(_LARGEST_REACH, _REACH + _REACH_A_SECOND * wait_s)
    resized = abs(log(_side(now) / _side(before))) / log(_LARGEST_RATIO)
    return max(0.0, 1 - moved / reach) * max(0.0, 1 - resized)


def _side(box: Box) -> float:
    """Of the square of the same area [px]."""
    return sqrt(box.area)


def _edges(box: Box) -> tuple[float, ...]:
    return box.left, box.top, box.right, box.bottom


def _place(one: Detection) -> tuple[float, ...]:
    return (*_edges(one.box), one.score)
