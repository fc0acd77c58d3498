from types import ModuleType
from typing import Any

import pytest

from curate.show.findings import findings


@pytest.fixture
def metrics(synthetic: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = synthetic.make().content.metrics
    return found


def texts(metrics: dict[str, Any], tone: str) -> str:
    return "\n".join(one.text for one in findings(metrics) if one.tone == tone)


def test_warnings_come_first(metrics: dict[str, Any]) -> None:
    tones = [one.tone for one in findings(metrics | {"truth": None})]
    assert tones == sorted(tones, reverse=True)
    assert tones[0] == "warning"


def test_labels_made_worse_are_a_warning(metrics: dict[str, Any]) -> None:
    worse = metrics["truth"]["accuracy_refined"] | {"value": 0.1}
    told = texts(metrics | {"truth": metrics["truth"] | {"accuracy_refined": worse}}, "warning")
    assert "Refining made the labels worse; do not use them." in told


def test_labels_made_no_better_are_a_warning(metrics: dict[str, Any]) -> None:
    same = metrics["truth"] | {"accuracy_refined": metrics["truth"]["accuracy_given"]}
    assert "did not help" in texts(metrics | {"truth": same}, "warning")


def test_a_model_that_answers_nothing_is_a_warning(metrics: dict[str, Any]) -> None:
    told = texts(metrics | {"answers": metrics["answers"] | {"asked": 0}}, "warning")
    assert "answered no question" in told


def test_answers_that_cannot_be_used_are_a_warning_sooner(metrics: dict[str, Any]) -> None:
    base = {"asked": 100, "unseen": 0, "unparsable": 0, "failed": 0, "clips_without_answer": 0}
    shares = {"share_answered": 0.75, "share_unseen": 0.25, "share_refusal": 0.25}
    refused = metrics | {"answers": base | shares | {"refusal": 25}}
    assert "Only 75 % of the questions were answered: 25 % refused." in texts(refused, "warning")
    unseen = metrics | {"answers": base | shares | {"refusal": 0, "unseen": 25}}
    assert "of the questions were answered" not in texts(unseen, "warning")


def test_a_class_that_swallows_the_others_is_a_warning(metrics: dict[str, Any]) -> None:
    collapse = {"given": {"class": "bored", "share": 0.4}, "refined": {"class": "bored", "share": 0.9}}
    told = texts(metrics | {"collapse": collapse}, "warning")
    assert "90 % of the refined labels are “bored”; the largest given class has 40 %." in told


def with_asking(metrics: dict[str, Any], **changes: object) -> dict[str, Any]:
    return metrics | {"asking": metrics["asking"] | changes}


@pytest.mark.parametrize(
    ("verdict", "is_told"), [("sound", False), ("not_asked", False), ("cannot_tell", True)]
)
def test_only_a_verdict_that_asks_for_care_is_told(
    metrics: dict[str, Any], verdict: str, is_told: bool
) -> None:
    found = with_asking(metrics, verdict=metrics["asking"]["verdict"] | {"verdict": verdict})
    assert ("pictures that were sent" in texts(found, "warning")) == is_told


def test_a_sink_of_the_models_conclusions_is_a_warning(metrics: dict[str, Any]) -> None:
    row = {"label": "neutral", "share": 0.9, "expected": 0.3, "sink": True}
    collapse = {"concluded": {"n": 40, "reference": "given", "classes": [row]}, "refined": None}
    told = texts(with_asking(metrics, collapse=collapse), "warning")
    assert "90 % are “neutral”, where the labels that came with these clips would have 30 %" in told
