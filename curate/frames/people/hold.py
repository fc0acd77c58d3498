"""Where faces are hidden at every moment, from where they were found at some; pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from curate.frames.people.boxes import Box, between
from curate.frames.people.finder import Detection
from curate.frames.people.tracks import Track, tracks

HELD_S = 1.0
"""So long before the first sighting of a face and after the last, it is hidden where it was [s]."""
MARGIN = 0.3
"""What is added to a face's box on each side, as a share of it: hair, ears and chin tell who it is."""
_DRIFT_A_SECOND = 0.3
"""What more is added on each side for a second without a sighting: a face moves while it is not found."""


class HiddenPlaces:
    """Boxes to hide at any time of a clip."""

    def __init__(self, found: Sequence[Sequence[Detection]], times_s: Sequence[float]) -> None:
        """Put the findings together.

        Args:
            found: Shape (n_moments, any): faces at each moment that was looked at.
            times_s: Shape (n_moments,), rising.
        """
        paths = [_path(track, times_s) for track in tracks(found, times_s, lost_s=2 * HELD_S)]
        # By second: of the many tracks of a long clip only a few matter at a time.
        self._by_second: dict[int, list[_Path]] = defaultdict(list)
        for path in paths:
            for second in range(floor(path.times_s[0] - HELD_S), floor(path.times_s[-1] + HELD_S) + 1):
                self._by_second[second].append(path)

    def at(self, t_s: float) -> list[Box]:
        """Boxes to hide at a time, with their margin; may reach beyond the picture.

        Between two sightings with misses between them, both boxes are covered
        and what is between them: the face is somewhere there. Away from
        sightings by up to 1 s, the nearest box grows with the time.
        """
        boxes = (path.at(t_s) for path in self._by_second.get(floor(t_s), ()))
        return [box for box in boxes if box is not None]


@dataclass(frozen=True, slots=True)
class _Path:
    """One face's sightings."""

    times_s: tuple[float, ...]
    moments: tuple[int, ...]
    boxes: tuple[Box, ...]

    def at(self, t_s: float) -> Box | None:
        after = bisect_right(self.times_s, t_s)
        if 0 < after < len(self.boxes):
            return self._on_the_way(after, t_s)
        nearest = min(after, len(self.boxes) - 1)
        away_s = abs(t_s - self.times_s[nearest])
        return None if away_s > HELD_S else self.boxes[nearest].with_margin(_grown(away_s))

    def _on_the_way(self, after: int, t_s: float) -> Box:
        """Between the sighting before `after` and the one at it."""
        (from_s, to_s), (earlier, later) = (
            self.times_s[after - 1 : after + 1],
            self.boxes[after - 1 : after + 1],
        )
        if self.moments[after] == self.moments[after - 1] + 1:
            # Looked at again as soon as was planned: the face went evenly from one place to the next.
            return between(earlier, later, (t_s - from_s) / (to_s - from_s)).with_margin(MARGIN)
        return earlier.union(later).with_margin(_grown(min(t_s - from_s, to_s - t_s)))


def _path(track: Track, times_s: Sequence[float]) -> _Path:
    moments = tuple(one.moment for one in track)
    return _Path(tuple(times_s[moment] for moment in moments), moments, tuple(one.box for one in track))


def _grown(away_s: float) -> float:
    return MARGIN + _DRIFT_A_SECOND * away_s
