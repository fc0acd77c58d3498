import numpy as np
import pytest

from train_reference.evaluation.comparison import Interval, compare, table, verdict


def said_with(accuracy: float, truth: np.ndarray, seed: int) -> np.ndarray:
    """Probabilities whose likeliest class is right for about a share of the clips."""
    rng = np.random.default_rng(seed)
    chosen = np.where(rng.random(len(truth)) < accuracy, truth, (truth + 1) % 3)
    return np.eye(3, dtype=np.float32)[chosen] * 0.7 + 0.1


TRUTH = np.arange(300) % 3
GROUPS = np.array([f"subject {k // 10}" for k in range(300)])


def test_a_true_difference_is_found_and_none_is_made_up() -> None:
    seeds = range(5)
    said = {
        "given": [said_with(0.6, TRUTH, seed) for seed in seeds],
        "curriculum": [said_with(0.8, TRUTH, 100 + seed) for seed in seeds],
        "soft": [said_with(0.6, TRUTH, 300 + seed) for seed in seeds],
    }
    found = compare(said, TRUTH, GROUPS, seeds)
    gain = found.differences["curriculum"]["given"]["accuracy"]
    assert gain.low < 0.2 < gain.high
    assert gain.excludes_zero
    assert gain.seeds_low < gain.mean < gain.seeds_high
    assert not found.differences["soft"]["given"]["accuracy"].excludes_zero
    assert (found.n_clips, found.n_groups) == (300, 30)
    assert verdict(found)[0].startswith("curriculum against given: better (macro_f1 +0.")
    assert verdict(found, "soft")[0].startswith(
        "soft against given: no difference that subjects and seeds could not"
    )
    lines = table(found).splitlines()
    assert lines[0].split() == ["arm", "macro_f1", "accuracy", "uar", "nll", "ece"]
    assert "minus given" in table(found)


def test_a_harm_is_said_plainly() -> None:
    said = {"given": [said_with(0.9, TRUTH, 0)], "curriculum": [said_with(0.5, TRUTH, 1)]}
    found = compare(said, TRUTH, GROUPS, [0])
    assert "WORSE: curation hurt" in verdict(found)[0]
    assert "WORSE: curation hurt" in verdict(found, measure="nll")[0]
    assert np.isnan(found.measured["given"]["accuracy"].seeds_low)


def test_intervals_cover_what_they_promise() -> None:
    # 30 subjects of 10 clips; a subject's clips are right or wrong together, so that clips
    # drawn one by one would give intervals that are too short by a factor of about three.
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        is_right = np.repeat(rng.random(30) < 0.7, 10)
        said = np.eye(3)[np.where(is_right, TRUTH, (TRUTH + 1) % 3)]
        found = compare({"a": [said]}, TRUTH, GROUPS, [0]).measured["a"]["accuracy"]
        covered += found.low <= 0.7 <= found.high
    # 95 of 100 within three standard errors of 2.2, and the bootstrap's own few per cent.
    assert covered >= 86


def test_what_both_arms_share_falls_out_of_their_difference() -> None:
    rng = np.random.default_rng(0)
    is_easy = np.repeat(rng.random(30) < 0.5, 10)
    first = np.eye(3)[np.where(is_easy, TRUTH, (TRUTH + 1) % 3)]
    second = first.copy()
    second[:30] = np.eye(3)[TRUTH[:30]]
    found = compare({"given": [first], "b": [second]}, TRUTH, GROUPS, [0])
    alone, both = found.measured["b"]["accuracy"], found.differences["b"]["given"]["accuracy"]
    assert both.high - both.low < (alone.high - alone.low) / 2


def test_an_interval_knows_zero() -> None:
    assert Interval(0.1, 0.05, 0.2, 0, 0).excludes_zero
    assert Interval(-0.1, -0.3, -0.05, 0, 0).excludes_zero
    assert not Interval(0.1, -0.01, 0.2, 0, 0).excludes_zero
    assert Interval(0.1, 0.05, 0.2, 0, 0).mean == pytest.approx(0.1)
