import numpy as np
import pytest

from curate.errors import InputError
from curate.labels.classifier import one_hot, out_of_fold_probabilities


def blobs(n_clips: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings around three corners, and their classes."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n_clips) % 3
    return 3 * np.eye(3)[codes] + rng.normal(0, 0.5, (n_clips, 3)), codes


def judged(embeddings: np.ndarray, targets: np.ndarray, groups: np.ndarray, seed: int = 0) -> np.ndarray:
    return out_of_fold_probabilities(embeddings, targets, groups, np.random.default_rng(seed))


def test_one_hot_leaves_unknown_rows_empty() -> None:
    assert one_hot(np.array([1, -1]), 3).tolist() == [[0, 1, 0], [0, 0, 0]]


def test_clear_classes_are_found_and_probabilities_are_proper() -> None:
    embeddings, codes = blobs(150)
    found = judged(embeddings, one_hot(codes, 3), np.arange(150))
    assert (found.argmax(axis=1) == codes).mean() > 0.95
    assert found.sum(axis=1) == pytest.approx(np.ones(150))
    assert (found > 0).all()


def test_the_same_seed_gives_the_same_result() -> None:
    embeddings, codes = blobs(60)
    first, second = (judged(embeddings, one_hot(codes, 3), np.arange(60), seed=7) for _ in range(2))
    assert first.tolist() == second.tolist()


def test_nothing_is_learned_from_clips_of_the_same_group() -> None:
    # The embedding tells the subject, and each subject's clips bear one label, drawn by lot.
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(40), 5)
    codes = rng.integers(0, 2, 40)[subjects]
    embeddings = rng.normal(0, 1, (40, 30))[subjects] + rng.normal(0, 0.01, (200, 30))
    leaking = judged(embeddings, one_hot(codes, 2), np.arange(200))
    honest = judged(embeddings, one_hot(codes, 2), subjects)
    assert (leaking.argmax(axis=1) == codes).mean() > 0.8
    assert (honest.argmax(axis=1) == codes).mean() < 0.65


def test_soft_targets_teach_their_shares() -> None:
    # The embedding tells nothing, so every clip gets the mean target: 0.7 and 0.3.
    targets = np.tile([0.7, 0.3], (200, 1))
    found = judged(np.ones((200, 2)), targets, np.arange(200))
    assert found == pytest.approx(np.tile([0.7, 0.3], (200, 1)), abs=5e-3)


def test_clips_of_which_nothing_is_believed_are_judged_and_teach_nothing() -> None:
    embeddings, codes = blobs(150)
    hidden = np.where(np.arange(150) % 5 == 0, -1, codes)
    found = judged(embeddings, one_hot(hidden, 3), np.arange(150))
    assert (found.argmax(axis=1) == codes)[hidden < 0].mean() > 0.9


def test_a_class_of_one_group_has_less_than_a_clip_of_probability_there() -> None:
    embeddings, codes = blobs(90)
    groups = np.where(codes == 2, 0, 1 + np.arange(90))
    found = judged(embeddings, one_hot(codes, 3), groups)
    # Where class 2 is judged, no clip of it was learned from: at most 1/3 of a clip among 60 or fewer.
    assert (found[codes == 2, 2] < 1 / 3 / 40).all()
    assert (found > 0).all()


def test_a_training_part_with_one_class_gives_its_share() -> None:
    # Two groups hold both classes and two hold class 0 alone; some part may have to learn from those alone.
    codes = np.array([0, 1, 0, 1, 0, 0])
    groups = np.array([0, 0, 1, 1, 2, 3])
    found = out_of_fold_probabilities(
        np.arange(6.0)[:, None], one_hot(codes, 2), groups, np.random.default_rng(0), folds=2
    )
    assert found.sum(axis=1) == pytest.approx(np.ones(6))
    assert (found > 0).all()


def test_too_few_groups_are_told() -> None:
    embeddings, codes = blobs(6)
    with pytest.raises(InputError) as caught:
        judged(embeddings, one_hot(codes, 3), np.zeros(6, dtype=np.int64))
    assert str(caught.value) == (
        "embeddings: 1 to fix\n"
        "  - groups: two classes must occur in two groups or more, found class 0 in 1, class 1 in 1, class 2 "
        "in 1. Label clips of more subjects or sources"
    )


def test_one_class_and_broken_embeddings_are_told_together() -> None:
    embeddings = np.array([[1.0], [np.nan], [2.0]])
    with pytest.raises(InputError) as caught:
        judged(embeddings, one_hot(np.zeros(3, dtype=np.int64), 2), np.arange(3))
    assert [problem.where for problem in caught.value.problems] == ["embeddings", "groups"]
    assert caught.value.problems[0].what == "1 hold a nan or an infinity"


def test_unequal_lengths_and_a_single_part_are_told() -> None:
    embeddings, codes = blobs(6)
    with pytest.raises(
        InputError, match="6 embeddings, 6 targets and 5 groups; one of each per clip expected"
    ):
        judged(embeddings, one_hot(codes, 3), np.arange(5))
    with pytest.raises(InputError, match="1 found, at least 2 expected"):
        out_of_fold_probabilities(
            embeddings, one_hot(codes, 3), np.arange(6), np.random.default_rng(0), folds=1
        )
