import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.answers.measures.distribution import LEAST_SEEN, expected_and_spread, from_samples, from_stated


@st.composite
def answers(draw: st.DrawFn) -> np.ndarray:
    """Probabilities of three answers to one item, "cannot be seen" last."""
    n_options = draw(st.integers(3, 8))
    weights = draw(
        st.lists(
            st.lists(st.floats(0, 1), min_size=n_options, max_size=n_options).filter(
                lambda row: sum(row[:-1]) > 0.1
            ),
            min_size=3,
            max_size=3,
        )
    )
    shares = np.array(weights)
    return shares / shares.sum(axis=1, keepdims=True)


def test_place_and_spread_by_hand() -> None:
    # Of what is seen: 1/4 at 0, 1/4 at 1, 1/2 at 2. Mean 1.25; mean square 2.25; 2.25 - 1.5625 = .6875.
    expected, spread = expected_and_spread(np.array([[0.2, 0.2, 0.4, 0.2]]))
    assert expected == pytest.approx(1.25)
    assert spread == pytest.approx(np.sqrt(0.6875))


@given(answers())
def test_place_does_not_depend_on_what_cannot_be_seen(probs: np.ndarray) -> None:
    darker = np.concatenate([probs[:, :-1] / 2, 1 - probs[:, :-1].sum(axis=1, keepdims=True) / 2], axis=1)
    told = darker[:, :-1].sum(axis=1) > LEAST_SEEN + 1e-9
    for one, other in zip(expected_and_spread(probs), expected_and_spread(darker), strict=True):
        assert one[told] == pytest.approx(other[told], abs=1e-7)


@given(answers())
def test_a_scale_turned_round_turns_the_place_and_keeps_the_spread(probs: np.ndarray) -> None:
    expected, spread = expected_and_spread(probs)
    turned = np.concatenate([probs[:, -2::-1], probs[:, -1:]], axis=1)
    other, width = expected_and_spread(turned)
    last = probs.shape[1] - 2
    assert expected + other == pytest.approx(np.full(3, last))
    assert width == pytest.approx(spread, abs=1e-7)
    assert (expected >= -1e-9).all()
    assert (spread <= last / 2 + 1e-9).all()


def test_what_cannot_be_seen_has_no_place() -> None:
    nan = float("nan")
    expected, spread = expected_and_spread(np.array([[0.0, 0.04, 0.96], [0.0, 0.06, 0.94], [nan, nan, nan]]))
    assert np.isnan(expected).tolist() == np.isnan(spread).tolist() == [True, False, True]


def test_samples_by_hand() -> None:
    # Three of four draws named an option, two of them the first: (2 + 1/4) / (3 + 1).
    shares = from_samples(np.array([[0, 0, 2, -1], [-1, -1, -1, -1]]), 4)
    assert shares[0] == pytest.approx([2.25 / 4, 0.25 / 4, 1.25 / 4, 0.25 / 4])
    assert np.isnan(shares[1]).all()


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=20).filter(lambda drawn: max(drawn) >= 0))
def test_shares_of_samples_keep_the_order_of_counts(drawn: list[int]) -> None:
    shares = from_samples(np.array(drawn), 5)
    counts = np.array([drawn.count(option) for option in range(5)])
    assert shares.sum() == pytest.approx(1)
    assert (shares > 0).all()
    assert (np.sign(np.subtract.outer(shares, shares)) == np.sign(np.subtract.outer(counts, counts))).all()


def test_stated_by_hand() -> None:
    shares = from_stated(np.array([1, 0, 2, -1, 0]), np.array([0.7, 0.1, 1.5, 0.9, np.nan]), 4)
    assert shares[0] == pytest.approx([0.1, 0.7, 0.1, 0.1])
    assert shares[1] == pytest.approx([0.25] * 4, abs=2e-6)  # .1 would put the chosen option below the others
    assert shares[2] == pytest.approx([0, 0, 1, 0])
    assert np.isnan(shares[3:]).all()


@given(st.integers(2, 9), st.floats(-2, 2))
def test_the_chosen_option_is_never_below_the_others(n_options: int, confidence: float) -> None:
    shares = from_stated(np.array(n_options - 1), np.array(confidence), n_options)
    assert shares.sum() == pytest.approx(1)
    assert (shares[-1] >= shares - 1e-12).all()


@pytest.mark.parametrize("place", [-2, 3])
def test_places_outside_the_options_are_an_error(place: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 2"):
        from_samples(np.array([place]), 3)
    with pytest.raises(ValueError, match="from 0 to 2"):
        from_stated(np.array([place]), np.array([0.5]), 3)


def test_one_option_is_an_error() -> None:
    with pytest.raises(ValueError, match="n_options is 1"):
        from_samples(np.array([0]), 1)
