"""Adding up the parts of a posterior, by hand."""

import numpy as np
import pytest

from curate.labels.evidence import Evidence, Floats, Instrument
from curate.labels.posterior import ClassifierWord, Posterior, assemble
from curate.labels.trust import Scales

CLASSES = ("a", "b")
SAYS = np.log([[0.8, 0.2], [0.2, 0.8]])
"""Of a person who is right four times in five."""
PRIOR = np.array([0.25, 0.75])


@pytest.fixture
def evidence() -> Evidence:
    """One vote for "a" on the first clip, none on the second."""
    ann = Instrument("ann", "human", CLASSES, "human")
    zero = np.zeros(1, dtype=np.int64)
    return Evidence(CLASSES, False, ("voted", "silent"), (ann,), zero, zero, zero, np.ones(1))


def weighed(rows: float, prior: float, blend: float) -> Scales:
    """Weights of the one vote and of the first clip; the second has nothing to weigh."""
    nothing = np.zeros(2)
    return Scales(
        rows=np.array([rows]),
        loop_rows=np.array([rows]),
        prior=np.array([prior, 1.0]),
        anchor=nothing,
        blend=np.array([blend, 0.0]),
        smoothing=nothing,
    )


def put_together(evidence: Evidence, scales: Scales, *logs: Floats) -> Posterior:
    share = np.array([[0.7, 0.3], PRIOR])
    words = tuple(ClassifierWord(0, added) for added in logs)
    return assemble(evidence, scales, SAYS, np.exp(SAYS), share, PRIOR, words)


def test_a_vote_multiplies_the_odds_of_the_prior(evidence: Evidence) -> None:
    # Odds .25/.75 = 1/3, times .8/.2 = 4: 4/3, so P(a) = 4/7.
    found = put_together(evidence, weighed(1, 1, 0)).probabilities
    assert found == pytest.approx(np.array([[4 / 7, 3 / 7], PRIOR]))


def test_powers_of_vote_and_prior(evidence: Evidence) -> None:
    # The vote to the power 1/2 gives odds of 2, the prior to the power 0 gives 1: P(a) = 2/3.
    found = put_together(evidence, weighed(0.5, 0, 0)).probabilities
    assert found[0] == pytest.approx([2 / 3, 1 / 3])


def test_the_share_of_votes_is_mixed_in_at_the_end(evidence: Evidence) -> None:
    # Odds 2 * 1/3 = 2/3, so .4 without mixing; .8 * .4 + .2 * .7 = .46.
    found = put_together(evidence, weighed(0.5, 1, 0.2)).probabilities
    assert found[0] == pytest.approx([0.46, 0.54])


def test_where_a_classifier_speaks_its_word_is_added_and_nothing_is_mixed_in(evidence: Evidence) -> None:
    # Odds 2/3 as above, times 3 = 2: P(a) = 2/3, although the share of votes says .7.
    word = np.array([[np.log(3), 0.0], [0.0, 0.0]])
    found = put_together(evidence, weighed(0.5, 1, 0.2), word).probabilities
    assert found == pytest.approx(np.array([[2 / 3, 1 / 3], PRIOR]))


def test_where_a_classifier_is_silent_the_share_is_still_mixed_in(evidence: Evidence) -> None:
    elsewhere = np.array([[0.0, 0.0], [np.log(3), 0.0]])
    found = put_together(evidence, weighed(0.5, 1, 0.2), elsewhere).probabilities
    # Second clip: odds 1/3 * 3 = 1.
    assert found == pytest.approx(np.array([[0.46, 0.54], [0.5, 0.5]]))


def test_words_add_up(evidence: Evidence) -> None:
    word = np.array([[np.log(2), 0.0], [0.0, 0.0]])
    twice = put_together(evidence, weighed(1, 1, 0), word, word).probabilities
    assert twice[0] == pytest.approx([16 / 19, 3 / 19])  # odds 4/3 * 2 * 2 = 16/3


def test_huge_evidence_does_not_overflow(evidence: Evidence) -> None:
    word = np.array([[2000.0, 0.0], [0.0, 0.0]])
    assert put_together(evidence, weighed(1, 1, 0), word).probabilities[0] == pytest.approx([1.0, 0.0])
