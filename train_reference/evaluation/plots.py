"""Pictures of how training went and how good the model is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from train_reference.evaluation.comparison import Comparison

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#777777"
"""Okabe and Ito's colours, which those who see no red or green tell apart."""


def confusion_matrix(
    said: NDArray[np.float32], truth: NDArray[np.int64], classes: Sequence[str], path: Path
) -> None:
    """Clips by true class (rows) and likeliest class (columns), coloured by share of the row."""
    n = len(classes)
    counts = np.zeros((n, n), dtype=np.int64)
    np.add.at(counts, (truth, said.argmax(axis=1)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.7 * n
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.add_subplot()
    shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(n, n):
        colour = "white" if shares[row, column] > 0.55 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour)
    axes.set_xticks(range(n), classes, rotation=35, ha="right")
    axes.set_yticks(range(n), classes)
    axes.set(xlabel="said by the model", ylabel="true", title=f"{len(truth)} test clips")
    figure.colorbar(shown, ax=axes, label="share of the true class", shrink=0.8)
    figure.savefig(path, dpi=120)


def calibration(said: NDArray[np.float32], truth: NDArray[np.int64], path: Path) -> None:
    """Confidence beside the share that is right, over ten bins of equally many clips."""
    confidence, is_right = said.max(axis=1), said.argmax(axis=1) == truth
    bins = np.array_split(np.argsort(confidence, kind="stable"), min(10, len(truth)))
    x, y = (np.array([values[one].mean() for one in bins]) for values in (confidence, is_right))
    spread = [
        np.sqrt(max(share * (1 - share), 0.25 / len(one)) / len(one))
        for share, one in zip(y, bins, strict=True)
    ]
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1, label="as sure as right")
    axes.errorbar(
        x, y, yerr=spread, color=_BLUE, marker="o", linewidth=1.5, capsize=2, label="tenths of the clips"
    )
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence", ylabel="share that is right")
    axes.set_title(f"{len(truth)} test clips; bars are one standard error", fontsize=10)
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=120)


def curves(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Loss and validation macro-F1 over all phases, one after the other."""
    figure = Figure(figsize=(7.5, 4), layout="constrained")
    left = figure.add_subplot()
    right = left.twinx()
    names = list(dict.fromkeys(row["phase"] for row in rows))
    offset = 0
    for name in names:
        of_phase = [row for row in rows if row["phase"] == name]
        steps = [offset + row["step"] for row in of_phase]
        left.plot(steps, [row["loss"] for row in of_phase], color=_ORANGE, linewidth=1.5)
        right.plot(steps, [row["macro_f1"] for row in of_phase], color=_BLUE, linewidth=1.5)
        left.axvline(offset, color=_GREY, linewidth=0.8, linestyle=":")
        where = left.get_xaxis_transform()
        left.text(
            offset,
            1.01,
            f" {name}",
            transform=where,
            fontsize=8,
            va="bottom",
        )
        offset = steps[-1]
    left.set_xlabel("step")
    left.set_ylabel("training loss", color=_ORANGE)
    right.set_ylabel("macro-F1 on validation", color=_BLUE)
    right.set_ylim(0, 1)
    figure.savefig(path, dpi=120)


def arms(comparison: Comparison, path: Path, measure: str = "macro_f1") -> None:
    """A dot an arm with its interval, best on top."""
    rows = sorted(comparison.measured.items(), key=lambda row: row[1][measure].mean)
    figure = Figure(figsize=(6.5, 1.2 + 0.38 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for place, (name, row) in enumerate(rows):
        found = row[measure]
        colour = _ORANGE if name == "curriculum" else _BLUE
        axes.plot([found.low, found.high], [place, place], color=colour, linewidth=2)
        axes.plot(found.mean, place, "o", color=colour)
        axes.annotate(
            f"{found.mean:.3f}",
            (found.mean, place),
            (0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_ylim(-0.6, len(rows) - 0.3)
    axes.set_xlabel(f"{measure} on test; lines: 95 % over subjects and {len(comparison.seeds)} seeds")
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    figure.savefig(path, dpi=120)
