import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, fisher_exact

from curate.answers.measures.collapse import CHANCE, SCHEMA, collapse

CLASSES = ("neutral", "happy", "sad")


def labels(*counts: int) -> np.ndarray:
    return np.repeat(np.eye(len(counts)), counts, axis=0)


def sinks(table: pl.DataFrame) -> list[str]:
    return table.filter("sink")["label"].to_list()


def test_a_neutral_sink_by_hand() -> None:
    found = collapse(labels(80, 15, 5), CLASSES, np.array([40, 40, 20]))
    assert found.schema == SCHEMA
    assert found["n"].to_list() == [80, 15, 5]
    assert found["share"].to_list() == [0.8, 0.15, 0.05]
    assert found["expected"].to_list() == [0.4, 0.4, 0.2]
    assert found["ratio"].to_list() == pytest.approx([2, 0.375, 0.25])
    wanted = fisher_exact([[80, 20], [40, 60]], alternative="greater").pvalue
    assert found["p_value"][0] == pytest.approx(wanted)
    assert sinks(found) == ["neutral"]


def test_without_a_reference_all_classes_are_expected_alike() -> None:
    for reference in (None, np.zeros(3, dtype=np.int64)):
        found = collapse(labels(3, 20, 1), CLASSES, reference)
        assert found["expected"].to_list() == pytest.approx([1 / 3] * 3)
        assert found["p_value"][1] == pytest.approx(binomtest(20, 24, 1 / 3, alternative="greater").pvalue)
        assert sinks(found) == ["happy"]


def test_a_common_class_is_no_sink() -> None:
    assert sinks(collapse(labels(80, 15, 5), CLASSES, np.array([78, 16, 6]))) == []


def test_a_small_excess_of_many_clips_is_no_sink() -> None:
    found = collapse(labels(42_000, 38_000, 20_000), CLASSES, np.array([40_000, 40_000, 20_000]))
    assert found["p_value"][0] < 1e-6
    assert sinks(found) == []


def test_posteriors_count_in_parts_and_what_was_not_concluded_does_not() -> None:
    rows = np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5], [np.nan] * 3])
    found = collapse(rows, CLASSES)
    assert found["n"].to_list() == [0.75, 0.75, 0.5]
    assert found["share"].sum() == pytest.approx(1)


def test_nothing_concluded() -> None:
    found = collapse(np.empty((0, 3)), CLASSES, np.array([1, 2, 3]))
    assert found["share"].is_nan().all()
    assert found["ratio"].is_nan().all()
    assert sinks(found) == []
    assert found["p_value"].to_list() == [1, 1, 1]


def test_a_class_that_the_reference_lacks() -> None:
    found = collapse(labels(30, 0, 10), CLASSES, np.array([0, 0, 50]))
    assert found["ratio"].to_list() == pytest.approx([np.inf, np.nan, 0.25], nan_ok=True)
    assert sinks(found) == ["neutral"]


@given(st.lists(st.integers(0, 50), min_size=2, max_size=6), st.integers(0, 1000))
def test_the_order_of_classes_does_not_matter(counts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, 30, len(counts))
    names = [f"k{place}" for place in range(len(counts))]
    moved = rng.permutation(len(counts))
    one = collapse(labels(*counts), names, reference).drop("sink")
    other = collapse(labels(*counts)[:, moved], [names[k] for k in moved], reference[moved]).drop("sink")
    for left, right in zip(one.sort("label").rows(), other.sort("label").rows(), strict=True):
        assert left[0] == right[0]
        assert left[1:] == pytest.approx(right[1:], nan_ok=True)


def test_a_sink_is_seldom_found_where_there_is_none() -> None:
    """Labels and reference of the same shares, 400 times: fewer false alarms than promised, with room."""
    rng = np.random.default_rng(3)
    shares = np.array([0.5, 0.3, 0.2])
    found = [
        sinks(collapse(labels(*rng.multinomial(60, shares)), CLASSES, rng.multinomial(60, shares)))
        for _ in range(400)
    ]
    # CHANCE of 400 is 4; 12 or more would be of chance 1e-3.
    assert sum(map(bool, found)) <= 3 * CHANCE * 400


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"\(n_clips, 3\), got shape \(2, 2\)"):
        collapse(np.eye(2), CLASSES)
    with pytest.raises(ValueError, match="3 counts"):
        collapse(np.eye(3), CLASSES, np.array([1, 2, -1]))
