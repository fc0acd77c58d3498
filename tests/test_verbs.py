import json
from pathlib import Path
from typing import Any

import pytest

from curate.manifest import Manifest
from curate.questionnaire import Item, Questionnaire
from curate.recipe import Recipe
from curate.run_folder import Run
from curate.verbs import findings

COST = {
    "calls": 30,
    "tokens_in": 3000,
    "tokens_out": 30,
    "tokens_cached": 1500,
    "cached": {"value": 0.5, "n": 3000},
    "prefix": None,
    "usd": 0.25,
    "usd_calls": 30,
}


ANSWERS = {"asked": 80, "refusal": 0, "unparsable": 3, "failed": 0}


def finished(folder: Path, verdict: str, answers: dict[str, int] = ANSWERS) -> Run:
    """A run of which there are only the measured facts."""
    metrics: dict[str, Any] = {
        "counts": {"clips": 10, "labelled": 0, "set_aside": {}},
        "given": {"changed": {"n": 0}},
        "pseudo": {"made": 0},
        "truth": None,
        "quality": [],
        "certificates": [],
        "answers": answers,
        "asking": {"verdict": {"verdict": verdict, "reason": "so it is"}, "cost": COST},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    Manifest(folder).record("answers", "key", [], {"left_out": 0, "failed": 0}, 1.0)
    values = {
        "name": "small",
        "task": {"classes": ["a", "b"]},
        "clips": {"source": "folder", "path": "clips"},
        "vlm": {"backend": "openai", "model": "tiny"},
    }
    item = Item(id="gaze", ask="Gaze?", options=("no", "yes"), why="It tells.")
    questionnaire = Questionnaire(name="one", about="Gaze.", items=(item,))
    return Run(Recipe.model_validate(values), questionnaire, "", "", folder)


@pytest.mark.parametrize(
    ("verdict", "warning"),
    [
        ("wrong_media", "warning: The answers are not about the pictures that were sent: so it is."),
        ("cannot_tell", "warning: Whether the answers are about the pictures that were sent cannot be told"),
    ],
)
def test_controls_that_do_not_say_all_is_well_are_told(tmp_path: Path, verdict: str, warning: str) -> None:
    assert any(line.startswith(warning) for line in findings(finished(tmp_path, verdict)))


@pytest.mark.parametrize("verdict", ["sound", "not_asked"])
def test_controls_are_not_told_where_there_is_nothing_to_say(tmp_path: Path, verdict: str) -> None:
    assert not any("pictures" in line for line in findings(finished(tmp_path, verdict)))


def test_what_the_asking_took_is_one_line(tmp_path: Path) -> None:
    told = "asked:   30 calls, 3,000 prompt tokens (50 % cached), 30 reply tokens, US$ 0.25"
    assert told in list(findings(finished(tmp_path, "sound")))


def test_many_answers_that_cannot_be_used_are_warned_of(tmp_path: Path) -> None:
    lines = list(findings(finished(tmp_path, "sound", ANSWERS | {"unparsable": 50, "refusal": 2})))
    assert "warning: 52 of 80 questions have no answer that can be used (2 refused, 50 unparsable)" in lines
    assert not any("can be used" in line for line in findings(finished(tmp_path, "sound")))
