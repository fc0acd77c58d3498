import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.labels.batch import Batch, draw_batch

ANY = Batch(class_excess=100, same_answers=1.0)


def posteriors(seed: int, n_clips: int, n_classes: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(n_classes), n_clips)


def test_without_rules_the_worthiest_clips_are_chosen() -> None:
    worth = np.array([0.1, 0.4, 0.0, 0.4, 0.3])
    assert draw_batch(worth, posteriors(0, 5), 3, ANY).tolist() == [1, 3, 4]


def test_clips_worth_nothing_are_left_out() -> None:
    assert draw_batch(np.array([0.0, 0.2]), posteriors(0, 2), 5, ANY).tolist() == [1]


def test_one_subject_does_not_fill_the_batch() -> None:
    worth, groups = np.array([0.9, 0.8, 0.7, 0.1]), np.array([5, 5, 5, 2])
    batch = Batch(per_group=1, class_excess=100)
    assert draw_batch(worth, posteriors(0, 4), 4, batch, groups).tolist() == [0, 3]


def test_a_clip_with_the_same_answers_is_worth_less() -> None:
    # The second of the equal clips is worth .8 * .5 = .4, less than .5; the third .8 * .25 = .2.
    same = np.tile([0.5, 0.3, 0.2], (3, 1))
    probabilities = np.vstack([same, [0.2, 0.5, 0.3]])
    worth = np.array([0.8, 0.8, 0.8, 0.5])
    found = draw_batch(worth, probabilities, 4, Batch(class_excess=100, same_answers=0.5))
    assert found.tolist() == [0, 3, 2, 1]  # of equals, .236 = 2 * .618 - 1 comes before .618


def test_a_clip_that_looks_the_same_is_worth_less() -> None:
    embeddings = np.array([[1.0, 0.0], [2.0, 0.01], [0.0, 1.0], [0.0, 0.0]])
    worth = np.array([0.8, 0.79, 0.5, 0.45])  # beside the first, the second is worth .395
    found = draw_batch(worth, posteriors(0, 4), 4, Batch(class_excess=100), embeddings=embeddings)
    assert found.tolist() == [0, 2, 3, 1]


def test_one_class_does_not_fill_the_batch_while_there_are_others() -> None:
    probabilities = np.array([[0.6, 0.2, 0.2]] * 4 + [[0.2, 0.6, 0.2]] * 6 + [[0.1, 0.1, 0.8]] * 10)
    probabilities += np.arange(20)[:, None] * [1e-3, -1e-3, 0]
    worth = np.where(np.arange(20) < 4, 1.0, 0.5)
    # Class 0 has about a quarter of the mass: with no excess, a third of the 6 places is more.
    found = draw_batch(worth, probabilities, 6, Batch(class_excess=0, same_answers=1.0))
    assert np.bincount(probabilities[found].argmax(axis=1)).tolist() == [2, 2, 2]
    assert (
        len(draw_batch(worth[:4], probabilities[:4], 4, Batch(class_excess=0))) == 4
    )  # nothing else is left


@given(st.integers(0, 100), st.integers(1, 12), st.floats(0.1, 1), st.booleans())
def test_it_is_the_greedy_choice(seed: int, size: int, left: float, looks: bool) -> None:
    """Against the plain rule: each time, look at every clip anew."""
    rng = np.random.default_rng(seed)
    probabilities = posteriors(seed, 4)[rng.integers(0, 4, 12)]
    embeddings = np.eye(4)[rng.integers(0, 4, 12)]
    worth = rng.integers(1, 6, 12) / 5
    batch = Batch(class_excess=100, same_answers=left, same_looks=left)
    found = draw_batch(worth, probabilities, size, batch, embeddings=embeddings if looks else None)
    keys = embeddings if looks else np.round(probabilities, 3)

    def now(chosen: list[int]) -> np.ndarray:
        like = [sum(bool((key == keys[other]).all()) for other in chosen) for key in keys]
        return np.where(np.isin(np.arange(12), chosen), -1, worth * left ** np.array(like))

    assert len(set(found.tolist())) == size
    for place, clip in enumerate(found):
        added = now(found[:place].tolist())
        assert added[clip] == pytest.approx(added.max())
