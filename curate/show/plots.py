"""The report's plots, as SVG that takes its colours from the page, light or dark."""

import itertools
from collections.abc import Sequence

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter, MaxNLocator

from curate.release.content import Metrics
from curate.show.drawing import FIRST, INK, MUTED, SECOND, STYLE, as_svg, new_axes, short

MOST_NUMBERED = 12
"""Classes up to which the cells of the matrix carry their number."""
MOST_CLASSES = 30
"""Classes that a plot shows; of more, those with the most to see."""
MOST_PEOPLE = 40
"""People that a plot shows, those with the most clips."""


def reliability_histogram(metrics: Metrics) -> Markup:
    """How many given labels have which reliability."""
    histogram = metrics["given"]["reliability_histogram"]
    edges, counts = histogram["edges"], histogram["counts"]
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(2.8)
        axes.bar(
            edges[:-1],
            counts,
            width=[b - a for a, b in itertools.pairwise(edges)],
            align="edge",
            color=FIRST,
            edgecolor="none",
            linewidth=0,
        )
        axes.set(
            xlim=(0, 1),
            xlabel="Reliability: probability that the given label is right",
            ylabel="Clips [count]",
        )
        axes.yaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
        axes.grid(visible=True)
        return as_svg(figure, "Histogram of the reliability of the given labels")


def change_matrix(metrics: Metrics) -> Markup:
    """Clips by given and refined label; the deeper, the larger the share of the row."""
    classes, rows = _most_changed(metrics["classes"], metrics["given"]["change_matrix"])
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(1.2 + min(5.5, max(1.6, 0.42 * len(classes))))
        for y, row in enumerate(rows):
            for x, n in enumerate(row):
                _cell(axes, x, y, n, sum(row), len(classes))
        axes.set(xlim=(0, len(classes)), ylim=(len(classes), 0), xlabel="Refined label", ylabel="Given label")
        _name_ticks(axes, classes)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return as_svg(figure, "Clips by given label, in rows, and refined label, in columns")


def item_worth(metrics: Metrics) -> Markup | None:
    """How much an answer to each item tells about the class; None if no worth is known."""
    known = [item for item in metrics["items"] if item["worth_bits"] is not None]
    if not known:
        return None
    known.sort(key=lambda item: item["worth_bits"])
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(0.8 + 0.24 * len(known))
        axes.barh(
            [short(item["id"]) for item in known],
            [item["worth_bits"] for item in known],
            color=FIRST,
            height=0.62,
        )
        axes.set(xlabel="Worth of one answer [bit]", xlim=(0, None))
        axes.grid(visible=True, axis="x")
        axes.tick_params(axis="y", labelcolor=INK)
        return as_svg(figure, "Worth of the questionnaire's items in bits")


def class_balance(metrics: Metrics) -> Markup:
    """Clips of each class before and after."""
    counts = metrics["counts"]["per_class"]
    most = set(sorted(metrics["classes"], key=lambda name: -counts[name]["given"])[:MOST_CLASSES])
    classes = [name for name in metrics["classes"] if name in most]
    places = range(len(classes))
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(1.1 + 0.42 * len(classes))
        for shift, key, colour in ((-0.19, "given", SECOND), (0.19, "refined", FIRST)):
            axes.barh(
                [place + shift for place in places],
                [counts[name][key] for name in classes],
                height=0.34,
                color=colour,
                label=key,
            )
        axes.set_yticks(list(places), [short(name) for name in classes], color=INK)
        axes.invert_yaxis()
        axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
        axes.set(xlabel="Clips that came with a label [count]")
        axes.grid(visible=True, axis="x")
        figure.legend(loc="outside upper right", ncols=2)
        return as_svg(figure, "Clips of each class, given and refined")


def annotator_quality(metrics: Metrics) -> Markup | None:
    """How right the given labels and each person are, as estimated; None where nobody's is known."""
    known = [one for one in metrics["annotators"] if one["accuracy"] is not None]
    if not known:
        return None
    shown = sorted(
        sorted(known, key=lambda one: -one["n_clips"])[:MOST_PEOPLE], key=lambda one: one["accuracy"]
    )
    most = max(one["n_clips"] for one in shown)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(1.1 + 0.24 * len(shown))
        names = [short(instrument_name(one["instrument"])) for one in shown]
        sizes = [18 + 90 * one["n_clips"] / most for one in shown]
        accuracies = [one["accuracy"] for one in shown]
        axes.scatter(accuracies, range(len(shown)), s=sizes, color=FIRST, linewidths=0, clip_on=False)
        axes.axvline(1 / len(metrics["classes"]), color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_yticks(range(len(shown)), names, color=INK)
        axes.set(
            xlim=(-0.02, 1.02),
            ylim=(-0.7, len(shown) - 0.3),
            xlabel="Estimated accuracy [share]; dashed: chance",
        )
        axes.grid(visible=True, axis="x")
        return as_svg(figure, "Estimated accuracy of the given labels and of each person")


def token_cost(metrics: Metrics) -> Markup | None:
    """Tokens that the calls took, by what they were; None where the server told none."""
    cost = metrics["asking"]["cost"]
    if not cost["tokens_in"]:
        return None
    cached = cost["tokens_cached"] or 0
    rows = (
        ("prompt, read anew", cost["tokens_in"] - cached, FIRST),
        ("prompt, from the cache", cached, MUTED),
        ("reply", cost["tokens_out"] or 0, SECOND),
    )
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(1.7)
        axes.barh(
            [name for name, _, _ in rows], [n for _, n, _ in rows], color=[one[2] for one in rows], height=0.6
        )
        axes.invert_yaxis()
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set(xlabel="Tokens [count]", xlim=(0, None))
        axes.tick_params(axis="y", labelcolor=INK)
        axes.grid(visible=True, axis="x")
        return as_svg(figure, "Tokens by kind")


def instrument_name(instrument: str) -> str:
    """What people call the given label, or somebody who voted."""
    return "given label" if instrument == "given" else instrument.removeprefix("vote:")


def calibration(metrics: Metrics, key: str, xlabel: str, ylabel: str) -> Markup | None:
    """What was promised against what was true; None where the truth is not known."""
    bins = [one for one in (metrics["truth"] or {}).get(key, []) if one["right"]["n"]]
    if not bins:
        return None
    most = max(one["right"]["n"] for one in bins)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(3.3)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="as promised")
        for one in bins:
            right = one["right"]
            axes.plot(
                [one["mean"]] * 2, [right["low"], right["high"]], color=FIRST, linewidth=1.2, alpha=0.55
            )
        axes.scatter(
            [one["mean"] for one in bins],
            [one["right"]["value"] for one in bins],
            s=[18 + 90 * one["right"]["n"] / most for one in bins],
            color=FIRST,
            linewidths=0,
            zorder=3,
            clip_on=False,
        )
        axes.plot([], [], "o", color=FIRST, label="ten bins, 95 % interval; larger: more clips")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=xlabel, ylabel=ylabel)
        axes.grid(visible=True, axis="both")
        figure.legend(loc="outside upper right", ncols=2, fontsize=8.5)
        return as_svg(figure, f"{ylabel} against {xlabel}")


def _most_changed(classes: Sequence[str], rows: Sequence[Sequence[int]]) -> tuple[list[str], list[list[int]]]:
    """The classes that most clips left or joined, in class order, and their part of the matrix."""
    moved = {
        place: sum(row) + sum(other[place] for other in rows) - 2 * row[place]
        for place, row in enumerate(rows)
    }
    chosen = sorted(sorted(moved, key=lambda place: -moved[place])[:MOST_CLASSES])
    return [classes[place] for place in chosen], [[rows[y][x] for x in chosen] for y in chosen]


def _cell(axes: Axes, x: int, y: int, n: int, total: int, n_classes: int) -> None:
    depth = n / total if total else 0.0
    # Kept below full depth, so that ink is legible on it in light and dark.
    axes.add_patch(
        Rectangle(
            (x + 0.03, y + 0.03),
            0.94,
            0.94,
            color=FIRST if x == y else SECOND,
            linewidth=0,
            alpha=0.06 + 0.54 * depth,
        )
    )
    if n_classes <= MOST_NUMBERED:
        axes.text(x + 0.5, y + 0.5, str(n), ha="center", va="center", color=INK if n else MUTED)


def _name_ticks(axes: Axes, classes: Sequence[str]) -> None:
    middles = [index + 0.5 for index in range(len(classes))]
    names = [short(name) for name in classes]
    crowded = sum(len(name) for name in names) > 36
    axes.set_xticks(
        middles, names, rotation=45 if crowded else 0, ha="right" if crowded else "center", color=INK
    )
    axes.set_yticks(middles, names, color=INK)
