import polars as pl
import pytest

from curate.answers.measures.controls import SCHEMA, control_table, mean_answers
from curate.answers.measures.share import counted
from curate.answers.measures.stability import stability

ANSWERS = {
    "clip_id": pl.String,
    "item": pl.String,
    "variant": pl.String,
    "control": pl.String,
    "told": pl.List(pl.Float64),
    "source": pl.String,
}
PARTNERS = {"clip_id": pl.String, "other": pl.String, "same_words": pl.Boolean}


def table(*rows: tuple[str, str, list[float] | None], partners: dict[str, str] | None = None) -> pl.DataFrame:
    """The controls of one item; a row is a clip, its control or repeat, and the answer."""
    full = [
        (clip, "gaze", "base", way, told, "logprobs")
        if not way.startswith("repeat")
        else (clip, "gaze", way, "none", told, "logprobs")
        for clip, way, told in rows
    ]
    answers = pl.DataFrame(full, schema=ANSWERS, orient="row")
    pairs = [(clip, other, True) for clip, other in (partners or {}).items()]
    told = pl.DataFrame(pairs, schema=PARTNERS, orient="row")
    return control_table(answers, told, stability(answers), mean_answers(answers.lazy()))


def test_canary_by_hand() -> None:
    found = table(
        ("a", "none", [0.9, 0.1]),
        ("b", "none", [0.2, 0.8]),
        ("c", "none", [0.7, 0.3]),
        ("a", "canary", [0.3, 0.7]),  # b's own answer is another, and it changed: .6 away
        ("b", "canary", [0.4, 0.6]),  # c's own answer is another, and it did not: .2 away
        ("c", "canary", [0.6, 0.4]),  # a's own answer is the same: no change expected, .1 away
        partners={"a": "b", "b": "c", "c": "a"},
    )
    assert found.schema == SCHEMA
    (row,) = found.to_dicts()
    assert (row["item"], row["control"], row["n"], row["n_expected"]) == ("gaze", "canary", 3, 2)
    assert row["changed"] == 0.5
    assert (row["changed_low"], row["changed_high"]) == (counted(1, 2).low, counted(1, 2).high)
    assert row["total_variation"] == pytest.approx((0.6 + 0.2 + 0.1) / 3)
    assert row["noise"] is row["top"] is row["top_share"] is None


def test_no_media_by_hand() -> None:
    found = table(
        ("a", "none", [0.9, 0.1]),
        ("b", "none", [0.2, 0.8]),
        ("c", "none", [0.1, 0.9]),
        ("a", "no_media", [0.7, 0.3]),
        ("b", "no_media", [0.9, 0.1]),
    )
    (row,) = found.to_dicts()
    # With pictures (.4, .6) on average, without (.8, .2); a's answer stays, b's does not.
    assert (row["control"], row["n"], row["n_expected"], row["changed"]) == ("no_media", 2, None, 0.5)
    assert row["total_variation"] == pytest.approx(0.4)
    assert (row["top"], row["top_share"]) == (0, pytest.approx(0.8))


def test_shuffled_by_hand_beside_the_noise_of_repeats() -> None:
    found = table(
        ("a", "none", [0.9, 0.1]),
        ("b", "none", [0.2, 0.8]),
        ("a", "shuffled", [0.4, 0.6]),
        ("b", "shuffled", [0.3, 0.7]),
        ("a", "repeat 1", [0.8, 0.2]),
        ("b", "repeat 1", [0.4, 0.6]),
    )
    (row,) = found.to_dicts()
    assert (row["control"], row["n"], row["changed"]) == ("shuffled", 2, 0.5)
    assert row["total_variation"] == pytest.approx((0.5 + 0.1) / 2)
    assert row["noise"] == pytest.approx((0.1 + 0.2) / 2)


def test_a_canary_that_was_never_to_change_says_nothing() -> None:
    found = table(
        ("a", "none", [0.9, 0.1]), ("b", "none", [0.8, 0.2]), ("a", "canary", [0.8, 0.2]), partners={"a": "b"}
    )
    (row,) = found.to_dicts()
    assert (row["n"], row["n_expected"], row["changed"]) == (1, 0, None)
    assert (row["changed_low"], row["changed_high"]) == (0, 1)


def test_no_controls_give_no_rows() -> None:
    assert table().schema == SCHEMA
    assert table(("a", "none", [0.9, 0.1]), ("a", "canary", None), partners={"a": "a"}).is_empty()
