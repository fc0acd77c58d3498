import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.vlm.desk.workers import for_each


class Numbers:
    """Counts what was taken, and whether it was left in order."""

    def __init__(self, n: int) -> None:
        self.n, self.taken, self.closed = n, 0, False

    async def __call__(self) -> AsyncIterator[int]:
        try:
            for number in range(self.n):
                self.taken += 1
                yield number
        finally:
            self.closed = True


@given(st.integers(0, 20), st.integers(1, 5))
def test_everything_is_done_and_never_more_at_once(n: int, at_once: int) -> None:
    numbers, now, most = Numbers(n), 0, 0
    done: list[int] = []

    async def work(number: int) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        assert numbers.taken - len(done) <= at_once, "taken before there was room"
        for _ in range(number % 3):
            await asyncio.sleep(0)
        now -= 1
        done.append(number)

    asyncio.run(for_each(numbers(), work, at_once=at_once))
    assert sorted(done) == list(range(n))
    assert most <= at_once


def test_several_are_under_way_at_once() -> None:
    together = asyncio.Barrier(3)

    async def work(_: int) -> None:
        await together.wait()

    asyncio.run(for_each(Numbers(6)(), work, at_once=3))  # would hang if fewer than 3 were under way


def test_the_first_exception_ends_the_rest() -> None:
    numbers, cancelled = Numbers(100), []

    async def work(number: int) -> None:
        if number == 2:
            raise ZeroDivisionError
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # it takes a moment to put things away
            cancelled.append(number)
            raise

    with pytest.raises(ZeroDivisionError):
        asyncio.run(for_each(numbers(), work, at_once=4))
    assert sorted(cancelled) == [0, 1, 3]
    assert numbers.taken < 10
    assert numbers.closed


def test_items_that_fail_end_the_rest_too() -> None:
    async def items() -> AsyncIterator[int]:
        yield 0
        raise FileNotFoundError

    async def work(_: int) -> None:
        await asyncio.Event().wait()

    with pytest.raises(FileNotFoundError):
        asyncio.run(for_each(items(), work, at_once=2))


def test_a_cancellation_reaches_what_is_under_way() -> None:
    numbers, ended = Numbers(100), []

    async def work(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    async def cancelled() -> None:
        task = asyncio.create_task(for_each(numbers(), work, at_once=3))
        while numbers.taken < 3:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (sorted(ended), numbers.closed) == ([0, 1, 2], True)

    asyncio.run(cancelled())
