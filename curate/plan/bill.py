"""What calls will take, from what was reckoned beforehand and what calls like them took."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from curate.plan.load import KINDS, Kind, Load, Measure
from curate.recipe import Price
from curate.vlm.desk.budget import cost_of
from curate.vlm.desk.earlier import PaceReached
from curate.vlm.tokens.ranges import NOTHING, Range, exactly

LEVEL = 0.95
"""Of the intervals around what was measured."""

_PACE_SPREAD = 0.1
"""Least that a pace differs from one hour to the next, as a share: a short pilot cannot tell."""


@dataclass(frozen=True, slots=True)
class Line:
    """Calls of one kind that are still to be made."""

    kind: Kind
    calls: int
    at_most: bool
    """Whether there may be fewer: a step that fails is the last of its clip."""
    pictures: int
    """Sent with them."""
    tokens_in: Range
    tokens_out: Range
    cached: float
    """Share of the prompt tokens that a server is expected to have cached."""
    held: int
    """Calls whose replies are at hand."""
    measured: int
    """Those of them whose tokens were told: what the line rests on, if there are any."""
    call_in: Range | None
    """Prompt tokens a call, as measured."""
    call_out: Range | None
    """Reply tokens a call, as measured."""


def lines(loads: Mapping[Kind, Load], at_most: frozenset[Kind]) -> tuple[Line, ...]:
    """A line for each kind of call that there is, in the order in which they are made.

    Args:
        loads: What would be asked, by kind.
        at_most: Kinds of which there may be fewer.
    """
    told = [(kind, loads[kind]) for kind in KINDS if loads[kind].calls or loads[kind].held]
    return tuple(_line(kind, load, kind in at_most) for kind, load in told)


def cost(bill: Iterable[Line], price: Price | None) -> Range | None:
    """US dollars for all lines; None without a price."""
    if price is None:
        return None
    return sum((_cost(line, price) for line in bill), NOTHING)


def asking_s(loads: Mapping[Kind, Load], pace: PaceReached | None) -> Range | None:
    """Seconds that all calls will take with as many under way as before; None where nothing was measured.

    A kind of call that was never made is taken to last as long as the others.
    """
    everything = [measure for load in loads.values() for measure in load.measures.values()]
    if pace is None or not everything:
        return None
    waited_s = sum((_waited_s(load, everything) for load in loads.values()), NOTHING)
    low, high = (1 - _PACE_SPREAD) * waited_s.low, (1 + _PACE_SPREAD) * waited_s.high
    return Range(low, waited_s.expected, high) * (1 / pace.at_once)


def put_right(reckoned: Range, took: Sequence[float], thought: Sequence[float]) -> Range:
    """What was reckoned, times how much more, or less, calls took than was thought of them.

    With r = sum y / sum x over clips, the interval is r +- t se, where
    se^2 = sum (y - r x)^2 / (n (n - 1) mean(x)^2) and t is Student's, n - 1
    degrees of freedom.

    Args:
        reckoned: Of calls to come.
        took: y, shape (n_clips,): what the calls about each clip took.
        thought: x, shape (n_clips,): what was thought of them beforehand.

    Returns:
        As wide as the clips differ. With a single clip nothing is known of
        that, and the width stays as reckoned; with none, all does.

    Source:
        Cochran, *Sampling Techniques* (1977), section 6.3, ratio estimate.
    """
    y, x = np.asarray(took, dtype=np.float64), np.asarray(thought, dtype=np.float64)  # (n_clips,)
    if not x.sum() > 0:
        return reckoned
    ratio, n = float(y.sum() / x.sum()), len(x)
    if n == 1:
        return reckoned * ratio
    error = math.sqrt(float(np.square(y - ratio * x).sum()) / (n * (n - 1))) / float(x.mean())
    half = float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * error
    return Range(max(0.0, ratio - half), ratio, ratio + half) * reckoned.expected


def _line(kind: Kind, load: Load, at_most: bool) -> Line:
    clips = [measure for measure in load.measures.values() if measure.told]
    calls = [measure.told for measure in clips]
    took_in, took_out = ([getattr(one, name) for one in clips] for name in ("tokens_in", "tokens_out"))
    n_told, n_in = sum(calls), sum(took_in)
    return Line(
        kind=kind,
        calls=load.calls,
        at_most=at_most,
        pictures=load.pictures,
        tokens_in=put_right(load.tokens_in, took_in, [one.reckoned_in for one in clips]),
        tokens_out=put_right(load.tokens_out, took_out, [one.reckoned_out for one in clips]),
        cached=sum(one.tokens_cached for one in clips) / n_in if n_in else 0.0,
        held=load.held,
        measured=n_told,
        call_in=put_right(exactly(1), took_in, calls) if n_told else None,
        call_out=put_right(exactly(1), took_out, calls) if n_told else None,
    )


def _cost(line: Line, price: Price) -> Range:
    ends = ("low", "expected", "high")
    return Range(*(_dollars(line, price, end) for end in ends))


def _dollars(line: Line, price: Price, end: str) -> float:
    tokens_in, tokens_out = round(getattr(line.tokens_in, end)), round(getattr(line.tokens_out, end))
    return cost_of(price, tokens_in, tokens_out, round(line.cached * tokens_in))


def _waited_s(load: Load, everything: Sequence[Measure]) -> Range:
    clips = list(load.measures.values()) or everything
    return put_right(exactly(load.calls), [one.latency_s for one in clips], [one.calls for one in clips])
