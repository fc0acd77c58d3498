"""Which moments of a clip are looked at: arithmetic on times and changes, nothing is decoded."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from curate.frames.changes import Change
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


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of a clip before its moments are chosen."""

    times_s: Sequence[float]
    """Shape (n_frames,), rising, from 0; (0.0,) for a still image."""
    duration_s: float
    """Of the clip; 0 for a still image."""
    changes: tuple[Change, ...] = ()
    """What changes in it, as far as the strategy asks for that."""


ROUNDING_S = 1e-6
"""A frame due at 9.8 s must not be missed because its share's middle came out at 9.7999999999."""

_ONSETS = 0.5
"""Share of the pictures left over by apexes that may go to onsets; the rest is spread over the clip."""

_RESTLESS = 2
"""Changes a picture; weak ones that are none of those that matter may make it more than one."""

Strategy = Callable[[Course, Frames], Iterable[int]]
"""From a clip's course to the indices of its key frames; there is at least one frame."""


def moments(course: Course, frames: Frames, *, between: int = 0) -> list[Moment]:
    """The moments that a recipe asks for.

    Args:
        course: Of the clip.
        frames: The recipe's section.
        between: Frames that are wanted in each gap between two key frames.

    Returns:
        By rising index, none twice: fewer than `frames.count` key frames where
        the clip has fewer frames, fewer than `between` others where a gap has
        fewer. Empty if there are no frames.
    """
    if not course.times_s:
        return []
    times_s, keys = course.times_s, sorted(set(STRATEGIES[frames.strategy](course, frames)))
    gaps = {index for first, last in pairwise(keys) for index in _inside(times_s, first, last, between)}
    found = [Moment("key", index, times_s[index]) for index in keys]
    found += [Moment("between", index, times_s[index]) for index in gaps]
    return sorted(found, key=lambda moment: moment.index)


def uniform(duration_s: float, count: int) -> tuple[float, ...]:
    """The middle of each of `count` equal shares of a clip [s]: (i + 1/2) duration / count."""
    return tuple((i + 0.5) * duration_s / count for i in range(count))


def spread(duration_s: float, fixed_s: Sequence[float], count: int) -> list[float]:
    """Times [s] that leave the largest stretch without a picture as short as can be (ours).

    Args:
        duration_s: Of the clip.
        fixed_s: Where there are pictures already, rising.
        count: How many to add; without fixed ones, they come out as `uniform` has them.

    Each goes where the stretches are longest as yet, and those in one gap are
    evenly spaced. Before the first and after the last picture a stretch counts
    twice, as `uniform` begins and ends with half a step.
    """
    edges = [0.0, *fixed_s, duration_s]
    gaps = [_Gap(first, last) for first, last in pairwise(edges)]
    gaps[0].is_open_left = gaps[-1].is_open_right = True
    for _ in range(count):
        max(gaps, key=lambda gap: gap.step_s).n += 1
    return [t_s for gap in gaps for t_s in gap.times_s()]


def frame_at(times_s: Sequence[float], t_s: float) -> int:
    """The frame that is on the screen at a time: the last one presented at or before it."""
    return max(0, bisect_right(times_s, t_s + ROUNDING_S) - 1)


@dataclass(slots=True)
class _Gap:
    """A stretch between two pictures, or between one and an end of the clip."""

    first_s: float
    last_s: float
    is_open_left: bool = False
    is_open_right: bool = False
    n: int = 0

    @property
    def step_s(self) -> float:
        """From one picture to the next with `n` of them inside; an open end takes half a step."""
        parts = self.n + 1 - 0.5 * (self.is_open_left + self.is_open_right)
        return (self.last_s - self.first_s) / parts if parts else float("inf")

    def times_s(self) -> list[float]:
        lead = 0.5 if self.is_open_left else 1.0
        return [self.first_s + (i + lead) * self.step_s for i in range(self.n)]


def _inside(times_s: Sequence[float], first: int, last: int, count: int) -> set[int]:
    """Frames that part the time from one frame to another into count + 1, neither of the two among them.

    On the screen at t_first + i (t_last - t_first) / (count + 1), for i from 1 to `count`.
    """
    step_s = (times_s[last] - times_s[first]) / (count + 1)
    found = {frame_at(times_s, times_s[first] + i * step_s) for i in range(1, count + 1)}
    return {index for index in found if first < index < last}


def _even(course: Course, count: int) -> Iterable[int]:
    return (frame_at(course.times_s, t_s) for t_s in uniform(course.duration_s, count))


def _uniform(course: Course, frames: Frames) -> Iterable[int]:
    return _even(course, frames.count)


def _fps(course: Course, frames: Frames) -> Iterable[int]:
    """Shares of about 1 / fps seconds, at least one; `frames.count` longer ones where there would be more.

    A clip too long for its rate is thus looked at evenly to its end, at a lower
    rate, rather than cut off.
    """
    return _even(course, max(1, min(frames.count, round(course.duration_s * frames.fps))))


def _events(course: Course, frames: Frames) -> Iterable[int]:
    """The apexes of the clearest changes, brief ones first; onsets; the rest spread over calm stretches.

    With no more changes than `frames.count`, every one has a frame inside it.
    Onsets get at most half of what apexes leave over. In a clip that moves all
    the time the clearest changes would lie side by side and leave most of it
    unseen: from `_RESTLESS` changes a picture on, each of `count` equal shares
    gives its clearest change, or its middle.
    """
    ranked = sorted(course.changes, key=_clarity)
    apexes = list(dict.fromkeys(change.apex for change in ranked))
    if len(apexes) > frames.count * _RESTLESS:
        return _shared(course, frames.count)
    chosen = apexes[: frames.count]
    n_onsets = int((frames.count - len(chosen)) * _ONSETS)
    onsets = (change.onset for change in ranked if change.onset not in chosen)
    chosen += list(dict.fromkeys(onsets))[:n_onsets]
    fixed_s = [course.times_s[index] for index in sorted(chosen)]
    added_s = spread(course.duration_s, fixed_s, frames.count - len(chosen))
    return [*chosen, *(frame_at(course.times_s, t_s) for t_s in added_s)]


def _clarity(change: Change) -> tuple[bool, float, int]:
    """The order of changes: a brief one is harder to meet by chance than a long one."""
    return not change.is_brief, -change.strength, change.apex


def _shared(course: Course, count: int) -> Iterable[int]:
    found = dict(enumerate(_even(course, count)))
    for change in sorted(course.changes, key=_clarity, reverse=True):
        share = min(count - 1, int(course.times_s[change.apex] / course.duration_s * count))
        found[share] = change.apex
    return found.values()


STRATEGIES: Mapping[str, Strategy] = {"uniform": _uniform, "fps": _fps, "events": _events}
"""By the name that the recipe gives."""
