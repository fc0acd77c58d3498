import math
from dataclasses import replace
from types import ModuleType

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import tables
from curate.release.content import HowAsked, Tables
from curate.release.metrics import measure
from curate.release.truth import proportion

IDS = [f"{i:016x}" for i in range(5)]


def label_row(i: int, label: str | None, posterior: list[float], split: str | None) -> dict[str, object]:
    refined = "ab"[posterior.index(max(posterior))]
    pseudo = label is None
    return {
        "clip_id": IDS[i],
        "label_given": label,
        "posterior": posterior,
        "soft_label": posterior,
        "label_refined": refined,
        "confidence": max(posterior),
        "reliability": None if label is None else posterior["ab".index(label)],
        "reliability_split": split,
        "pseudo_label": refined if pseudo else None,
        "pseudo_confidence": max(posterior) if pseudo else None,
        "pseudo_accepted": max(posterior) >= 0.9 if pseudo else None,
        "why": [],
    }


@pytest.fixture
def small(synthetic: ModuleType) -> Tables:
    """Five clips: four given labels (one changed) and one clip without."""
    made: Tables = synthetic.make().content.tables
    labels = [
        label_row(0, "a", [0.9, 0.1], "high"),
        label_row(1, "a", [0.2, 0.8], "low"),
        label_row(2, "b", [0.3, 0.7], "low"),
        label_row(3, "b", [0.05, 0.95], "high"),
        label_row(4, None, [0.92, 0.08], None),
    ]
    clips = made.clips.head(5).with_columns(
        clip_id=pl.Series(IDS), label_given=pl.Series(["a", "a", "b", "b", None])
    )
    votes = [(0, "b"), (1, "b"), (2, "b"), (3, "a"), (3, "a"), (4, "a")]
    return replace(
        made,
        clips=clips,
        labels=tables.table("labels", labels),
        votes=tables.table("votes", [{"clip_id": IDS[i], "annotator": "x", "label": v} for i, v in votes]),
        answers=tables.empty("answers"),
        context=tables.empty("context"),
        reasons=tables.empty("reasons"),
        calls=tables.empty("calls"),
    )


@pytest.fixture
def how(synthetic: ModuleType) -> HowAsked:
    found: HowAsked = synthetic.how(synthetic.recipe())
    return found


TRUTH = pl.DataFrame({"clip_id": IDS, "label": ["a", "b", "a", "b", "a"]})


def test_counts_and_changes(small: Tables, how: HowAsked) -> None:
    found = measure(small, "ab", how)
    assert found["counts"]["labelled"] == 4
    assert found["counts"]["per_class"]["a"] == {
        "given": 2, "refined": 1, "high": 1, "low": 1, "pseudo": 1, "pseudo_accepted": 1,
    }  # fmt: skip
    assert found["given"]["change_matrix"] == [[1, 1], [0, 2]]
    assert found["given"]["changed"]["value"] == 1 / 4
    # (0.9 + 0.2 + 0.7 + 0.95) / 4
    assert found["given"]["expected_accuracy"] == pytest.approx(0.6875)
    assert found["pseudo"] == {
        "made": 1, "accepted": 1, "refused": 0, "mean_confidence": pytest.approx(0.92),
    }  # fmt: skip
    assert found["collapse"] == {
        "given": {"class": "a", "share": 0.5},
        "refined": {"class": "b", "share": 0.75},
    }


def test_against_the_truth(small: Tables, how: HowAsked) -> None:
    truth = measure(small, "ab", how, truth=TRUTH, ordinal=True)["truth"]
    assert truth["accuracy_given"]["value"] == 2 / 4  # clips 0 and 3
    assert truth["accuracy_refined"]["value"] == 3 / 4  # clip 2 stays wrong
    # With the given label: 0 ties (1/2), 1 ties (1/2), 2 is b (0), 3 is a (0).
    assert truth["accuracy_majority"]["value"] == pytest.approx((0.5 + 0.5 + 0 + 0) / 4)
    assert (truth["accuracy_high"]["value"], truth["accuracy_low"]["value"]) == (1.0, 0.5)
    assert (truth["accuracy_given_high"]["value"], truth["accuracy_given_low"]["value"]) == (1.0, 0.0)
    assert truth["accuracy_pseudo_accepted"] == proportion(1, 1)
    assert (truth["repaired"], truth["broken"]) == (1, 0)
    assert truth["reliability_auroc"] == 1.0  # right: 0.9, 0.95; wrong: 0.2, 0.7
    # Probability of the truth: 0.9, 0.8, 0.3, 0.95, 0.92.
    assert truth["log_loss"] == pytest.approx(-sum(map(math.log, (0.9, 0.8, 0.3, 0.95, 0.92))) / 5)
    # Bins, a fifteenth wide: 0.7 (wrong); 0.8; 0.9 and 0.92; 0.95 (all right).
    assert truth["ece"] == pytest.approx((0.7 + 0.2 + (2 - 1.82) + 0.05) / 5)
    # a: truth 3, named 2, right 2, F1 4/5; b: truth 2, named 3, right 2, F1 4/5.
    assert truth["macro_f1"] == pytest.approx(0.8)
    assert (truth["distance_given"], truth["distance_refined"]) == (0.5, 0.25)


def test_without_gold_nothing_is_claimed(small: Tables, how: HowAsked) -> None:
    assert measure(small, "ab", how)["truth"] is None


def test_clips_whose_gold_was_learned_are_not_measured(small: Tables, how: HowAsked) -> None:
    gold = tables.table("gold", [{"clip_id": IDS[0], "label": "b"}])
    known = pl.DataFrame({"clip_id": IDS[:2], "label": ["b", "a"]})
    assert measure(replace(small, gold=gold), "ab", how, truth=known)["truth"]["n"] == 1
    assert measure(replace(small, gold=gold), "ab", how)["truth"] is None


def test_estimates_stand_in_for_the_truth(synthetic: ModuleType) -> None:
    found = synthetic.make(with_truth=False, certified=True).content.metrics
    assert (found["accuracy_given"], found["accuracy_refined"]) == (0.7, 0.9)
    assert found["certificates"][0]["certified"] is False
    # Three clips were judged: one is called wrong by both, one by curate alone, one by neither.
    counts = {"clips": 3, "both": 1, "only_ours": 1, "only_cleanlab": 0, "neither": 1}
    assert found["cross_check"] == {"confident_learning": counts, "crowdlab": None}


def test_nothing_asked_gives_null_shares_not_zero(small: Tables, how: HowAsked) -> None:
    found = measure(small, "ab", how)
    assert found["answers"]["share_answered"] is None
    assert found["answers"]["clips_not_asked"] == 5
    assert found["items"][0]["mean_top_probability"] is None


def test_clips_with_nothing_but_unseen_are_counted(synthetic: ModuleType) -> None:
    found = synthetic.make(unseen=1.0).content.metrics["answers"]
    assert (found["answered"], found["unseen"], found["clips_without_answer"]) == (0, 72, 24)


def test_controls_and_variants_do_not_count(synthetic: ModuleType, how: HowAsked) -> None:
    made = synthetic.make().content
    plain = (pl.col("control") == "none") & (pl.col("variant") == "base")
    alone = replace(made.tables, answers=made.tables.answers.filter(plain))
    assert alone.answers.height < made.tables.answers.height
    found = measure(alone, synthetic.CLASSES, how)
    assert found["answers"] == made.metrics["answers"]
    assert found["items"] == made.metrics["items"]


def test_wilson_interval_of_a_known_case() -> None:
    # R: binom::binom.confint(81, 263, methods = "wilson"), Newcombe (1998), table I: 0.2553 to 0.3662.
    found = proportion(81, 263)
    assert (found["low"], found["high"]) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))


@given(st.integers(1, 500), st.data())
def test_an_interval_holds_its_share(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    found = proportion(k, n)
    assert 0 <= found["low"] <= found["value"] + 1e-12
    assert found["value"] - 1e-12 <= found["high"] <= 1
