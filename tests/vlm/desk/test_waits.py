import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import BadReply, ClientError, RateLimited, RetryableError, TimedOut
from curate.vlm.desk.waits import wait_before_retry

rng = np.random.default_rng(0)


def test_waits_double_and_carry_jitter() -> None:
    waits = [wait_before_retry(TimedOut("slow"), attempt, 9, rng) for attempt in range(1, 10)]
    # Half to all of 0.5 s doubled: 0.5, 1, 2, … 32, 64 cut to 60, 60 s.
    wholes = [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    assert all(wait and 0.5 <= wait / whole <= 1 for wait, whole in zip(waits, wholes, strict=True))
    assert len({wait and wait / whole for wait, whole in zip(waits, wholes, strict=True)}) == 9


def test_a_named_wait_is_kept() -> None:
    wait_s = wait_before_retry(RateLimited("slow down", 7.0), 1, 1, rng)
    assert wait_s == pytest.approx(7.375, abs=0.125)  # 7 s, and half to all of 0.5 s


def test_a_wait_of_hours_is_not_waited_for() -> None:
    assert wait_before_retry(RateLimited("quota", 86_400.0), 1, 5, rng) is None


@given(st.integers(0, 9), st.integers(1, 20))
def test_so_many_retries_and_no_more(retries: int, attempts: int) -> None:
    goes_on = wait_before_retry(RetryableError("busy"), attempts, retries, rng) is not None
    assert goes_on == (attempts <= retries)


@pytest.mark.parametrize(("retries", "allowed"), [(5, 2), (1, 1), (0, 0)])
def test_an_unusable_reply_is_asked_for_again_twice_at_most(retries: int, allowed: int) -> None:
    waits = [wait_before_retry(BadReply("no JSON"), attempt, retries, rng) for attempt in range(1, 7)]
    assert sum(wait is not None for wait in waits) == allowed


def test_what_asking_again_cannot_help() -> None:
    assert wait_before_retry(ClientError("too large"), 1, 5, rng) is None
