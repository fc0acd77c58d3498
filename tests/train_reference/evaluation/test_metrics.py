from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, log_loss, recall_score

from train_reference.evaluation.metrics import MEASURES, all_metrics, ece

cases = st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 10_000), st.integers(2, 5)))


def drawn(n: int, seed: int, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n_classes), n), rng.integers(n_classes, size=n)


@given(cases)
def test_as_scikit_learn_has_them(case: tuple[int, int, int]) -> None:
    said, truth = drawn(*case)
    chosen, found = said.argmax(axis=1), all_metrics(said, truth)
    either = sorted({*chosen, *truth})
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, chosen))
    assert found["macro_f1"] == pytest.approx(
        f1_score(truth, chosen, labels=either, average="macro", zero_division=0)
    )
    there = sorted(set(truth))
    assert found["uar"] == pytest.approx(recall_score(truth, chosen, labels=there, average="macro"))
    clipped = np.maximum(said, 1e-6)
    assert found["nll"] == pytest.approx(
        log_loss(truth, clipped / clipped.sum(axis=1, keepdims=True), labels=range(case[2])), abs=1e-4
    )


@given(cases, st.integers(0, 99))
def test_a_clip_of_weight_two_counts_as_two(case: tuple[int, int, int], seed: int) -> None:
    said, truth = drawn(*case)
    times = np.random.default_rng(seed).integers(0, 3, len(truth))
    times[0] = max(1, times[0])
    rows = np.repeat(np.arange(len(truth)), times)
    once = np.ones((1, len(rows)))
    for name, measure in MEASURES.items():
        if name != "ece":  # whose bins stay those of the clips as they are
            weighted = measure(said, truth, times[None].astype(float))
            assert weighted[0] == pytest.approx(measure(said[rows], truth[rows], once)[0])


def test_calibration_by_hand() -> None:
    # Two clips with confidence .8 and .6, one right: each a bin of its own. |1 - .8| and |0 - .6|, halved.
    said = np.array([[0.8, 0.2], [0.6, 0.4]])
    assert ece(said, np.array([0, 1]), np.ones((1, 2)))[0] == pytest.approx((0.2 + 0.6) / 2)


def test_certainty_that_is_wrong_costs_a_finite_amount() -> None:
    assert all_metrics(np.array([[1.0, 0.0]]), np.array([1]))["nll"] == pytest.approx(-log(1e-6))


def test_no_clip() -> None:
    with pytest.raises(ValueError, match="no clip"):
        all_metrics(np.zeros((0, 2)), np.zeros(0, dtype=np.int64))
