"""Which moments of a clip are looked at: arithmetic on frame times, nothing is decoded."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from curate.recipe import Frames


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame that is wanted."""

    role: Literal["key", "between"]
    """key: shown to the model. between: described to it in words."""
    index: int
    """Of the frame, in order of presentation, from 0."""
    t_s: float
    """When that frame is presented, from the start of the clip."""


_ROUNDING_S = 1e-6
"""A frame due at 9.8 s must not be missed because its share's middle came out at 9.7999999999."""

Strategy = Callable[[Sequence[float], float, int], list[Moment]]
"""From frame times (n_frames,) [s], duration [s] and a budget to moments, by rising index."""


def moments(times_s: Sequence[float], duration_s: float, frames: Frames) -> list[Moment]:
    """The moments that a recipe asks for.

    Args:
        times_s: Shape (n_frames,), rising, from 0; (0.0,) for a still image.
        duration_s: Of the clip; 0 for a still image.
        frames: The recipe's section.

    Returns:
        By rising index, none twice: fewer than `frames.count` where the clip
        has fewer frames. Empty if there are no frames.
    """
    return STRATEGIES[frames.strategy](times_s, duration_s, frames.count)


def uniform(duration_s: float, count: int) -> tuple[float, ...]:
    """The middle of each of `count` equal shares of a clip [s]: (i + 1/2) duration / count."""
    return tuple((i + 0.5) * duration_s / count for i in range(count))


def _uniform_moments(times_s: Sequence[float], duration_s: float, count: int) -> list[Moment]:
    if not times_s:
        return []
    indices = {frame_at(times_s, t_s) for t_s in uniform(duration_s, count)}
    return [Moment("key", index, times_s[index]) for index in sorted(indices)]


def frame_at(times_s: Sequence[float], t_s: float) -> int:
    """The frame that is on the screen at a time: the last one presented at or before it."""
    return max(0, bisect_right(times_s, t_s + _ROUNDING_S) - 1)


STRATEGIES: Mapping[str, Strategy] = {"uniform": _uniform_moments}
"""By the name that the recipe gives."""
