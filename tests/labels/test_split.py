import math

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from curate.labels.split import split_by_quota, split_by_threshold

SHARE = st.floats(0, 1)
CLIPS = st.lists(st.tuples(st.integers(-1, 2), st.sampled_from([0.2, 0.5, 0.9])), max_size=30)


def arrays(clips: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    labels = np.array([label for label, _ in clips], dtype=np.int64)
    sure = np.array([value if label >= 0 else np.nan for label, value in clips], dtype=np.float64)
    return sure, labels, tuple(f"c{i:02}" for i in range(len(clips)))


def test_threshold_by_hand() -> None:
    found = split_by_threshold(np.array([0.69, 0.7, np.nan]), 0.7)
    assert found.to_list() == ["low", "high", None]


def test_quota_by_hand() -> None:
    # ceil(0.5 * 3) = 2 of the first class, ceil(0.5 * 1) = 1 of the second, though it is the least reliable.
    sure, labels = np.array([0.9, 0.8, 0.7, 0.1, np.nan]), np.array([0, 0, 0, 1, -1])
    found = split_by_quota(sure, labels, ("a", "b", "c", "d", "e"), 0.5)
    assert found.to_list() == ["high", "high", "low", "high", None]


def test_ties_go_to_the_smaller_clip_id() -> None:
    found = split_by_quota(np.array([0.5, 0.5]), np.array([0, 0]), ("z", "a"), 0.5)
    assert found.to_list() == ["low", "high"]


@given(CLIPS, SHARE)
def test_quota_takes_the_rounded_up_share_of_every_class(
    clips: list[tuple[int, float]], quota: float
) -> None:
    sure, labels, ids = arrays(clips)
    high = (split_by_quota(sure, labels, ids, quota) == "high").fill_null(False).to_numpy()
    for label in range(3):
        n = int((labels == label).sum())
        assert high[labels == label].sum() == math.ceil(quota * n - 1e-9)
        if 0 < high[labels == label].sum() < n:
            assert sure[high & (labels == label)].min() >= sure[~high & (labels == label)].max()


@given(CLIPS, SHARE, SHARE)
def test_a_higher_threshold_keeps_no_more(clips: list[tuple[int, float]], one: float, other: float) -> None:
    sure, _, _ = arrays(clips)
    kept = [split_by_threshold(sure, threshold) == "high" for threshold in sorted((one, other))]
    assert (kept[0] | ~kept[1]).fill_null(True).all()


@given(CLIPS, SHARE)
def test_only_clips_with_a_given_label_are_split(clips: list[tuple[int, float]], share: float) -> None:
    sure, labels, ids = arrays(clips)
    for found in (split_by_threshold(sure, share), split_by_quota(sure, labels, ids, share)):
        assert found.dtype == pl.String
        assert found.is_null().to_list() == (labels < 0).tolist()
