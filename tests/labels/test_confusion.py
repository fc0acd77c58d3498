import numpy as np
import polars as pl
import pytest

from curate.labels.confusion import (
    choose_strengths,
    confusions,
    even_confusions,
    item_mean,
    pool_mean,
    skills,
)
from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.layout import layout


def evidence_of(n_people: int, n_items: int) -> Evidence:
    people = [("c", f"p{i}", "human", "a") for i in range(n_people)]
    items = [("c", f"q{i}", "vlm", answer) for i in range(n_items) for answer in ("x", "y", "z")]
    frame = pl.DataFrame(people + items, schema=["clip_id", "instrument", "kind", "outcome"], orient="row")
    return evidence_from_frame(frame, ["a", "b"])


def test_pool_mean_by_hand() -> None:
    # One person, 8 of 10 right on either class. With 1 pseudo-vote: overall = (16 + 1) / (20 + 2) = 17/22;
    # by instrument = (16 + 4 * 17/22) / (20 + 4); by class = (8 + 17/22) / (10 + 1).
    counts = np.array([[[8.0, 2.0], [2.0, 8.0]]])
    overall = 17 / 22
    person, on_class = (16 + 4 * overall) / 24, (8 + overall) / 11
    odds = person / (1 - person) * (on_class / (1 - on_class)) / (overall / (1 - overall))
    expected = odds / (1 + odds)
    mean = pool_mean(counts, strength=4.0)
    assert mean[0] == pytest.approx(np.array([[expected, 1 - expected], [1 - expected, expected]]))


def test_people_who_differ_are_shrunk_less() -> None:
    where = layout(evidence_of(20, 0))
    alike = np.zeros((40, 2))
    alike[0::2, 0] = alike[1::2, 1] = 8
    alike[1::2, 0] = alike[0::2, 1] = 2
    differ = alike.copy()
    differ[:20] = differ[:20, ::-1]  # half of them are wrong as often as the others are right
    assert choose_strengths(alike, where).pools[0][0] > choose_strengths(differ, where).pools[0][0]


def test_an_item_that_tells_nothing_says_nothing() -> None:
    where = layout(evidence_of(1, 1))
    counts = np.zeros((5, 2))
    counts[2:] = np.array([[30, 60], [50, 100], [20, 40]])  # the same shares under both classes
    table = confusions(counts, where, choose_strengths(counts, where))
    assert table[2:, 0] == pytest.approx(table[2:, 1], abs=1e-3)


def test_item_mean_is_the_share_of_each_option() -> None:
    # Three options, one pseudo-vote: (3 + 1/3) / 7, (2 + 1/3) / 7, (1 + 1/3) / 7.
    mean = item_mean(np.array([[1.0, 1.0, 1.0], [2.0, 1.0, 0.0]]))
    assert mean[0] == pytest.approx([10 / 21, 7 / 21, 4 / 21])
    assert mean[1] == pytest.approx(mean[0])


@pytest.mark.parametrize("table", [confusions, even_confusions])
def test_rows_sum_to_one_and_nothing_is_impossible(table) -> None:
    evidence = evidence_of(3, 2)
    where = layout(evidence)
    counts = np.random.default_rng(0).gamma(0.3, 5, (12, 2))
    counts[:4] = 0  # two who have said nothing yet
    result = table(counts, where, choose_strengths(counts, where))
    assert (result > 0).all()
    for first, last in zip(evidence.offsets[:-1], evidence.offsets[1:], strict=True):
        assert result[first:last].sum(axis=0) == pytest.approx([1, 1])


def test_even_confusions_have_one_accuracy() -> None:
    where = layout(evidence_of(1, 0))
    counts = np.array([[9.0, 5.0], [1.0, 5.0]])  # 90 % right on a, 50 % on b
    result = even_confusions(counts, where, choose_strengths(counts, where))
    assert result[0, 0] == pytest.approx(result[1, 1])


def test_skill_is_kappa() -> None:
    # Right 90 % on a (share .5) and 70 % on b: agreement .8. It says a in (.9 + .3) / 2 = .6 of clips, so
    # chance is .6 * .5 + .4 * .5 = .5, and kappa (.8 - .5) / (1 - .5) = .6.
    where = layout(evidence_of(1, 0))
    assert skills(np.array([[0.9, 0.3], [0.1, 0.7]]), np.array([0.5, 0.5]), where) == pytest.approx(
        [0.6, 0.6]
    )


def test_skill_of_one_who_always_says_the_same_is_nearly_nothing() -> None:
    where = layout(evidence_of(1, 0))
    assert skills(np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([0.7, 0.3]), where) == pytest.approx(
        [1e-3 / 0.3] * 2
    )
