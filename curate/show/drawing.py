"""How the report's plots are drawn: as SVG that takes its colours from the page, light or dark."""

import io
import re
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from curate.printable import printable

# Drawn in colours that stand for the page's own (cards/report.html.j2, :root); blue and
# orange are told apart with any colour vision.
INK, MUTED, LINE, FIRST, SECOND = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line", FIRST: "--first", SECOND: "--second"}
WIDTH_IN = 4.8
_LONGEST_NAME = 22

STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 9.5,
    "axes.labelsize": 9.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid.axis": "y",
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def new_axes(height_in: float) -> tuple[Figure, Axes]:
    """An empty plot of the page's width, so high in inches."""
    figure = Figure(figsize=(WIDTH_IN, height_in))
    return figure, figure.subplots()


def short(name: str) -> str:
    """A name from data as a plot can hold it: cut, and without what would steer anything."""
    # A dollar sign would start mathematics in matplotlib.
    shown = printable(name)
    cut = shown if len(shown) <= _LONGEST_NAME else f"{shown[: _LONGEST_NAME - 1]}…"
    return cut.replace("$", r"\$")


def as_svg(figure: Figure, title: str) -> Markup:
    """The figure as an element of the page: sized and coloured by it, with a name for screen readers."""
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": title}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    view = re.search(r'viewBox="[^"]+"', text)
    head = f'<svg {view.group(0) if view else ""} role="img" aria-label="{escape(title)}" xmlns:xlink="http://www.w3.org/1999/xlink">'
    text = re.sub(r"<svg[^>]*>", lambda _: head, text, count=1)
    text = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font-size: \1px", text)
    text = _own_ids(text, re.sub(r"\W+", "-", title.lower()))
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    return Markup(text)  # noqa: S704 - matplotlib escapes the names in it


def _own_ids(text: str, prefix: str) -> str:
    """Ids that no other plot of the page has."""
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    return re.sub(r"(url\(|href=\")#([^)\"]+)", rf"\1#{prefix}-\2", text)
