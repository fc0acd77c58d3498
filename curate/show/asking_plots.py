"""The report's plots of controls and variants: how far the answers can be trusted, item by item."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes

from curate.release.content import Metrics
from curate.show.drawing import FIRST, INK, MUTED, SECOND, STYLE, as_svg, new_axes, short

_BESIDE = 0.26
"""How far the marks of one item stand apart, in rows."""


@dataclass(frozen=True, slots=True)
class _Series:
    """Marks of one kind: a colour and a shape, so that they are told apart without colours too."""

    key: str
    label: str
    colour: str
    shape: str


_KINDS = (
    _Series("order", "other order", FIRST, "o"),
    _Series("wording", "other words", SECOND, "s"),
    _Series("repeat", "same again", MUTED, "^"),
)
_CONTROLS = (
    _Series("canary", "other clip's pictures", FIRST, "o"),
    _Series("no_media", "no pictures", MUTED, "^"),
    _Series("shuffled", "out of order", SECOND, "s"),
)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A share of one item, with its interval where one is known."""

    value: float
    low: float
    high: float


def stability_by_item(metrics: Metrics) -> Markup | None:
    """How many answers stay the same when the question is put in other ways; None if it never was."""
    rows = [(item["id"], _same(item)) for item in metrics["asking"]["items"]]
    return _dots(rows, _KINDS, "Answers that stay the same [share]", "Stability of the answers by item")


def controls_by_item(metrics: Metrics) -> Markup | None:
    """How many answers change under each control; None if there was none."""
    rows = [(item["id"], _changed(item)) for item in metrics["asking"]["items"]]
    return _dots(rows, _CONTROLS, "Answers that change [share]", "Controls by item")


def _same(item: Metrics) -> dict[str, _Mark]:
    found = {kind: one["same_answer"] for kind, one in item["stability"].items() if one}
    return {kind: _Mark(share, share, share) for kind, share in found.items()}


def _changed(item: Metrics) -> dict[str, _Mark]:
    return {
        name: _Mark(one["changed"], one["changed_low"], one["changed_high"])
        for name, one in item["controls"].items()
        if one and one["changed"] is not None
    }


def _dots(
    rows: Sequence[tuple[str, dict[str, _Mark]]], series: Sequence[_Series], xlabel: str, title: str
) -> Markup | None:
    """A row an item, marks of each series beside one another."""
    shown = [one for one in series if any(one.key in marks for _, marks in rows)]
    if not shown:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(1.1 + (0.16 + 0.09 * len(shown)) * len(rows))
        for place, one in enumerate(shown):
            _marks(
                axes, one, [marks.get(one.key) for _, marks in rows], _BESIDE * (place - (len(shown) - 1) / 2)
            )
        axes.set_yticks(range(len(rows)), [short(name) for name, _ in rows], color=INK)
        axes.set(xlim=(-0.03, 1.03), ylim=(len(rows) - 0.5, -0.5), xlabel=xlabel)
        axes.grid(visible=True, axis="x")
        figure.legend(loc="outside upper right", ncols=len(shown), fontsize=8.5, handletextpad=0.2)
        return as_svg(figure, title)


def _marks(axes: Axes, series: _Series, marks: Sequence[_Mark | None], shift: float) -> None:
    known = [(place + shift, mark) for place, mark in enumerate(marks) if mark]
    for place, mark in known:
        axes.plot([mark.low, mark.high], [place] * 2, color=series.colour, linewidth=1.2, alpha=0.45)
    axes.plot(
        [mark.value for _, mark in known],
        [place for place, _ in known],
        series.shape,
        color=series.colour,
        markersize=5.5,
        markeredgewidth=0,
        label=series.label,
        clip_on=False,
    )
