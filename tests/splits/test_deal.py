"""The laws of splits."""

import random
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate import tables
from curate.clips.split_names import split_name
from curate.recipe import Splits
from curate.splits.deal import make_splits as deal

CLIPS = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["p", "q", "r", "s", None])),
    min_size=1,
    max_size=60,
)
SHARES = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda pair: (pair[0] / 10, pair[1] / 10))


def make_splits(clips: pl.DataFrame, splits: Splits) -> pl.DataFrame:
    """The clips with the sides that they were dealt to; nothing ties them but groups."""
    made = deal(clips, tables.empty("ties"), splits)
    return clips.drop("split").join(made, on="clip_id", maintain_order="left")


def clips_of(rows: list[tuple[str | None, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "clip_id": [f"{i:016x}" for i in range(len(rows))],
            "label_given": [label for label, _ in rows],
            "group": [group for _, group in rows],
            "recording": [None] * len(rows),
            "recorded_at": [None] * len(rows),
            "split": ["train"] * len(rows),
        },
        schema_overrides=dict.fromkeys(("label_given", "group", "recording", "recorded_at"), pl.String),
    )


def sizes(clips: pl.DataFrame) -> Counter[str]:
    return Counter(clips["split"])


@given(CLIPS, SHARES, st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_groups_stay_whole_and_shares_are_near(
    rows: list[tuple[str | None, str | None]], shares: tuple[float, float], seed: int
) -> None:
    validation, test = shares
    clips = make_splits(clips_of(rows), Splits(make=True, validation=validation, test=test, seed=seed))
    grouped = clips.drop_nulls("group").group_by("group").agg(pl.col("split").n_unique(), n=pl.len())
    assert (grouped["split"] == 1).all()
    largest = max([1, *grouped["n"]])
    targets = {"train": 1 - validation - test, "validation": validation, "test": test}
    for name, share in targets.items():
        assert abs(sizes(clips)[name] - share * len(rows)) < largest + 1e-6


@given(CLIPS, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_row_order_does_not_matter(rows: list[tuple[str | None, str | None]], rnd: random.Random) -> None:
    clips = clips_of(rows)
    shuffled = clips[rnd.sample(range(len(rows)), len(rows))]
    splits = Splits(make=True, validation=0.2, test=0.2)
    assert make_splits(shuffled, splits).sort("clip_id").equals(make_splits(clips, splits))


def test_classes_are_spread_as_the_shares_ask() -> None:
    clips = make_splits(clips_of([("a", None)] * 80 + [("b", None)] * 20), Splits(make=True))
    counts = clips.group_by("split", "label_given").len().rows()
    # 80 % of 80 and of 20, and 10 % of each twice.
    assert sorted(counts) == [
        *[("test", "a", 8), ("test", "b", 2)],
        *[("train", "a", 64), ("train", "b", 16)],
        *[("validation", "a", 8), ("validation", "b", 2)],
    ]


def test_the_seed_chooses() -> None:
    clips = clips_of([("a", None)] * 40)
    one, same, other = (make_splits(clips, Splits(make=True, seed=seed)) for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_a_clip_and_a_group_of_the_same_name_are_two_groups() -> None:
    clips = clips_of([("a", None), ("a", f"{0:016x}")])
    # Half of two is one each, which a single group of two could not give.
    made = make_splits(clips, Splits(make=True, validation=0.5, test=0))
    assert sizes(made) == {"train": 1, "validation": 1}


def test_given_splits_are_kept() -> None:
    clips = clips_of([("a", "p"), ("a", "p")]).with_columns(split=pl.Series(["test", "train"]))
    assert make_splits(clips, Splits())["split"].to_list() == ["test", "train"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Train", "train"),
        ("val", "validation"),
        ("valid", "validation"),
        ("dev ", "validation"),
        ("TEST", "test"),
    ],
)
def test_split_names(written: str, meant: str) -> None:
    assert split_name(written) == meant


def test_other_words_are_no_split() -> None:
    assert split_name("holdout") is None
