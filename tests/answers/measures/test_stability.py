import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.answers.measures.stability import SCHEMA, stability

COLUMNS = {
    "clip_id": pl.String,
    "item": pl.String,
    "variant": pl.String,
    "control": pl.String,
    "told": pl.List(pl.Float64),
}


def answers(*rows: tuple[str, str, str, list[float] | None], control: str = "none") -> pl.DataFrame:
    full = [(clip_id, item, variant, control, told) for clip_id, item, variant, told in rows]
    return pl.DataFrame(full, schema=COLUMNS, orient="row")


def test_by_hand() -> None:
    found = stability(
        answers(
            ("a", "gaze", "base", [0.9, 0.1]),
            ("a", "gaze", "order 1", [0.4, 0.6]),
            ("a", "gaze", "order 2", [0.9, 0.1]),
            ("b", "gaze", "base", [0.9, 0.1]),
            ("b", "gaze", "order 1", [0.8, 0.2]),
            ("a", "gaze", "wording 1", [0.9, 0.1]),
            ("b", "gaze", "repeat 1", [0.1, 0.9]),
        )
    )
    assert found.rows() == [
        # Clip a: half of its answers are the same, .25 apart on average. Clip b: the same, .1 apart.
        ("gaze", "order", 2, 3, pytest.approx(0.75), pytest.approx((0.25 + 0.1) / 2)),
        ("gaze", "repeat", 1, 1, 0.0, pytest.approx(0.8)),
        ("gaze", "wording", 1, 1, 1.0, 0.0),
    ]


def test_what_cannot_be_compared_is_left_out() -> None:
    rows = answers(
        ("a", "gaze", "base", None),
        ("a", "gaze", "order 1", [0.4, 0.6]),
        ("b", "gaze", "base", [0.4, 0.6]),
        ("b", "gaze", "order 1", None),
        ("b", "gaze", "reason", [0.4, 0.6]),
    )
    shuffled = answers(("b", "gaze", "order 2", [0.6, 0.4]), control="shuffled")
    found = stability(pl.concat([rows, shuffled]))
    assert found.is_empty()
    assert found.schema == SCHEMA


def test_no_answers_give_no_rows() -> None:
    assert stability(answers()).schema == SCHEMA


@given(st.integers(0, 1000), st.integers(2, 6))
def test_the_names_and_order_of_options_do_not_matter(seed: int, n_options: int) -> None:
    rng = np.random.default_rng(seed)
    moved = rng.permutation(n_options)
    told = rng.dirichlet(np.ones(n_options), (5, 3))
    variants = ["base", "order 1", "order 2"]

    def table(probs: np.ndarray) -> pl.DataFrame:
        return answers(
            *[
                (f"c{clip}", "item", variant, probs[clip, place].tolist())
                for clip in range(5)
                for place, variant in enumerate(variants)
            ]
        )

    one, other = stability(table(told)).row(0), stability(table(told[..., moved])).row(0)
    assert one == pytest.approx(other)
    assert 0 <= one[4] <= 1
    assert 0 <= one[5] <= 1
