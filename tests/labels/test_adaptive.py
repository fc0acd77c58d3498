import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.labels.adaptive import adaptive_thresholds


def draw(seed: int, n_classes: int, n_clips: int = 30) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(rng.uniform(0.2, 2, n_classes), n_clips)


SEED, N_CLASSES = st.integers(0, 1000), st.integers(2, 6)


def test_by_hand() -> None:
    # Means of the classes .6 and .4, mean confidence (.9 + .7) / 2 = .8: .8 and .8 * .4 / .6.
    found = adaptive_thresholds(np.array([[0.9, 0.1], [0.3, 0.7]]))
    assert found == pytest.approx([0.8, 0.8 * 2 / 3])


def test_a_base_takes_the_place_of_the_mean_confidence() -> None:
    found = adaptive_thresholds(np.array([[0.9, 0.1], [0.3, 0.7]]), base=0.9)
    assert found == pytest.approx([0.9, 0.6])


def test_without_clips_nothing_can_be_accepted() -> None:
    assert adaptive_thresholds(np.zeros((0, 3))).tolist() == [1, 1, 1]


@given(SEED, N_CLASSES)
def test_the_commonest_class_has_the_mean_confidence_and_no_class_more(seed: int, n_classes: int) -> None:
    probabilities = draw(seed, n_classes)
    found = adaptive_thresholds(probabilities)
    assert found.max() == pytest.approx(probabilities.max(axis=1).mean())
    assert found.argmax() == probabilities.mean(axis=0).argmax()
    assert (np.argsort(found) == np.argsort(probabilities.mean(axis=0))).all()


@given(SEED, N_CLASSES)
def test_names_of_classes_order_and_copies_of_clips_do_not_matter(seed: int, n_classes: int) -> None:
    probabilities, rng = draw(seed, n_classes), np.random.default_rng(seed)
    classes, clips = rng.permutation(n_classes), rng.permutation(len(probabilities))
    moved = np.repeat(probabilities[clips][:, classes], 2, axis=0)
    assert adaptive_thresholds(moved) == pytest.approx(adaptive_thresholds(probabilities)[classes])


@given(SEED, N_CLASSES)
def test_equally_common_classes_share_one_threshold(seed: int, n_classes: int) -> None:
    probabilities = draw(seed, n_classes)
    turned = np.concatenate([np.roll(probabilities, k, axis=1) for k in range(n_classes)])
    found = adaptive_thresholds(turned)
    assert found == pytest.approx(np.full(n_classes, found[0]))
