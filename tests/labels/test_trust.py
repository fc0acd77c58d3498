import numpy as np
import polars as pl
import pytest

from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.trust import FitSettings, Trust, scales

SETTINGS = FitSettings(
    people=Trust(redundancy=0.25, anchor=0.8, even=0.5, skill=0.5),
    machines=Trust(redundancy=1.0, anchor=0.4, even=0.0, skill=1.0),
    item_redundancy=0.5,
    blend=0.4,
)


def evidence_of(people: int, machines: int, items: int) -> Evidence:
    rows = [("c", f"p{i}", "human", "a") for i in range(people)]
    rows += [("c", f"m{i}", "model", "b") for i in range(machines)]
    rows += [("c", f"q{i}", "vlm", "often") for i in range(items)]
    frame = pl.DataFrame(rows, schema=["clip_id", "instrument", "kind", "outcome"], orient="row")
    return evidence_from_frame(frame, ["a", "b"], clip_ids=["silent"])


def weigh(people: int, machines: int, items: int):
    evidence = evidence_of(people, machines, items)
    return scales(evidence, SETTINGS, np.array([people + machines > 0, False]))


def test_five_people_count_as_two_and_a_half() -> None:
    found = weigh(5, 0, 0)
    assert found.rows == pytest.approx([1 / (1 + 4 * 0.25)] * 5)  # 1/2 each
    assert found.prior == pytest.approx([0.5, 1.0])
    assert found.loop_rows.tolist() == [1] * 5
    assert found.anchor == pytest.approx([0.8, 0])
    assert found.blend == pytest.approx([0.4, 0])


def test_machines_together_count_as_one() -> None:
    assert weigh(0, 4, 0).rows == pytest.approx([1 / 4] * 4)
    assert weigh(0, 4, 0).anchor == pytest.approx([0.4, 0])


def test_items_weaken_anchor_and_blend_and_leave_the_prior() -> None:
    # Three items count as 3 / (1 + 2 * 0.5) = 1.5 voices beside one vote: 1 / (1 + 1.5) = 0.4 are votes.
    found = weigh(1, 0, 3)
    assert found.rows == pytest.approx([1, 0.5, 0.5, 0.5])
    assert found.loop_rows == pytest.approx([1, 0.5, 0.5, 0.5])
    assert found.anchor == pytest.approx([0.8 * 0.4, 0])
    assert found.blend == pytest.approx([0.4 * 0.4, 0])
    assert found.prior == pytest.approx([1, 1])


def test_all_that_cannot_be_seen_counts_as_one() -> None:
    answers = ["often", "cannot be seen", "cannot be seen"]
    frame = pl.DataFrame(
        {"clip_id": "c", "instrument": ["q0", "q1", "q2"], "kind": "vlm", "outcome": answers},
    )
    evidence = evidence_from_frame(frame, ["a", "b"])
    found = scales(evidence, SETTINGS, np.array([False]))
    assert found.rows == pytest.approx([1, 1 / 2, 1 / 2])  # the one answer is not diluted


def test_the_prior_gets_the_mean_power_of_those_who_voted() -> None:
    # Five people at power 1/2 are worth 2.5, four machines at 1/4 worth 1: (2.5 / 2 + 1 / 4) / 3.5 = 3/7.
    assert weigh(5, 4, 0).prior[0] == pytest.approx(3 / 7)


def test_where_nobody_votes_the_start_is_the_anchor() -> None:
    evidence = evidence_of(0, 0, 2)
    found = scales(evidence, SETTINGS, np.array([True, False]))
    assert found.anchor == pytest.approx([0.4, 0])
    assert found.blend == pytest.approx([0, 0])
