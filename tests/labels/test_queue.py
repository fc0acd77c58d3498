from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import InputError
from curate.labels import evidence_from_frame
from curate.labels.batch import Batch
from curate.labels.queue import (
    Aim,
    expected_information,
    expected_split_gain,
    next_clips,
    person_confusion,
    split_end,
)

CLASSES = ("calm", "glad", "sad")
GOOD = 0.7 * np.eye(3) + 0.1  # right with .8
USELESS = np.full((3, 3), 1 / 3)
NO_LABEL = np.array([-1])


def draw(seed: int, n_clips: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet([0.7, 0.7, 0.7], n_clips)


def test_information_by_hand() -> None:
    # Two even classes, a person who is right with .9: log 2 - H(.9) = .6931 - .3251 nats.
    found = expected_information(np.array([[0.5, 0.5]]), np.array([[0.9, 0.1], [0.1, 0.9]]))
    assert found == pytest.approx([np.log(2) + 0.9 * np.log(0.9) + 0.1 * np.log(0.1)])


def test_split_gain_is_largest_where_the_answer_decides() -> None:
    sure = np.array([0.5, 0.7, 0.88, 0.93, 0.999])
    probabilities = np.column_stack([sure, 1 - sure])
    confusion = np.array([[0.8, 0.2], [0.2, 0.8]])
    gain = expected_split_gain(probabilities, confusion, np.zeros(5, dtype=np.int64), 0.9)
    assert gain.argmax() == 2  # .88 is .967 or .647 afterwards
    assert gain[4] < gain[3] / 10


def test_split_gain_looks_at_the_given_label_where_there_is_one() -> None:
    probabilities, confusion = np.array([[0.9, 0.1]]), np.array([[0.8, 0.2], [0.2, 0.8]])
    right = expected_split_gain(probabilities, confusion, np.array([0]), 0.9)
    wrong = expected_split_gain(probabilities, confusion, np.array([1]), 0.9)
    assert wrong < right  # a label that is right with .1 will not reach .9 by one answer
    assert right == pytest.approx(expected_split_gain(probabilities, confusion, NO_LABEL, 0.9))


def test_the_end_of_the_split_by_hand() -> None:
    # Wrong: .02, .04, .2: on average .02, .03, .0867. At most .05 allows for two clips.
    assert split_end(np.array([0.8, 0.98, 0.96]), 0.05) == 0.96
    assert split_end(np.array([0.8, 0.98, 0.96]), 0.10) == 0.8
    assert split_end(np.array([0.6, 0.7]), 0.05) == 0.7  # none is good enough: as near as can be
    assert split_end(np.zeros(0), 0.05) == 1.0


def test_reasons_are_sentences() -> None:
    # Doubt log 2 = .693. Entropy of the answer (.45, .45, .1) .949, given the class (.8, .1, .1) .639:
    # .310 / .693 = 45 %.
    probabilities = np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0]])
    asked = next_clips(probabilities, GOOD, CLASSES, 1)
    assert asked["reason"].to_list() == [
        "calm (50%) or glad (50%): one more answer is expected to remove 45% of the doubt"
    ]
    asked = next_clips(probabilities, GOOD, CLASSES, 1, aim=Aim("certificate", error=0.10))
    assert asked["reason"].to_list() == [
        "calm is right with 90% and the high split ends at 90%: "
        "one more answer may decide on which side the clip falls"
    ]


def test_what_is_asked_already_is_not_asked_again() -> None:
    first = next_clips(draw(0), GOOD, CLASSES, 5)
    already = np.isin(np.arange(20), first["clip"])
    second = next_clips(draw(0), GOOD, CLASSES, 5, already=already)
    assert not set(first["clip"]) & set(second["clip"])
    assert next_clips(draw(0), GOOD, CLASSES, 5, already=np.ones(20, dtype=bool)).is_empty()


def test_subjects_are_balanced() -> None:
    groups = np.repeat(np.arange(4), 5)
    asked = next_clips(draw(0), GOOD, CLASSES, 20, groups=groups, batch=Batch(per_group=2))
    assert np.bincount(groups[asked["clip"]]).tolist() == [2, 2, 2, 2]


def test_a_weightier_clip_comes_first() -> None:
    probabilities = np.tile([0.5, 0.3, 0.2], (3, 1))
    asked = next_clips(probabilities, GOOD, CLASSES, 3, weights=np.array([1.0, 3.0, 2.0]))
    assert asked["clip"].to_list() == [1, 2, 0]
    assert asked["rank"].to_list() == [1, 2, 3]


def test_the_average_person() -> None:
    frame = {"clip_id": ["a", "b"], "instrument": ["p", "p"], "outcome": ["x", "y"], "kind": ["human"] * 2}
    evidence = evidence_from_frame(pl.DataFrame(frame), ["x", "y"])
    # One vote for x on a clip that is x for sure, one for y on a clip of both, and the vote of nobody known.
    found = person_confusion(evidence, np.array([[1.0, 0.0], [0.5, 0.5]]))
    assert found == pytest.approx(np.array([[1.8 / 2.5, 0.2 / 1.5], [0.7 / 2.5, 1.3 / 1.5]]))
    machine = replace(evidence, instruments=(replace(evidence.instruments[0], kind="model"),))
    assert person_confusion(machine, np.eye(2)) == pytest.approx(np.array([[0.8, 0.2], [0.2, 0.8]]))


@given(st.integers(0, 200), st.sampled_from(["posterior", "certificate"]))
def test_gains_are_never_negative_and_nothing_for_a_useless_answer(seed: int, towards: str) -> None:
    probabilities = draw(seed)
    confusion = np.random.default_rng(seed).dirichlet([1, 1, 1], 3).T
    labels = np.full(20, -1)
    for gain in (expected_information, lambda p, c: expected_split_gain(p, c, labels, 0.8)):
        assert (gain(probabilities, confusion) >= 0).all()
        assert gain(probabilities, USELESS) == pytest.approx(np.zeros(20), abs=1e-12)
    if towards == "posterior":
        doubt = -(probabilities * np.log(probabilities)).sum(axis=1)
        assert (expected_information(probabilities, confusion) <= doubt + 1e-9).all()
        assert expected_information(probabilities, np.eye(3)) == pytest.approx(doubt)


@given(st.integers(0, 200), st.sampled_from(["posterior", "certificate"]))
def test_names_of_classes_and_order_of_clips_do_not_matter(seed: int, towards: str) -> None:
    probabilities, rng = draw(seed), np.random.default_rng(seed)
    clips, classes = rng.permutation(20), rng.permutation(3)
    aim = Aim(towards)  # type: ignore[arg-type]
    found = next_clips(probabilities, GOOD, CLASSES, 6, aim=aim)
    moved = next_clips(probabilities[clips][:, classes], GOOD[classes][:, classes], CLASSES, 6, aim=aim)
    assert clips[moved["clip"]].tolist() == found["clip"].to_list()


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(InputError) as error:
        next_clips(
            np.full((2, 3), 0.5), np.eye(2), CLASSES, 0, groups=np.zeros(3), weights=np.array([1.0, -1.0])
        )
    assert str(error.value) == (
        "queue: 5 to fix\n"
        "  - probabilities: expected rows that sum to 1\n"
        "  - confusion: expected one row and column a class\n"
        "  - size: got 0, expected at least 1\n"
        "  - weights: expected numbers of at least 0\n"
        "  - groups: got 3, expected one a clip: 2"
    )
