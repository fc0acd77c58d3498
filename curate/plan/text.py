"""A plan as people read it, and as machines do."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict

from curate.plan.bill import Line
from curate.plan.whole import Plan
from curate.vlm.tokens.ranges import NOTHING, Range

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_TOLD = {
    "logprobs": "log-probabilities of the options",
    "samples": "shares of several answers",
    "stated": "the model's own word",
}


def plan_lines(plan: Plan) -> Iterator[str]:
    """A plan in lines for the terminal."""
    yield f"{plan.clips:,} clips, {plan.pictures:,} different pictures; {_aside(plan)}"
    yield f"probabilities from {_TOLD[plan.told]}; tokens counted by {plan.counted_by}"
    yield ""
    yield from _table(plan)
    yield ""
    yield from _at_hand(plan)
    yield from _measured(plan)
    yield f"price: {_price(plan)}"
    yield f"time:  {_time(plan)}"
    yield f"disk:  {_disk(plan)}"
    yield from _piloted(plan)
    yield from _otherwise(plan)


def plan_json(plan: Plan) -> str:
    """A plan as JSON, with its sums."""
    content = asdict(plan)
    content["total"] = {
        "calls": sum(line.calls for line in plan.bill),
        "pictures": sum(line.pictures for line in plan.bill),
        "held": sum(line.held for line in plan.bill),
        "tokens_in": asdict(_sum(plan, "tokens_in")),
        "tokens_out": asdict(_sum(plan, "tokens_out")),
    }
    return json.dumps(content, indent=2, allow_nan=False)


def _aside(plan: Plan) -> str:
    sampled = f", {plan.not_sampled:,} clips beyond the limit" if plan.not_sampled else ""
    return f"{plan.set_aside:,} files or rows set aside{sampled}"


def _table(plan: Plan) -> Iterator[str]:
    rows = [("still to be asked", "calls", "pictures", "prompt tokens", "reply tokens")]
    rows += [_row(line) for line in plan.bill]
    calls, pictures = sum(line.calls for line in plan.bill), sum(line.pictures for line in plan.bill)
    tokens = (_number(_sum(plan, "tokens_in")), _number(_sum(plan, "tokens_out")))
    rows.append(("in all", f"{calls:,}", f"{pictures:,}", *tokens))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        aligned = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield "  ".join([name.ljust(widths[0]), *aligned])


def _row(line: Line) -> tuple[str, str, str, str, str]:
    name = f"{line.kind}, at most" if line.at_most else line.kind
    return name, f"{line.calls:,}", f"{line.pictures:,}", _number(line.tokens_in), _number(line.tokens_out)


def _at_hand(plan: Plan) -> Iterator[str]:
    held = sum(line.held for line in plan.bill)
    if held or plan.other_replies:
        yield (
            f"at hand: {held:,} replies, which are not asked for again; "
            f"the ledger holds {plan.other_replies:,} of other calls"
        )


def _measured(plan: Plan) -> Iterator[str]:
    for line in plan.bill:
        if line.call_in and line.call_out:
            yield (
                f"measured: {line.kind}, {line.measured:,} calls: {_number(line.call_in)} prompt and "
                f"{_number(line.call_out)} reply tokens a call"
            )


def _price(plan: Plan) -> str:
    if plan.cost is None:
        return "nothing is paid a token" if plan.devices else "unknown without vlm.price"
    return f"{_dollars(plan.cost.expected)}{_between(plan.cost, _dollars)}"


def _time(plan: Plan) -> str:
    if plan.asking_s is None or plan.at_once is None:
        return "unknown: --pilot N asks about N clips and measures it"
    told = f"{_duration(plan.asking_s.expected)}{_between(plan.asking_s, _duration)}"
    pace = f"with {plan.at_once:.1f} calls under way, as measured"
    if plan.devices is None:
        return f"{told}, {pace}"
    hours = plan.asking_s * (plan.devices / 3600)
    return f"{told}, {pace}; {_short(hours.expected)} device hours{_between(hours, _short)}"


def _disk(plan: Plan) -> str:
    disk = plan.disk
    parts = [("pictures", disk.pictures), ("ledger", disk.ledger), ("release", disk.release)]
    parts += [("embeddings and key points", disk.sequences)] if disk.sequences != NOTHING else []
    return ", ".join(f"{name} {_bytes(size.expected)}{_between(size, _bytes)}" for name, size in parts)


def _piloted(plan: Plan) -> Iterator[str]:
    if (pilot := plan.pilot) is None:
        return
    paid = "" if pilot.cost is None else f", {_dollars(pilot.cost)}"
    failed = f"; {pilot.failed:,} questions failed" if pilot.failed else ""
    yield (
        f"pilot: {pilot.clips:,} clips took {pilot.calls:,} new calls, {pilot.tokens_in:,} prompt and "
        f"{pilot.tokens_out:,} reply tokens{paid}{failed}"
    )


def _otherwise(plan: Plan) -> Iterator[str]:
    if (other := plan.otherwise) is None:
        return
    paid = "" if other.cost is None else f", {_dollars(other.cost.expected)}{_between(other.cost, _dollars)}"
    yield (
        "note: the server is taken to tell log-probabilities; if it tells none, there are "
        f"{other.calls:,} calls{paid}. --pilot 1 finds out"
    )


def _sum(plan: Plan, name: str) -> Range:
    return sum((getattr(line, name) for line in plan.bill), NOTHING)


def _number(value: Range) -> str:
    return f"{_short(value.expected)}{_between(value, _short)}"


def _between(value: Range, words: Callable[[float], str]) -> str:
    """Both ends in brackets; nothing where they read the same."""
    low, high = words(value.low), words(value.high)
    return "" if low == high else f" ({low} to {high})"


def _short(value: float) -> str:
    """Three digits of what is below a thousand, whole numbers beyond."""
    if value == round(value) or value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _dollars(value: float) -> str:
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.2g}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _bytes(value: float) -> str:
    power = min(len(_UNITS) - 1, int(math.log10(max(1.0, value)) // 3))
    return f"{value / 1000**power:.3g} {_UNITS[power]}"
