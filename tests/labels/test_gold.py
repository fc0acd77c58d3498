import numpy as np
import polars as pl
import pytest

from curate.errors import InputError
from curate.labels.evidence import Evidence, Floats
from curate.labels.gold import CERTAIN, learn_from_gold
from curate.labels.gold_features import design, scores
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit
from curate.labels.reliability import contributions

CLASSES = ("a", "b", "c")


def crowd(n_clips: int = 300, seed: int = 0) -> tuple[Evidence, np.ndarray]:
    """Eight machines: six that share one error in three, two that are right nine times in ten."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n_clips)
    fooled = rng.random(n_clips) < 0.5
    rows = []
    for machine in range(8):
        wrong = (truth + 1) % 3
        says = np.where(fooled & (rng.random(n_clips) < 0.9), wrong, truth)
        if machine >= 6:
            says = np.where(rng.random(n_clips) < 0.9, truth, wrong)
        rows += [(f"c{i:03}", f"m{machine}", "model", CLASSES[says[i]]) for i in range(n_clips)]
    frame = pl.DataFrame(rows, schema=["clip_id", "instrument", "kind", "outcome"], orient="row")
    return evidence_from_frame(frame, CLASSES), truth


def some(truth: np.ndarray, n_gold: int) -> np.ndarray:
    gold = np.full(len(truth), -1)
    gold[:n_gold] = truth[:n_gold]
    return gold


def accuracy(probabilities: Floats, truth: np.ndarray) -> float:
    return float((probabilities.argmax(axis=1) == truth).mean())


def test_gold_finds_the_few_that_are_right() -> None:
    evidence, truth = crowd()
    posterior = fit(evidence)
    learned = learn_from_gold(evidence, posterior, some(truth, 60))
    assert accuracy(posterior.probabilities[60:], truth[60:]) < 0.7
    assert accuracy(learned.posterior.probabilities[60:], truth[60:]) > 0.85


def test_gold_that_tells_nothing_changes_next_to_nothing() -> None:
    evidence, _ = crowd()
    posterior = fit(evidence)
    likeliest = posterior.probabilities.argmax(axis=1)
    rng = np.random.default_rng(3)
    drawn = np.array([rng.choice(3, p=p / p.sum()) for p in posterior.probabilities])  # as the model believes
    learned = learn_from_gold(evidence, posterior, some(drawn, 20))
    assert (learned.posterior.probabilities.argmax(axis=1)[20:] == likeliest[20:]).mean() > 0.97
    assert learned.shares["as without gold"] > 0.5


def test_gold_clips_keep_their_gold() -> None:
    evidence, truth = crowd(60)
    learned = learn_from_gold(evidence, fit(evidence), some(truth, 10))
    assert learned.posterior.probabilities[np.arange(10), truth[:10]] == pytest.approx(np.full(10, CERTAIN))
    assert learned.posterior.probabilities.sum(axis=1) == pytest.approx(np.ones(60))
    assert learned.held_out.sum(axis=1) == pytest.approx(np.ones(10))


def test_held_out_predictions_owe_nothing_to_their_own_group() -> None:
    # With all gold in one group there is no other fold to learn from: held out is as without gold.
    evidence, truth = crowd(60)
    posterior = fit(evidence)
    learned = learn_from_gold(evidence, posterior, some(truth, 10), groups=np.zeros(60, dtype=np.int64))
    assert learned.held_out == pytest.approx(posterior.probabilities[:10], abs=1e-3)


def test_one_gold_label_is_enough_to_run() -> None:
    evidence, truth = crowd(40)
    learned = learn_from_gold(evidence, fit(evidence), some(truth, 1))
    assert learned.posterior.probabilities.sum(axis=1) == pytest.approx(np.ones(40))


def test_no_gold_is_an_error() -> None:
    evidence, truth = crowd(10)
    with pytest.raises(InputError, match="no clip of the evidence has a gold label"):
        learn_from_gold(evidence, fit(evidence), some(truth, 0))


def test_features_and_scores_are_one_reckoning() -> None:
    """Without the confusions, where a clip's own gold is left out, scores are features @ weights."""
    evidence, truth = crowd(30)
    posterior = fit(evidence)
    clips = np.arange(12)
    made = design(evidence, posterior, clips, truth[:12], clips)
    found = np.random.default_rng(0).normal(size=made.features.shape[2])
    found[3] = 0
    total = made.features @ found
    expected = np.exp(total) / np.exp(total).sum(axis=1, keepdims=True)
    got = np.exp(scores(evidence, posterior, made.change, made.weights(found, evidence)))[:12]
    assert got == pytest.approx(expected)


def test_reasons_still_add_up() -> None:
    evidence, truth = crowd(60)
    posterior = learn_from_gold(evidence, fit(evidence), some(truth, 40)).posterior
    favoured, against = np.full(60, 0), np.full(60, 1)
    parts = contributions(evidence, posterior, favoured, against)
    sums = parts.group_by("item").agg(pl.col("log_odds").sum()).sort("item")["log_odds"].to_numpy()
    likely = posterior.probabilities
    assert sums == pytest.approx(np.log(likely[:, 0] / likely[:, 1]), abs=1e-9)
    by_gold = parts.filter(pl.col("instrument") == "gold").sort("item")["log_odds"].to_numpy()
    assert len(set(by_gold[40:].round(9))) == 1  # the bias of the classes, the same for all
    assert (by_gold[:40][truth[:40] == 0] > by_gold[40]).all()
