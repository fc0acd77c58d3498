"""One person followed through a clip: which box of the many, where nobody was found, how it moves; pure."""

from bisect import bisect_right
from collections.abc import Sequence
from math import exp, hypot, log, sqrt

from curate.frames.people.boxes import Box, between
from curate.frames.people.finder import Detection
from curate.frames.people.tracks import Track, tracks

LONGEST_GAP_S = 2.0
"""A person who was not found for so long is taken to be where a line between the two sightings says."""
HELD_S = 1.0
"""So long before the first and after the last sighting, the person is taken to be where they were."""
_MANY = 4
"""Of so many moments, one sighting is not enough: it is mostly a false alarm, and to be shown that is worse
than to be shown the whole frame."""


def follow(
    found: Sequence[Sequence[Detection]],
    times_s: Sequence[float],
    size: tuple[float, float],
    *,
    smoothing_s: float,
) -> list[Box | None]:
    """Where the main person of a clip is at each moment.

    The main person is the one whose track has the largest sum of score x size x
    nearness to the middle; one who is seen at a single moment of four or more is
    nobody. Where a moment lacks them between two sightings, a line from one to
    the other is followed, for up to 2 s or over a single moment; at both ends
    the box is held for up to 1 s.

    Args:
        found: Shape (n_moments, any): what was found at each moment, in any order.
        times_s: Shape (n_moments,), rising.
        size: Width and height of the pictures [px].
        smoothing_s: Over how long place and size are averaged, centred, with
            weights that fall evenly to both sides [s]; 0 for not at all.

    Returns:
        Shape (n_moments,): a box, without margin, or None where the person is
        not; all None where nobody was found.
    """
    everyone = [one for one in tracks(found, times_s) if len(one) > 1 or len(times_s) < _MANY]
    if not everyone:
        return [None] * len(times_s)
    # max() takes the first of equals, and tracks come in an order that no finder decides.
    chosen = max(everyone, key=lambda one: _weight(one, size))
    filled = _filled(chosen, times_s)
    return [
        None if box is None else _smoothed(filled, times_s, moment, smoothing_s)
        for moment, box in enumerate(filled)
    ]


def _weight(track: Track, size: tuple[float, float]) -> float:
    """Sum over sightings of score x side / picture's side x nearness to the middle."""
    side = sqrt(size[0] * size[1])
    return sum(one.score * sqrt(one.box.area) / side * _central(one.box, size) for one in track)


def _central(box: Box, size: tuple[float, float]) -> float:
    """1 in the middle of the picture, falling evenly to 0.1 in its corners, as who is filmed is there."""
    x, y = (2 * place / whole - 1 for place, whole in zip(box.centre, size, strict=True))
    return 1 - 0.9 * min(1.0, hypot(x, y) / sqrt(2))


def _filled(track: Track, times_s: Sequence[float]) -> list[Box | None]:
    """The track's box at each moment, sightings as they are."""
    seen = [one.moment for one in track]
    return [_box_at(track, seen, moment, times_s) for moment in range(len(times_s))]


def _box_at(track: Track, seen: Sequence[int], moment: int, times_s: Sequence[float]) -> Box | None:
    after = bisect_right(seen, moment)
    earlier, later = track[after - 1] if after else None, track[after] if after < len(track) else None
    if earlier is not None and earlier.moment == moment:
        return earlier.box
    if earlier is not None and later is not None:
        gap_s = times_s[later.moment] - times_s[earlier.moment]
        if gap_s <= LONGEST_GAP_S or later.moment - earlier.moment == 2:
            return between(earlier.box, later.box, (times_s[moment] - times_s[earlier.moment]) / gap_s)
    near = [one for one in (earlier, later) if one is not None]
    nearest = min(near, key=lambda one: abs(times_s[one.moment] - times_s[moment]))
    return nearest.box if abs(times_s[nearest.moment] - times_s[moment]) <= HELD_S else None


def _smoothed(boxes: Sequence[Box | None], times_s: Sequence[float], moment: int, over_s: float) -> Box:
    """Average over the moments nearer than half of `over_s`, up to where the person is not there."""
    near = [moment, *_beside(boxes, times_s, moment, over_s, -1), *_beside(boxes, times_s, moment, over_s, 1)]
    # Half a window that is 0, or no number holds, is this moment alone.
    half_s = over_s / 2
    weights = [1 - abs(times_s[one] - times_s[moment]) / half_s if half_s else 1.0 for one in near]
    x, y, width, height = (
        sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)
        for values in zip(*(_shape(boxes[one]) for one in near), strict=True)
    )
    half_width, half_height = exp(width) / 2, exp(height) / 2
    return Box(x - half_width, y - half_height, x + half_width, y + half_height)


def _beside(
    boxes: Sequence[Box | None], times_s: Sequence[float], moment: int, over_s: float, step: int
) -> list[int]:
    """Moments before (-1) or after (1) that count, nearest first."""
    found = []
    place = moment + step
    while 0 <= place < len(boxes) and abs(times_s[place] - times_s[moment]) < over_s / 2:
        if boxes[place] is None:
            break
        found.append(place)
        place += step
    return found


def _shape(box: Box | None) -> tuple[float, float, float, float]:
    """Middle [px], and logarithm of width and height: doubled and halved cancel each other."""
    if box is None:
        raise ValueError("a moment without a box has no shape")
    return (*box.centre, log(max(box.width, 1e-6)), log(max(box.height, 1e-6)))
