"""The noise in the demo's labels: how much of it, and where it falls."""

import numpy as np
import pytest

from curate.demo.cues import CLASSES
from curate.demo.drawings import ClipTruth, draw_truth
from curate.demo.noise import ANNOTATORS, GIVEN, UNLABELLED, VOTES, mislabel, right_share

N_CLIPS = 20_000
# A share of right labels near 0.7 has a standard error of sqrt(0.7 * 0.3 / 14000) = 0.004 here.
ERROR = 4 * 0.004


@pytest.fixture(scope="module")
def clips() -> tuple[ClipTruth, ...]:
    return draw_truth(N_CLIPS, 16, np.random.default_rng(5)).clips


def test_chances_sum_to_one() -> None:
    for chances in (GIVEN, *ANNOTATORS.values()):
        assert np.array(chances).sum(axis=1) == pytest.approx(1)


def test_right_share_weighs_the_diagonal_by_how_common_the_classes_are() -> None:
    # 0.20 * 0.80 + 0.27 * 0.60 + 0.31 * 0.64 + 0.22 * 0.82 = 0.16 + 0.162 + 0.1984 + 0.1804
    assert right_share(GIVEN) == pytest.approx(0.7008)


def test_mislabel_draws_from_the_row_of_the_true_class() -> None:
    certain = ((0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (1, 0, 0, 0))
    true = np.array([0, 1, 2, 3, 0])
    assert mislabel(true, certain, np.random.default_rng(0)).tolist() == [1, 2, 3, 0, 1]


def test_labels_and_votes_are_as_noisy_as_said(clips: tuple[ClipTruth, ...]) -> None:
    given = [clip.given == clip.label for clip in clips if clip.given is not None]
    assert np.mean(given) == pytest.approx(0.70, abs=ERROR)
    assert len(given) / N_CLIPS == pytest.approx(1 - UNLABELLED, abs=0.01)
    right = {}
    for name in ANNOTATORS:
        votes = [clip.votes[name] == clip.label for clip in clips if name in clip.votes]
        right[name] = float(np.mean(votes))
        assert len(votes) / N_CLIPS == pytest.approx(VOTES, abs=0.01)
    assert right == pytest.approx({"careful": 0.78, "lenient": 0.72, "careless": 0.60}, abs=0.01 + ERROR)


def test_neighbours_are_confused_most_and_middle_classes_too(
    clips: tuple[ClipTruth, ...],
) -> None:
    table = np.zeros((4, 4))
    for clip in clips:
        if clip.given is not None:
            table[CLASSES.index(clip.label), CLASSES.index(clip.given)] += 1
    table /= table.sum(axis=1, keepdims=True)
    steps = np.abs(np.subtract.outer(range(4), range(4)))
    assert table[steps == 1].mean() > 3 * table[steps == 2].mean() > 3 * table[steps == 3].mean()
    assert table.diagonal()[1:3].max() < min(table[0, 0], table[3, 3])


def test_the_lenient_annotator_errs_upwards(clips: tuple[ClipTruth, ...]) -> None:
    pairs = [
        (CLASSES.index(c.label), CLASSES.index(c.votes["lenient"])) for c in clips if "lenient" in c.votes
    ]
    wrong = [said > true for true, said in pairs if said != true]
    assert np.mean(wrong) > 0.75


def test_some_clips_have_neither_label_nor_vote(clips: tuple[ClipTruth, ...]) -> None:
    # 0.15 * 0.3 ** 3 = 0.004 of 20 000 = 81 clips
    bare = sum(clip.given is None and not clip.votes for clip in clips)
    assert 40 < bare < 130
