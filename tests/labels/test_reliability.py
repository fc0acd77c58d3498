from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from curate.labels import reliability as module
from curate.labels.evaluate import auroc
from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit
from curate.labels.posterior import ClassifierWord, GoldLesson, Posterior
from curate.labels.reliability import (
    TOP,
    contributions,
    given_codes,
    reasons,
    refined_codes,
    reliability,
)


@pytest.fixture(scope="module")
def evidence(world) -> Evidence:
    """The first 300 clips have a given label, the rest have none, one has nothing at all."""
    frame = pl.concat([world.given.head(300), world.items])
    return evidence_from_frame(
        frame, ["low", "middle", "high"], ordinal=True, options=world.options, clip_ids=["silent"]
    )


@pytest.fixture(scope="module")
def posterior(evidence: Evidence) -> Posterior:
    return fit(evidence)


def test_given_codes(evidence: Evidence, world) -> None:
    codes = given_codes(evidence)
    assert codes[300:].tolist() == [-1] * 101
    assert [evidence.classes[code] for code in codes[:300]] == world.given["outcome"].to_list()[:300]


def test_refined_prefers_the_given_label_in_a_tie() -> None:
    tied = np.array([[0.4, 0.4, 0.2]] * 3)
    assert refined_codes(tied, np.array([1, -1, 2])).tolist() == [1, 0, 0]


def test_reliability_is_the_posterior_of_the_given_label() -> None:
    found = reliability(np.array([[0.2, 0.8], [0.5, 0.5]]), np.array([0, -1]))
    assert found == pytest.approx([0.2, np.nan], nan_ok=True)


def test_reliability_tells_right_labels_from_wrong_ones(
    evidence: Evidence, posterior: Posterior, world
) -> None:
    given = given_codes(evidence)[:300]
    found = reliability(posterior.probabilities[:300], given)
    right = given == world.truth[:300]
    assert auroc(found, right) > 0.85
    assert found.mean() == pytest.approx(right.mean(), abs=0.1)


def test_contributions_add_up_to_the_log_odds(evidence: Evidence, posterior: Posterior) -> None:
    rng = np.random.default_rng(0)
    favoured, against = rng.integers(0, 3, (2, evidence.n_items))
    rows = np.arange(evidence.n_items)
    chosen = np.log(posterior.probabilities[rows, favoured] / posterior.probabilities[rows, against])
    sums = (
        contributions(evidence, posterior, favoured, against).group_by("item").agg(pl.col("log_odds").sum())
    )
    assert sums.sort("item")["log_odds"].to_numpy() == pytest.approx(chosen, abs=1e-9)


def test_reasons_are_few_and_largest_first(evidence: Evidence, posterior: Posterior) -> None:
    given = given_codes(evidence)
    refined = refined_codes(posterior.probabilities, given)
    listed = reasons(evidence, posterior, given, refined).to_list()
    assert len(listed) == evidence.n_items
    for why in listed:
        sizes = [abs(reason["log_odds"]) for reason in why if reason["instrument"] != "rest"]
        assert 1 <= len(sizes) <= TOP
        assert sizes == sorted(sizes, reverse=True)
    assert [reason["instrument"] for reason in listed[-1]] == ["prior"]  # the silent clip


def test_a_changed_label_has_a_reason_against_the_given_one(evidence: Evidence, posterior: Posterior) -> None:
    given = given_codes(evidence)
    refined = refined_codes(posterior.probabilities, given)
    changed = np.flatnonzero((given >= 0) & (given != refined))
    why = reasons(evidence, posterior, given, refined)[int(changed[0])].to_list()
    by_name = {reason["instrument"]: reason["log_odds"] for reason in why}
    assert by_name["given"] < 0
    assert max(value for name, value in by_name.items() if name.startswith("item:")) > 0


def test_blocks_of_clips_change_nothing(
    evidence: Evidence, posterior: Posterior, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = given_codes(evidence)
    refined = refined_codes(posterior.probabilities, given)
    whole = reasons(evidence, posterior, given, refined)
    monkeypatch.setattr(module, "BLOCK", 7)
    assert reasons(evidence, posterior, given, refined).equals(whole)


def test_reasons_are_the_largest_contributions(evidence: Evidence, posterior: Posterior) -> None:
    given = given_codes(evidence)
    refined = refined_codes(posterior.probabilities, given)
    changed = np.flatnonzero((given >= 0) & (given != refined))
    parts = contributions(evidence, posterior, refined, np.maximum(given, 0))
    for item in changed[:20].tolist():
        mine = parts.filter(pl.col("item") == item).sort(pl.col("log_odds").abs(), descending=True).head(TOP)
        why = reasons(evidence, posterior, given, refined)[item].struct.unnest()
        why = why.filter(pl.col("instrument") != "rest")
        assert sorted(why["instrument"]) == sorted(mine["instrument"])
        assert why["log_odds"].to_numpy() == pytest.approx(mine["log_odds"].to_numpy())


def test_a_soft_answer_is_listed_under_its_likeliest_option(evidence: Evidence, posterior: Posterior) -> None:
    nothing = np.zeros(evidence.n_items, dtype=np.int64)
    parts = contributions(evidence, posterior, nothing, nothing + 1).filter(pl.col("item") == 5)
    for name, outcome in parts.select("instrument", "outcome").iter_rows():
        rows = [
            r
            for r in np.flatnonzero(evidence.item == 5)
            if evidence.instruments[evidence.instrument[r]].name == name
        ]
        if rows:
            best = rows[int(np.argmax(evidence.weight[rows]))]
            assert outcome == evidence.instruments[evidence.instrument[best]].options[evidence.option[best]]
    assert parts["instrument"].to_list() == sorted(parts["instrument"].to_list())


def test_no_clips_have_no_reasons() -> None:
    frame = pl.DataFrame(schema={"clip_id": pl.String, "instrument": pl.String, "outcome": pl.String})
    nothing = evidence_from_frame(frame, ["a", "b"])
    none = np.empty(0, dtype=np.int64)
    assert reasons(nothing, fit(nothing), none, none).to_list() == []
    assert contributions(nothing, fit(nothing), none, none).is_empty()


def test_contributions_add_up_with_gold_and_classifiers_too(evidence: Evidence, posterior: Posterior) -> None:
    rng = np.random.default_rng(1)
    logs, bias = rng.normal(size=(evidence.n_items, 3)), rng.normal(size=3)
    voted = evidence.is_class_valued[evidence.instrument]
    known = np.where(np.arange(evidence.n_items) < 50, 0, -1)
    lesson = GoldLesson(rng.normal(size=len(voted)) * voted, bias, known)
    taught = replace(posterior, classifiers=(ClassifierWord(1, logs),), lesson=lesson)
    favoured, against = rng.integers(0, 3, (2, evidence.n_items))
    chosen = np.log(posterior.probabilities[np.arange(evidence.n_items)[:, None], np.c_[favoured, against]])
    parts = contributions(evidence, taught, favoured, against)
    sums = parts.group_by("item").agg(pl.col("log_odds").sum()).sort("item")["log_odds"].to_numpy()
    assert sums == pytest.approx(chosen[:, 0] - chosen[:, 1], abs=1e-9)

    def by_clip(table: pl.DataFrame, name: str) -> np.ndarray:
        return table.filter(pl.col("instrument") == name).sort("item")["log_odds"].to_numpy()

    before = contributions(evidence, posterior, favoured, against)
    assert by_clip(parts, "prior")[50:] == pytest.approx(by_clip(before, "prior")[50:])
    assert not by_clip(parts, "prior")[:50].any()  # where the truth is known, it alone speaks
    assert by_clip(parts, "gold")[50:] == pytest.approx((bias[favoured] - bias[against])[50:])
    assert not by_clip(parts, "blend")[:50].any()
    name = evidence.instruments[1].name
    clips = before.filter(pl.col("instrument") == name).sort("item")["item"].to_numpy()
    moved = logs[clips, favoured[clips]] - logs[clips, against[clips]]
    added = by_clip(parts, name) - by_clip(before, name)
    assert added[clips >= 50] == pytest.approx(moved[clips >= 50])
    assert not by_clip(parts, name)[clips < 50].any()


def test_listed_reasons_add_up_too(evidence: Evidence, posterior: Posterior) -> None:
    given = given_codes(evidence)
    refined = refined_codes(posterior.probabilities, given)
    runner_up = np.argsort(posterior.probabilities, axis=1)[:, -2]
    against = np.where((given >= 0) & (given != refined), given, runner_up)
    rows = np.arange(evidence.n_items)
    odds = np.log(posterior.probabilities[rows, refined] / posterior.probabilities[rows, against])
    sums = [
        sum(one["log_odds"] for one in why) for why in reasons(evidence, posterior, given, refined).to_list()
    ]
    assert sums == pytest.approx(odds, abs=1e-9)
