import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from curate.answers.measures.share import counted, lower_bound, upper_bound


@given(st.integers(0, 60), st.integers(1, 60))
def test_the_interval_is_clopper_and_pearsons(count: int, more: int) -> None:
    found = counted(count, count + more)
    exact = binomtest(count, count + more).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    assert found.value == count / (count + more)


def test_all_and_none() -> None:
    # 1 - x^10 = .025 at the lower end of ten of ten.
    assert counted(10, 10).low == pytest.approx(0.025 ** (1 / 10))
    assert counted(10, 10).high == 1
    assert counted(0, 10).low == 0


def test_a_share_of_nothing() -> None:
    found = counted(0, 0)
    assert math.isnan(found.value)
    assert (found.low, found.high) == (0, 1)
    assert (lower_bound(0, 0, 0.01), upper_bound(0, 0, 0.01)) == (0, 1)
