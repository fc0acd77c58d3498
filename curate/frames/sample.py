"""Which moments of a clip are looked at: arithmetic on frame times, nothing is decoded."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
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

Strategy = Callable[[float, Frames], int]
"""From a clip's duration [s] to the number of equal shares, each of which gives a key frame."""


def moments(times_s: Sequence[float], duration_s: float, frames: Frames, *, between: int = 0) -> list[Moment]:
    """The moments that a recipe asks for.

    Args:
        times_s: Shape (n_frames,), rising, from 0; (0.0,) for a still image.
        duration_s: Of the clip; 0 for a still image.
        frames: The recipe's section.
        between: Frames that are wanted in each gap between two key frames.

    Returns:
        By rising index, none twice: fewer than `frames.count` key frames where
        the clip has fewer frames, fewer than `between` others where a gap has
        fewer. Empty if there are no frames.
    """
    keys = _key_indices(times_s, duration_s, STRATEGIES[frames.strategy](duration_s, frames))
    gaps = {index for first, last in pairwise(keys) for index in _inside(times_s, first, last, between)}
    found = [Moment("key", index, times_s[index]) for index in keys]
    found += [Moment("between", index, times_s[index]) for index in gaps]
    return sorted(found, key=lambda moment: moment.index)


def uniform(duration_s: float, count: int) -> tuple[float, ...]:
    """The middle of each of `count` equal shares of a clip [s]: (i + 1/2) duration / count."""
    return tuple((i + 0.5) * duration_s / count for i in range(count))


def frame_at(times_s: Sequence[float], t_s: float) -> int:
    """The frame that is on the screen at a time: the last one presented at or before it."""
    return max(0, bisect_right(times_s, t_s + _ROUNDING_S) - 1)


def _key_indices(times_s: Sequence[float], duration_s: float, count: int) -> list[int]:
    """The frames in the middle of each share, rising, none twice; empty if there are no frames."""
    if not times_s:
        return []
    return sorted({frame_at(times_s, t_s) for t_s in uniform(duration_s, count)})


def _inside(times_s: Sequence[float], first: int, last: int, count: int) -> set[int]:
    """Frames that part the time from one frame to another into count + 1, neither of the two among them.

    On the screen at t_first + i (t_last - t_first) / (count + 1), for i from 1 to `count`.
    """
    step_s = (times_s[last] - times_s[first]) / (count + 1)
    found = {frame_at(times_s, times_s[first] + i * step_s) for i in range(1, count + 1)}
    return {index for index in found if first < index < last}


def _uniform_count(duration_s: float, frames: Frames) -> int:
    return frames.count


def _fps_count(duration_s: float, frames: Frames) -> int:
    """Shares of about 1 / fps seconds, at least one; `frames.count` longer ones where there would be more.

    A clip too long for its rate is thus looked at evenly to its end, at a lower
    rate, rather than cut off.
    """
    return max(1, min(frames.count, round(duration_s * frames.fps)))


STRATEGIES: Mapping[str, Strategy] = {"uniform": _uniform_count, "fps": _fps_count}
"""By the name that the recipe gives."""
