import numpy as np
import polars as pl
import pytest

from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.trust import FitSettings, Trust, people_redundancy, scales

SETTINGS = FitSettings(
    people=Trust(anchor=0.8, even=0.5, skill=0.5, blend=0.4, smoothing=0.5),
    machines=Trust(anchor=0.4, even=0.0, skill=1.0, blend=0.2, smoothing=1.0),
    shared_error=0.25,
    item_redundancy=0.5,
    machine_redundancy=0.5,
    anchor_votes=20,
)


def evidence_of(people: int, machines: int, items: int) -> Evidence:
    rows = [("c", f"p{i}", "human", "a") for i in range(people)]
    rows += [("c", f"m{i}", "model", "b") for i in range(machines)]  # one group
    rows += [("c", f"q{i}", "vlm", "often") for i in range(items)]
    frame = pl.DataFrame(rows, schema=["clip_id", "instrument", "kind", "outcome"], orient="row")
    return evidence_from_frame(frame, ["a", "b"], clip_ids=["silent"])


def weigh(people: int, machines: int, items: int):
    evidence = evidence_of(people, machines, items)
    return scales(evidence, SETTINGS, np.array([people + machines > 0, False]))


def test_votes_count_by_their_redundancy() -> None:
    # All five agree on the one clip: alpha is 1 there, drawn by 20 clips of 0.4 to 9 / 21.
    redundancy = 0.25 * (1 * 1 + 20 * 0.4) / 21
    power = 1 / (1 + 4 * redundancy)
    found = weigh(5, 0, 0)
    assert found.rows == pytest.approx([power] * 5)
    assert found.prior == pytest.approx([power, 1.0])
    assert found.loop_rows.tolist() == [1] * 5
    assert found.anchor == pytest.approx([0.8 / (1 + 5 / 20), 0])
    assert found.blend == pytest.approx([0.4, 0])
    # One clip has several votes: (20 * 1.0 + 1 * 0.5) / 21 votes are spread over the classes.
    assert found.smoothing == pytest.approx([20.5 / 21, 20.5 / 21])


def test_machines_of_one_group_count_as_one() -> None:
    assert weigh(0, 4, 0).rows == pytest.approx([1 / 4] * 4)
    assert weigh(0, 4, 0).anchor == pytest.approx([0.4 / (1 + 4 / 20), 0])


def test_groups_of_machines_repeat_each_other_in_part() -> None:
    frame = pl.DataFrame(
        {
            "clip_id": "c",
            "instrument": ["m0", "m1", "m2"],
            "kind": "model",
            "group": ["x", "x", "y"],
            "outcome": "a",
        }
    )
    found = scales(evidence_from_frame(frame, ["a", "b"]), SETTINGS, np.array([True]))
    # Two groups, each a vote: 1 / (1 + 1 * 0.5) = 2/3, which the two of group x share.
    assert found.rows == pytest.approx([1 / 3, 1 / 3, 2 / 3])


def test_where_people_agree_they_may_err_alike() -> None:
    votes = [("c1", "a", "a"), ("c2", "b", "b"), ("c3", "a", "a"), ("c4", "b", "b")]
    rows = [(clip, f"p{i}", vote) for clip, *both in votes for i, vote in enumerate(both)]
    frame = pl.DataFrame(rows, schema=["clip_id", "instrument", "outcome"], orient="row")
    agreed = evidence_from_frame(frame, ["a", "b"])
    split = evidence_from_frame(
        frame.with_columns(
            outcome=pl.when(pl.col("instrument") == "p1").then(pl.lit("a")).otherwise("outcome")
        ),
        ["a", "b"],
    )
    # Four clips of alpha 1 beside twenty of 0.4: 0.5 of it is 0.25.
    everybody = np.ones(8, dtype=bool)
    assert people_redundancy(agreed, everybody, 0.5) == pytest.approx(0.5 * (4 * 1 + 20 * 0.4) / 24)
    assert people_redundancy(split, everybody, 0.5) < 0.2


def test_items_weaken_anchor_and_blend_and_leave_the_prior() -> None:
    # Three items count as 3 / (1 + 2 * 0.5) = 1.5 voices beside one vote: 1 / (1 + 1.5) = 0.4 are votes.
    found = weigh(1, 0, 3)
    assert found.rows == pytest.approx([1, 0.5, 0.5, 0.5])
    assert found.loop_rows == pytest.approx([1, 0.5, 0.5, 0.5])
    assert found.anchor == pytest.approx([0.8 * 0.4 / (1 + 1 / 20), 0])
    assert found.blend == pytest.approx([0.4 * 0.4, 0])
    assert found.prior == pytest.approx([1, 1])


def test_all_that_cannot_be_seen_counts_as_one() -> None:
    answers = ["often", "cannot be seen", "cannot be seen"]
    frame = pl.DataFrame(
        {"clip_id": "c", "instrument": ["q0", "q1", "q2"], "kind": "vlm", "outcome": answers},
    )
    options = dict.fromkeys(("q0", "q1", "q2"), ("never", "often", "cannot be seen"))
    evidence = evidence_from_frame(frame, ["a", "b"], options=options)
    found = scales(evidence, SETTINGS, np.array([False]))
    assert found.rows == pytest.approx([1, 1 / 2, 1 / 2])  # the one answer is not diluted


def test_the_prior_gets_the_mean_power_of_those_who_voted() -> None:
    # Four machines at power 1/4 are worth 1 vote, a person at 1 another: (1 * 1 + 1 * 1/4) / 2.
    assert weigh(1, 4, 0).prior[0] == pytest.approx(5 / 8)


def test_where_nobody_votes_the_start_is_the_anchor() -> None:
    evidence = evidence_of(0, 0, 2)
    found = scales(evidence, SETTINGS, np.array([True, False]))
    assert found.anchor == pytest.approx([0.4, 0])
    assert found.blend == pytest.approx([0, 0])
