import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.labels.queue import Aim
from curate.show.review.choose import (
    LOOK_S,
    Candidates,
    Wish,
    choose,
    expected_look_s,
    is_drawn,
    reviewer_confusion,
)

N = 200
IDS = tuple(f"{number:016x}" for number in range(N))


def candidates(
    known: np.ndarray | None = None, look_s: np.ndarray | None = None, groups: np.ndarray | None = None
) -> Candidates:
    """The later a clip, the surer: the first are evenly between two classes."""
    first = np.linspace(0.5, 1.0, N)
    return Candidates(
        clip_ids=IDS,
        classes=("no", "yes"),
        posterior=np.stack([first, 1 - first], axis=1),
        confusion=reviewer_confusion(2),
        labels=np.zeros(N, dtype=np.int64),
        look_s=np.full(N, 10.0) if look_s is None else look_s,
        known=np.zeros(N, dtype=bool) if known is None else known,
        groups=groups,
    )


def ids(table: pl.DataFrame, purpose: str) -> set[str]:
    return set(table.filter(pl.col("purpose") == purpose)["clip_id"])


def test_the_doubtful_are_chosen_and_a_share_is_drawn() -> None:
    found = choose(candidates(), Wish(20, control=0.25)).table
    assert (len(ids(found, "control")), len(ids(found, "chosen"))) == (5, 15)
    # Of the most doubtful, but for those that were drawn as controls anyhow.
    worst = [clip_id for clip_id in IDS if clip_id not in ids(found, "control")][:15]
    assert ids(found, "chosen") == set(worst)
    assert found["rank"].to_list() == list(range(1, 21))


def test_clips_that_take_longer_are_worth_less_a_minute() -> None:
    # Ten minutes for each of the first fifty: none of them is worth it beside those of ten seconds.
    look_s = np.where(np.arange(N) < 50, 600.0, 10.0)
    found = choose(candidates(look_s=look_s), Wish(20, control=0)).table
    assert min(found["clip_id"]) == IDS[50]


def test_no_subject_fills_the_choice() -> None:
    # Four subjects, a quarter of the list each; twice an even share of 20 is 10.
    found = choose(candidates(groups=np.arange(N) // 50), Wish(20, control=0)).table
    place = {clip_id: row // 50 for row, clip_id in enumerate(IDS)}
    counts = found["clip_id"].replace_strict(place).value_counts()["count"]
    assert counts.max() == 10


def test_the_certificate_looks_near_the_end_of_the_split() -> None:
    found = choose(candidates(), Wish(10, control=0, aim=Aim("certificate", 0.1))).table
    sure = dict(zip(IDS, np.linspace(0.5, 1.0, N), strict=True))
    # Down to .80 one in ten is expected to be wrong: the mean of .80 to 1 is .90.
    assert all(0.7 < sure[clip_id] < 0.9 for clip_id in found["clip_id"])


def test_nobody_is_asked_twice_and_nothing_is_left_in_the_end() -> None:
    known = np.zeros(N, dtype=bool)
    through, seen = "", set[str]()
    for _ in range(30):
        found = choose(candidates(known), Wish(10, control=0.3), through)
        through = found.drawn_through
        assert not seen & set(found.table["clip_id"])
        seen |= set(found.table["clip_id"])
        known |= np.isin(IDS, list(seen))
    assert len(seen) == N  # the surest are worth no look, and were drawn in the end
    assert choose(candidates(np.ones(N, dtype=bool)), Wish(10)).table.is_empty()


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_controls_are_the_beginning_of_one_random_order(n_rounds: int, seed: int) -> None:
    """However clips came to be known, those up to the turn that was reached are a sample of all."""
    rng = np.random.default_rng(seed)
    known = rng.random(N) < 0.3
    before, through = known.copy(), ""
    drawn = set[str]()
    for _ in range(n_rounds):
        found = choose(candidates(known), Wish(10, control=0.5), through)
        through = found.drawn_through
        drawn |= ids(found.table, "control")
        known |= np.isin(IDS, found.table["clip_id"].to_list())
    turn_has_come = {clip_id for clip_id in IDS if is_drawn(clip_id, through)}
    # All of them were drawn, but for those that were known already, by chance or because they are doubtful.
    assert drawn <= turn_has_come
    assert all(known[IDS.index(clip_id)] for clip_id in turn_has_come)
    assert before.any()


def test_the_random_order_has_nothing_to_do_with_doubt() -> None:
    reached = choose(candidates(), Wish(100, control=1.0)).drawn_through
    places = [row for row, clip_id in enumerate(IDS) if is_drawn(clip_id, reached)]
    # Of 100 of 200 places, the mean has a standard error of 4: within four of them of 99.5.
    assert abs(np.mean(places) - 99.5) < 16


def test_what_a_look_takes_is_learned_once_it_was_timed_often_enough() -> None:
    durations = np.array([0.0, 20.0])
    nine, ten = np.full(9, 14.0), np.full(10, 14.0)
    assert expected_look_s(durations, nine, np.full(9, 10.0)).tolist() == [LOOK_S, 20 + LOOK_S]
    assert expected_look_s(durations, ten, np.full(10, 10.0)).tolist() == [4.0, 24.0]


@pytest.mark.parametrize("n_classes", [2, 5])
def test_a_reviewer_is_mostly_right(n_classes: int) -> None:
    confusion = reviewer_confusion(n_classes)
    assert confusion.diagonal().tolist() == pytest.approx([0.95] * n_classes)
    assert confusion.sum(axis=0).tolist() == pytest.approx([1] * n_classes)
