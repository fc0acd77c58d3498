import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from curate.labels.exact_test import group_p_value, labels_needed, most_errors, p_values


def test_p_value_by_hand() -> None:
    # 2 of 10 are wrong: a draw of 5 misses both in C(8, 5) = 56 of C(10, 5) = 252 cases.
    assert p_values(0, 5, 10, 1) == pytest.approx(56 / 252)


def test_edges_of_the_p_value() -> None:
    assert p_values(0, 0, 10, 1) == 1  # nothing was drawn
    assert p_values(0, 9, 10, -1) == 1  # known errors alone are too many
    assert p_values(2, 5, 10, 10) == 0  # all may be wrong
    assert p_values(1, 10, 10, 1) == 0  # all were drawn, and there are few enough errors
    assert p_values(2, 10, 10, 1) == 1  # all were drawn, and there are too many


@given(st.integers(1, 60), st.data())
def test_too_many_errors_are_rarely_called_few(n_unknown: int, data: st.DataObject) -> None:
    drawn = data.draw(st.integers(0, n_unknown))
    allowed = data.draw(st.integers(0, n_unknown - 1))
    errors = data.draw(st.integers(allowed + 1, n_unknown))
    delta = data.draw(st.sampled_from([0.01, 0.05, 0.2]))
    wrong = np.arange(drawn + 1)
    rejects = p_values(wrong, drawn, n_unknown, allowed) <= delta
    assert hypergeom.pmf(wrong, n_unknown, errors, drawn)[rejects].sum() <= delta + 1e-9


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(-2, 60))
def test_p_values_rise_with_errors_and_fall_with_what_is_allowed(
    wrong: int, right: int, rest: int, allowed: int
) -> None:
    parts = wrong + right, wrong + right + rest
    p = p_values(wrong, *parts, allowed)
    assert 0 <= p <= 1
    assert p_values(wrong, *parts, allowed + 1) <= p + 1e-12
    assert p_values(wrong + 1, parts[0] + 1, parts[1] + 1, allowed) >= p_values(
        wrong, parts[0] + 1, parts[1] + 1, allowed
    )


def test_most_errors_by_hand() -> None:
    # As above, more than 1 error has p-value 0.222; more than 0, C(9, 5) / C(10, 5) = 126 / 252 = 0.5.
    assert most_errors(0, 5, 10, 0.25) == 1
    assert most_errors(0, 5, 10, 0.2) == 2
    assert most_errors(3, 10, 10, 0.05) == 3
    assert most_errors(0, 0, 10, 0.05) == 10


def test_labels_needed_are_just_enough() -> None:
    needed = labels_needed(1000, 99, 0.0, 0.05)
    # Drawing with replacement: 0.9 ** 29 = 0.047, 0.9 ** 28 = 0.052.
    assert needed in (28, 29)
    assert p_values(0, needed, 1000, 99) <= 0.05 < p_values(0, needed - 1, 1000, 99)


def test_no_number_of_labels_proves_what_is_not_so() -> None:
    assert labels_needed(200, 20, 0.2, 0.05) is None


def test_group_p_value_by_hand() -> None:
    # The claim is a mean of 0 over 2 groups; the bets win share * (0 + 1) / 9 each: mean 1 + (2.39 / 3) / 9.
    p = group_p_value(np.array([-1.0]), largest=9.0, n_groups=2, allowed=0.0)
    assert p == pytest.approx(1 / (1 + 2.39 / 27))


def test_group_p_value_at_its_edges() -> None:
    assert group_p_value(np.array([]), 9.0, 5, 0.0) == 1
    # The last group would have to gain 10 where none can gain more than 9.
    assert group_p_value(np.array([-5.0, -5.0]), 9.0, 3, 0.0) == 0


def test_groups_with_too_many_errors_are_rarely_called_good() -> None:
    # Half of the groups are perfect, half have 2 wrong of 10: together just what is not allowed.
    rng = np.random.default_rng(0)
    gains = np.repeat([-1.0, 1.0], 30)
    found = [group_p_value(rng.permutation(gains)[:40], 10.0, 60, 0.0) for _ in range(400)]
    assert np.mean(np.array(found) <= 0.05) <= 0.05


def test_good_groups_are_called_good() -> None:
    # 80 groups of 5 clips, all right: their errors less a tenth of their clips are -0.5 each.
    assert group_p_value(np.full(60, -0.5), 5.0, 80, 0.0) <= 0.05
