from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from train_reference.curriculum.arms import ABLATIONS, ARMS, make_arm
from train_reference.data.clips import NO_LABEL, Clips
from train_reference.errors import TrainError

GIVEN = [0, 0, 0, 1, 1, 2, 2, 2]
LABEL = [0, 0, 1, 1, 1, 2, 2, 0]
RELIABILITY = [0.9, 0.9, 0.1, 0.9, 0.5, 0.9, 0.6, 0.2]


@pytest.fixture
def clips(make_clips: Callable[..., Clips]) -> Clips:
    """Eight labelled clips of train, and a ninth with an accepted pseudo-label."""
    found: Clips = make_clips([*GIVEN, NO_LABEL], [*LABEL, NO_LABEL], [*RELIABILITY, 0.0])
    soft = found.soft.copy()
    soft[8] = (0.1, 0.2, 0.7)
    return replace(
        found,
        soft=soft,
        reliability=np.array([*RELIABILITY, np.nan], dtype=np.float32),
        pseudo=np.array([NO_LABEL] * 8 + [2]),
        pseudo_confidence=np.array([np.nan] * 8 + [0.7], dtype=np.float32),
        pseudo_accepted=np.array([False] * 8 + [True]),
    )


def test_what_each_learns_from(clips: Clips) -> None:
    given = make_arm("given", clips, 0)
    assert given.rows.tolist() == list(range(8))
    assert given.targets[given.rows].argmax(axis=1).tolist() == GIVEN
    assert given.learns_given
    refined = make_arm("refined-hard", clips, 0)
    assert refined.targets[refined.rows].argmax(axis=1).tolist() == LABEL
    assert make_arm("high-only", clips, 0).rows.tolist() == [0, 1, 3, 5]
    soft = make_arm("soft", clips, 0)
    assert soft.rows.tolist() == list(range(8))
    assert soft.targets[2].tolist() == pytest.approx([0.05, 0.9, 0.05])
    assert make_arm("elr", clips, 0).is_regularised


def test_the_random_split_has_the_size_and_class_mix_of_the_high_split(clips: Clips) -> None:
    drawn = [make_arm("random-split", clips, seed) for seed in range(20)]
    for arm in drawn:
        # Of the high split's four clips two are of class 0, one of class 1 and one of class 2.
        assert np.bincount(clips.given[arm.rows]).tolist() == [2, 1, 1]
        assert arm.targets[arm.rows].argmax(axis=1).tolist() == clips.given[arm.rows].tolist()
    assert len({tuple(arm.rows) for arm in drawn}) > 5


def test_the_curriculum_takes_in_accepted_pseudo_labels_by_their_confidence(clips: Clips) -> None:
    arm = make_arm("curriculum", clips, 0)
    assert arm.rows.tolist() == list(range(9))
    assert arm.targets[8].tolist() == pytest.approx([0.1, 0.2, 0.7])
    assert arm.weights.tolist() == pytest.approx([1] * 8 + [0.7])
    assert (arm.is_high[8], arm.order_by[8], arm.labels[8]) == (False, pytest.approx(0.7), 2)
    assert arm.is_paced
    assert arm.is_refined
    refused = replace(clips, pseudo_accepted=np.zeros(9, dtype=np.bool_))
    assert make_arm("curriculum", refused, 0).rows.tolist() == list(range(8))


def test_ablations_lack_one_part(clips: Clips) -> None:
    assert not make_arm("curriculum-no-pacing", clips, 0).is_paced
    assert not make_arm("curriculum-no-refinement", clips, 0).is_refined
    assert make_arm("curriculum-no-pseudo", clips, 0).rows.tolist() == list(range(8))
    hard = make_arm("curriculum-hard", clips, 0)
    assert hard.targets[hard.rows].argmax(axis=1).tolist() == [*LABEL, 2]
    assert set(hard.targets[hard.rows].ravel()) == {0, 1}
    whole = make_arm("curriculum", clips, 0)
    shuffled = [make_arm("curriculum-random-split", clips, seed) for seed in range(9)]
    for arm in shuffled:
        for label in range(3):
            of_class = np.flatnonzero(np.array(LABEL) == label)
            assert sorted(arm.order_by[of_class]) == sorted(whole.order_by[of_class])
            assert arm.is_high[of_class].sum() == whole.is_high[of_class].sum()
    assert any((arm.is_high != whole.is_high).any() for arm in shuffled)


@pytest.mark.parametrize("name", [*ARMS, *ABLATIONS])
def test_only_clips_of_train(name: str, clips: Clips) -> None:
    splits = clips.splits.astype("<U10")
    splits[[0, 8]] = "test"
    arm = make_arm(name, replace(clips, splits=splits), 0)
    assert not {0, 8} & set(arm.rows.tolist())
    assert arm.class_counts.sum() == pytest.approx(len(arm.rows), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "given",
            {"given": np.full(9, NO_LABEL)},
            "label_given: no clip of train has what arm given learns from",
        ),
        ("high-only", {"is_high": np.zeros(9, dtype=np.bool_)}, "reliability_split: .* choose arm=soft"),
        (
            "soft",
            {"soft": np.full((9, 3), np.nan, dtype=np.float32)},
            "soft_label: .* choose arm=refined-hard",
        ),
        ("sofd", {}, "arm: sofd is no arm; there are given, refined-hard"),
    ],
)
def test_what_a_release_lacks(name: str, change: dict[str, np.ndarray], said: str, clips: Clips) -> None:
    with pytest.raises(TrainError, match=said):
        make_arm(name, replace(clips, **change), 0)  # type: ignore[arg-type]
