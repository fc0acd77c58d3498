"""The report as a person sees it: in a browser, light and dark, wide and narrow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curate.run_folder import Run


@pytest.fixture
def page(browser: Any, finished: Run) -> Iterator[Any]:
    """The report of the demo, and what it asked for or complained of."""
    opened = browser.new_page(viewport={"width": 1180, "height": 900})
    opened.told = []
    opened.on("console", lambda message: opened.told.append(message.text))
    opened.on("request", lambda request: opened.told.append(request.url))
    opened.goto(finished.report.as_uri())
    yield opened
    opened.close()


def test_nothing_is_fetched(page: Any, finished: Run) -> None:
    page.wait_for_load_state("networkidle")
    assert [told for told in page.told if not told.startswith("data:")] == [finished.report.as_uri()]
    assert finished.report.stat().st_size < 5_000_000


def test_a_film_strip_opens(page: Any) -> None:
    closed = page.locator("details.clip:not([open])").first
    strip = page.locator("details.clip").nth(2)
    assert not strip.locator(".film").is_visible()
    assert closed.locator("summary").is_visible()
    strip.locator("summary").click()
    assert strip.locator(".film").is_visible()
    pictures = strip.locator(".film img")
    assert pictures.count() == 4
    widths = [pictures.nth(place).evaluate("image => image.naturalWidth") for place in range(4)]
    assert all(width > 0 for width in widths)
    assert strip.get_by_text("What moved the label").is_visible()


def test_every_plot_names_its_axes(page: Any) -> None:
    plots = page.locator("figure svg")
    assert plots.count() >= 8
    for place in range(plots.count()):
        plot = plots.nth(place)
        text = plot.text_content()
        assert plot.get_attribute("aria-label")
        assert "[" in text or "label" in text.lower(), plot.get_attribute("aria-label")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1180])
def test_it_can_be_read_on_a_phone_and_in_the_dark(
    browser: Any, finished: Run, scheme: Any, width: int, tmp_path: Path
) -> None:
    opened = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened.goto(finished.report.as_uri())
    # Nothing sticks out sideways, and text stands out from what is behind it.
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    colours = opened.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    ink, behind = (_luminance(colour) for colour in colours)
    lighter, darker = max(ink, behind), min(ink, behind)
    assert (lighter + 0.05) / (darker + 0.05) >= 7  # WCAG 2.2, 1.4.6
    assert (behind < ink) == (scheme == "dark")
    opened.close()


def _luminance(colour: str) -> float:
    """Relative luminance of a CSS colour such as rgb(1, 2, 3): WCAG 2.2."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
