"""The drawn cues: options as the questionnaire words them, hidden only by what hides them."""

from pathlib import Path

import numpy as np
import pytest

import curate.demo.cues as module
from curate.demo.cues import CHANCES, CLASSES, HIDDEN, OPTIONS, Cues, draw_cues
from curate.questionnaire import UNSEEN, load_questionnaire

QUESTIONNAIRE = Path(module.__file__).with_name("questionnaire.yaml")

OPEN = {"gaze": 0, "eyes": 2, "head": 0, "mouth": 3, "brows": 1, "tilt": 0, "hands": 2, "movement": 0}


def test_the_questionnaire_asks_about_these_cues_in_these_words() -> None:
    questionnaire = load_questionnaire(QUESTIONNAIRE)
    assert questionnaire.name == "demo_engagement"
    assert {item.id: item.options for item in questionnaire.items} == dict(OPTIONS)
    assert module.UNSEEN == UNSEEN


def test_each_class_has_a_chance_for_each_option_that_sum_to_one() -> None:
    for item, rows in CHANCES.items():
        assert np.array(rows).shape == (len(CLASSES), len(OPTIONS[item]))
        assert np.array(rows).sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("covers", "changed", "hidden"),
    [
        ((), {}, set()),
        (("sunglasses",), {}, {"gaze", "eyes"}),
        (("fringe", "scarf"), {}, {"gaze", "eyes", "brows", "mouth"}),
        (("cap", "low camera"), {}, {"brows", "hands"}),
        (("mask",), {"eyes": 0}, {"mouth", "gaze"}),  # closed eyes look nowhere
        ((), {"head": 2}, {"gaze", "eyes", "brows", "mouth"}),
        ((), {"head": 1}, set()),
    ],
)
def test_what_hides_what(covers: tuple[str, ...], changed: dict[str, int], hidden: set[str]) -> None:
    cues = Cues(OPEN | changed, frozenset(covers))
    assert {item for item, value in cues.seen().items() if value == HIDDEN} == hidden
    assert {item for item, answer in cues.answers().items() if answer == UNSEEN} == hidden


def test_cues_do_not_depend_on_each_other_given_the_class() -> None:
    # Of two independent cues, the joint frequencies are the product of the
    # margins; at 6000 clips their standard error is at most 0.5 / sqrt(6000) = 0.0065.
    rng = np.random.default_rng(0)
    values = [draw_cues(1, rng).values for _ in range(6000)]
    for first, second in (("eyes", "head"), ("mouth", "head"), ("gaze", "hands")):
        joint = np.zeros((len(OPTIONS[first]), len(OPTIONS[second])))
        for value in values:
            joint[value[first], value[second]] += 1 / len(values)
        assert np.abs(joint - np.outer(joint.sum(1), joint.sum(0))).max() < 4 * 0.0065


def test_a_perfect_reader_of_all_cues_is_right_nine_times_in_ten_and_no_single_cue_is_enough() -> None:
    rng = np.random.default_rng(1)
    true = rng.integers(len(CLASSES), size=3000)
    seen = [draw_cues(int(label), rng).seen() for label in true]
    assert 0.90 <= _right_share(true, seen, list(OPTIONS)) <= 0.95
    assert max(_right_share(true, seen, [item]) for item in OPTIONS) < 0.75


def _right_share(true: np.ndarray, seen: list[dict[str, int]], items: list[str]) -> float:
    """How often the class of the highest likelihood is the true one (Bayes with equal classes)."""
    right = 0
    for label, cues in zip(true, seen, strict=True):
        logs = np.zeros(len(CLASSES))
        for item in items:
            if cues[item] != HIDDEN:
                logs += np.log(np.array(CHANCES[item])[:, cues[item]])
        right += int(logs.argmax() == label)
    return right / len(true)
