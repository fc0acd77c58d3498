from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit
from curate.labels.posterior import Posterior
from curate.labels.refine import refine
from curate.labels.reliability import given_codes
from curate.labels.selection import Known, Selection, select
from curate.labels.settings import Settings


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """200 clips with a given label, 100 without; three people each, right four times of five."""
    rng = np.random.default_rng(0)
    truth = np.arange(300) % 2
    rows = [(f"c{i:03}", "given", "ab"[truth[i] ^ (rng.random() < 0.2)]) for i in range(200)]
    rows += [
        (f"c{i:03}", f"p{person}", "ab"[truth[i] ^ (rng.random() < 0.2)])
        for i in range(300)
        for person in range(3)
    ]
    return evidence_from_frame(
        pl.DataFrame(rows, schema=["clip_id", "instrument", "outcome"], orient="row"), ["a", "b"]
    )


@pytest.fixture(scope="module")
def posterior(evidence: Evidence) -> Posterior:
    return fit(evidence)


def chosen(evidence: Evidence, posterior: Posterior, gold: np.ndarray, **asked) -> Selection:
    known = Known(gold, gold, np.arange(evidence.n_items), np.full(evidence.n_items, -1))
    return select(evidence, posterior, posterior, posterior, given_codes(evidence), known, Settings(**asked))


@pytest.mark.parametrize("rule", ["threshold", "adaptive", "certificate"])
def test_a_barred_class_is_never_accepted(evidence: Evidence, posterior: Posterior, rule: str) -> None:
    gold = np.where(np.random.default_rng(1).random(300) < 0.7, TRUTH, -1)
    asked = Settings(pseudo_rule=rule, drawn="at random", pseudo_error=0.15, pseudo_threshold=0.6)
    given = given_codes(evidence)
    free = Known(gold, gold, np.arange(300), np.full(300, -1))
    accepted = select(evidence, posterior, posterior, posterior, given, free, asked).pseudo
    some = np.flatnonzero(accepted.accepted)[::2]
    barred = np.full(300, -1)
    barred[some] = accepted.label[some]
    known = Known(gold, gold, np.arange(300), barred)
    found = select(evidence, posterior, posterior, posterior, given, known, asked).pseudo
    assert some.size > 10
    assert not found.accepted[some].any()
    assert (found.label == accepted.label).all()


TRUTH = np.arange(300) % 2
NO_GOLD = np.full(300, -1)


def test_certified_sets_hold_few_wrong_labels(evidence: Evidence, posterior: Posterior) -> None:
    gold = np.where(np.random.default_rng(1).random(300) < 0.7, TRUTH, -1)
    rules = {"rule": "certificate", "pseudo_rule": "certificate", "drawn": "at random"}
    found = chosen(evidence, posterior, gold, **rules, error=0.15, pseudo_error=0.15)
    assert found.certificate.certified
    high = (found.split == "high").fill_null(value=False).to_numpy()
    given = given_codes(evidence)
    assert high.sum() > 40
    assert (given[high] != TRUTH[high]).mean() <= 0.15
    refuted = (gold >= 0) & (given >= 0) & (given != gold)
    assert not high[refuted].any()
    accepted = found.pseudo.accepted
    assert (found.pseudo.label[accepted] != TRUTH[accepted]).mean() <= 0.15
    checked = (gold >= 0) & (given < 0)
    assert (found.pseudo.label[checked] == TRUTH[checked]).all()
    assert accepted.sum() == found.pseudo_certificate.n_kept


def test_without_gold_nothing_is_certified(evidence: Evidence, posterior: Posterior) -> None:
    found = chosen(evidence, posterior, NO_GOLD, rule="certificate")
    assert not found.certificate.certified
    assert (found.split == "high").sum() == 0
    assert found.pseudo_certificate is None


def test_certificates_of_each_class(evidence: Evidence, posterior: Posterior) -> None:
    found = chosen(evidence, posterior, TRUTH, rule="certificate", per_class=True, drawn="at random")
    assert [code for code, _ in found.certificate.classes] == [0, 1]


def test_an_unknown_draw_is_said_to_be_assumed(evidence: Evidence, posterior: Posterior) -> None:
    gold = np.where(np.random.default_rng(1).random(300) < 0.7, TRUTH, -1)
    found = chosen(evidence, posterior, gold, rule="certificate", error=0.2)
    assert found.certificate.statement.startswith("If gold was drawn at random: ")


def test_agreement_counts_the_people_who_say_the_same(evidence: Evidence, posterior: Posterior) -> None:
    found = chosen(evidence, posterior, NO_GOLD, rule="agreement", agreement=0.6)
    votes = evidence.class_votes()[:200] - np.eye(2)[given_codes(evidence)[:200]]
    agreeing = votes[np.arange(200), given_codes(evidence)[:200]] / 3
    assert ((found.split[:200] == "high").to_numpy() == (agreeing >= 0.6)).all()
    assert found.split[200:].is_null().all()


def test_quota_and_threshold(evidence: Evidence, posterior: Posterior) -> None:
    assert (
        chosen(evidence, posterior, NO_GOLD, rule="quota", quota=0.25).split == "high"
    ).sum() == pytest.approx(50, abs=2)
    strict, lax = (
        (chosen(evidence, posterior, NO_GOLD, threshold=t).split == "high").fill_null(value=False).to_numpy()
        for t in (0.9, 0.6)
    )
    assert lax[strict].all()


def test_adaptive_thresholds_accept_more_of_a_rare_class(evidence: Evidence) -> None:
    posterior = fit(evidence)
    doubtful = posterior.probabilities.copy()
    doubtful[200:] = np.where(np.arange(100)[:, None] < 80, [0.95, 0.05], [0.2, 0.8])
    leaning = replace(posterior, probabilities=doubtful)
    fixed = chosen(evidence, leaning, NO_GOLD, pseudo_threshold=0.9).pseudo
    adaptive = chosen(evidence, leaning, NO_GOLD, pseudo_rule="adaptive", pseudo_threshold=0.9).pseudo
    assert fixed.accepted.sum() == 80
    assert adaptive.accepted.sum() == 100


def test_the_estimate_of_the_high_split_holds_though_gold_decides_who_is_in_it() -> None:
    """By quota: gold clips that are wrong leave the split, and must not flatter its estimate."""
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(20):
        truth = rng.integers(0, 2, 400)
        rows = [(f"c{i:03}", "given", "ab"[truth[i] ^ (rng.random() < 0.25)]) for i in range(400)]
        rows += [(f"c{i:03}", "p", "ab"[truth[i] ^ (rng.random() < 0.25)]) for i in range(400)]
        frame = pl.DataFrame(rows, schema=["clip_id", "instrument", "outcome"], orient="row")
        gold = {f"c{i:03}": "ab"[truth[i]] for i in rng.choice(400, 120, replace=False)}
        labels = refine(frame, ["a", "b"], gold=gold, settings=Settings(rule="quota", drawn="at random"))
        before = refine(frame, ["a", "b"], settings=Settings(rule="quota"))
        high = (before.table["reliability_split"] == "high").to_numpy()
        right = (labels.table["label_given"].to_numpy() == np.array(list("ab"))[truth])[high].mean()
        covered += labels.quality.high.low <= right <= labels.quality.high.high
    assert covered >= 17  # of 20 intervals of 95 %
