"""What must stay together, and what leaks."""

import io
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from curate import tables
from curate.recipe import Splits
from curate.splits.deal import make_splits
from curate.splits.duplicates import near_duplicates
from curate.splits.leakage import leakage
from curate.splits.likeness import alike
from curate.splits.looks import Looks, bits_of, clip_bits, look
from curate.splits.pairs import candidates
from curate.splits.ties import tie_table, units
from curate.splits.windows import neighbours

EVERY = Splits().together


def ids(n: int) -> list[str]:
    return [f"{number:016x}" for number in range(n)]


def clips(n: int, **columns: Sequence[object]) -> pl.DataFrame:
    """Table clips, as far as splits read it."""
    names = ("group", "recording", "recorded_at", "label_given")
    told = {name: columns.get(name, [None] * n) for name in names}
    seconds = {name: columns.get(name, [None] * n) for name in ("start_s", "end_s")}
    return pl.DataFrame(
        {"clip_id": ids(n), "split": columns.get("split", ["train"] * n), **told, **seconds},
        schema_overrides=dict.fromkeys(names, pl.String) | dict.fromkeys(seconds, pl.Float64),
    )


def picture(seed: int) -> Image.Image:
    """A picture like no other: some large shapes and some detail."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (9, 12, 3), dtype=np.uint8)).resize((320, 240))
    fine = Image.fromarray(rng.integers(0, 255, (240, 320, 3), dtype=np.uint8))
    return Image.blend(coarse, fine, 0.1)


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    held = io.BytesIO()
    image.save(held, "JPEG", quality=quality)
    return held.getvalue()


def found(pictures: Sequence[Sequence[bytes]]) -> list[tuple[int, int]]:
    looks = [np.stack([look(one) for one in clip]) for clip in pictures]

    def looks_of(place: int) -> Looks:
        return looks[place]

    return [
        (one, other)
        for one, other, _ in near_duplicates(clip_bits([bits_of(one) for one in looks]), looks_of)
    ]


def test_a_clip_compressed_scaled_and_brightened_is_found_and_others_are_not() -> None:
    clip = [picture(seed) for seed in range(4)]
    worse = [jpeg(one.resize((96, 72)), 30) for one in clip]
    brighter = [jpeg(one.point(lambda level: min(255, level // 2 + 90))) for one in clip]
    softer = [jpeg(one.filter(ImageFilter.GaussianBlur(2))) for one in clip]
    other = [jpeg(picture(seed)) for seed in range(10, 14)]
    assert found([[jpeg(one) for one in clip], worse, brighter, softer, other]) == [
        (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)
    ]  # fmt: skip


def test_a_part_of_a_clip_is_found_and_a_single_common_picture_is_not_enough() -> None:
    whole = [jpeg(picture(seed)) for seed in range(6)]
    assert found([whole, whole[2:4]]) == [(0, 1)]
    apart = [whole[0], *(jpeg(picture(seed)) for seed in range(20, 25))]
    assert found([whole, apart]) == []


def test_pictures_of_one_grey_are_like_nothing() -> None:
    grey = jpeg(Image.new("RGB", (320, 240), (90, 90, 90)))
    assert found([[grey, grey], [grey, grey]]) == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=40))
def test_candidates_are_all_owners_that_share_a_band(rows: list[tuple[int, int]]) -> None:
    owner = np.array([who for who, _ in rows], dtype=np.int64)
    bits = np.array([[int(bit) for bit in f"{value:016b}"] for _, value in rows], dtype=bool).reshape(-1, 16)
    shared = {tuple(sorted((a, b))) for a, x in rows for b, y in rows if x == y and a != b}
    # A row's owner may be far in the list; neighbours in a bucket link all of them.
    pairs = {(int(a), int(b)) for a, b in candidates(bits, owner)}
    assert pairs == shared


def test_vectors_that_point_the_same_way_are_alike() -> None:
    rng = np.random.default_rng(0)
    base = rng.standard_normal((50, 128))
    near = base[:5] * 3 + 0.05 * rng.standard_normal((5, 128))
    pairs = alike(np.vstack([base, near, np.zeros((2, 128))]), 0.98)
    assert [(one, other) for one, other, _ in pairs] == [(place, 50 + place) for place in range(5)]
    assert all(0.98 <= cosine <= 1 for *_, cosine in pairs)


def test_windows_of_one_recording_that_touch_are_neighbours() -> None:
    table = clips(
        5,
        recording=["a", "a", "a", "b", None],
        start_s=[0.0, 2.0, 9.0, 2.0, 2.0],
        end_s=[2.0, 4.0, 11.0, 4.0, 4.0],
    )
    one, two, *_ = ids(5)
    assert neighbours(table, 1.0).rows() == [(one, two, 0.0)]
    assert neighbours(table, 6.0).height == 2  # 5 s lie between the second and the third
    assert neighbours(table, 0.0).height == 0


def test_ties_are_told_once_and_never_of_a_clip_with_itself() -> None:
    a, b, c = ids(3)
    made = tie_table({"near_duplicate": [(b, a, 0.96), (a, b, 0.99), (c, c, 1.0)], "window": [(a, b, -1.0)]})
    assert made.rows() == [(a, b, "near_duplicate", 0.99), (a, b, "window", -1.0)]


def test_units_are_linked_through_others() -> None:
    a, b, c, d, e = ids(5)
    table = clips(5, group=["p", "p", None, None, None], recording=[None, "v", "v", None, None])
    ties = tie_table({"embedding": [(c, d, 0.99)]})
    assert units(table, ties, EVERY) == [a, a, a, a, e]
    assert units(table, ties, ["group"]) == [a, a, c, d, e]
    assert units(table, ties, ["embedding"]) == [a, b, c, c, e]


@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=30),
    st.integers(0, 3),
)
def test_made_splits_never_leak(n: int, pairs: list[tuple[int, int]], seed: int) -> None:
    mine = [(one % n, other % n) for one, other in pairs]
    names = ids(n)
    ties = tie_table({"near_duplicate": [(names[one], names[other], 0.99) for one, other in mine]})
    table = clips(n, group=[f"g{number // 3}" for number in range(n)])
    splits = Splits(make=True, validation=0.2, test=0.2, folds=3, seed=seed)
    made = make_splits(table, ties, splits)
    assert leakage(table, ties, made, splits).is_empty()
    by_unit = made.group_by("unit").agg(pl.col("split").n_unique(), pl.col("fold").n_unique())
    assert (by_unit["split"] == 1).all()
    assert (by_unit["fold"] == 1).all()
    assert made.filter(pl.col("split") == "test")["fold"].null_count() == (made["split"] == "test").sum()


def test_given_splits_that_leak_are_told_with_the_reason() -> None:
    a, b, c, d = ids(4)
    table = clips(
        4,
        split=["train", "test", "train", "validation"],
        group=["p", "p", None, None],
        recording=[None, None, "v", "v"],
    )
    ties = tie_table({"near_duplicate": [(a, d, 0.97)]})
    given_splits = Splits()
    found_leaks = leakage(table, ties, make_splits(table, ties, given_splits), given_splits)
    assert found_leaks.select("kind", "clip_id", "split", "other", "other_split", "what").rows() == [
        ("group", a, "train", b, "test", "both of group p"),
        ("near_duplicate", a, "train", d, "validation", "nearly the same pictures"),
        ("recording", c, "train", d, "validation", "both of recording v"),
    ]


def test_in_order_of_time_train_comes_first() -> None:
    days = [f"2026-01-{day:02d}T00:00:00+00:00" for day in range(1, 11)]
    table = clips(10, recorded_at=days[::-1])
    splits = Splits(make=True, order="time", validation=0.2, test=0.3)
    made = make_splits(table, tables.empty("ties"), splits)
    by_time = [side for _, side in sorted(zip(table["recorded_at"], made["split"], strict=True))]
    assert by_time == ["train"] * 5 + ["validation"] * 2 + ["test"] * 3
    assert leakage(table, tables.empty("ties"), made, splits).is_empty()


def test_a_subject_that_spans_the_edge_of_time_leaks_and_is_told() -> None:
    days = [f"2026-01-{day:02d}T00:00:00+00:00" for day in range(1, 7)]
    table = clips(6, recorded_at=days, split=["train", "train", "test", "train", "test", "test"])
    splits = Splits(order="time")
    found_leaks = leakage(
        table, tables.empty("ties"), make_splits(table, tables.empty("ties"), splits), splits
    )
    assert found_leaks.select("kind", "clip_id", "other").rows() == [("time", ids(6)[3], ids(6)[2])]


@pytest.mark.parametrize("order", ["random", "time"])
def test_clips_of_an_earlier_release_keep_their_side(order: str) -> None:
    n = 40
    days = [f"2026-02-{1 + number % 28:02d}T00:00:00+00:00" for number in range(n)]
    splits = Splits.model_validate({"make": True, "validation": 0.2, "test": 0.2, "order": order})
    few = clips(n, recorded_at=days).head(25)
    before = dict(make_splits(few, tables.empty("ties"), splits).select("clip_id", "split").iter_rows())
    every = make_splits(clips(n, recorded_at=days), tables.empty("ties"), splits, before)
    after = dict(every.select("clip_id", "split").iter_rows())
    assert {clip_id: after[clip_id] for clip_id in before} == before


def test_a_new_tie_to_a_test_clip_draws_a_train_clip_over() -> None:
    a, b, *_ = ids(4)
    ties = tie_table({"near_duplicate": [(a, b, 0.99)]})
    made = make_splits(clips(4), ties, Splits(make=True), {a: "train", b: "test"})
    assert made["split"].to_list()[:2] == ["test", "test"]
