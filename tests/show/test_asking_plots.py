import re
from types import ModuleType
from typing import Any

import pytest

from curate.show.asking_plots import controls_by_item, stability_by_item


@pytest.fixture
def metrics(synthetic: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = synthetic.make().content.metrics
    return found


def without(metrics: dict[str, Any], what: str) -> dict[str, Any]:
    items = [item | {what: dict.fromkeys(item[what])} for item in metrics["asking"]["items"]]
    return metrics | {"asking": metrics["asking"] | {"items": items}}


def texts(svg: str) -> set[str]:
    return set(re.findall(r"<text[^>]*>([^<]*)</text>", svg))


def test_controls_have_a_row_an_item_and_a_legend(metrics: dict[str, Any]) -> None:
    shown = texts(str(controls_by_item(metrics)))
    assert {"gaze", "posture", "smile", "Answers that change [share]"} <= shown
    assert {"other clip's pictures", "no pictures", "out of order"} <= {
        one.replace("&#39;", "'") for one in shown
    }


def test_only_the_kinds_that_were_asked_are_in_the_legend(metrics: dict[str, Any]) -> None:
    shown = texts(str(stability_by_item(metrics)))
    assert {"other words", "same again", "Answers that stay the same [share]"} <= shown
    assert "other order" not in shown


def test_nothing_is_drawn_of_nothing(metrics: dict[str, Any]) -> None:
    assert controls_by_item(without(metrics, "controls")) is None
    assert stability_by_item(without(metrics, "stability")) is None


def test_colours_are_the_pages_own(metrics: dict[str, Any]) -> None:
    svg = str(controls_by_item(metrics))
    assert "var(--first)" in svg
    assert not re.search(r"#0[1-5]0[1-5]0[1-5]", svg)
