import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from curate.errors import BadReply, ClientError, RateLimited, RetryableError, TimedOut, Unreachable
from curate.vlm.desk.gate import Gate


class Server:
    """Answers each request after a while; refuses those that come when it is full."""

    def __init__(self, capacity: int, refusal: ClientError) -> None:
        self.capacity, self.refusal = capacity, refusal
        self.order: list[int] = []
        self.busy: list[int] = []
        """Requests under way as each one came, itself among them."""
        self._now = 0

    def work(self, ticket: int) -> Callable[[], Awaitable[int]]:
        async def request() -> int:
            self._now += 1
            self.order.append(ticket)
            self.busy.append(self._now)
            full = self._now > self.capacity
            for _ in range(5):
                await asyncio.sleep(0)
            self._now -= 1
            if full:
                raise self.refusal
            return ticket

        return request


async def ask(gate: Gate, server: Server, n: int) -> list[int | BaseException]:
    tasks = [gate.through(ticket, server.work(ticket)) for ticket in range(n)]
    return await asyncio.gather(*tasks, return_exceptions=True)


def gate(time: Any, most: int = 64) -> Gate:
    return Gate(most, sleep=time.sleep, clock=time.clock)


def test_it_doubles_every_round_up_to_what_is_allowed(time: Any) -> None:
    server = Server(1000, RateLimited("busy"))
    asyncio.run(ask(gate(time, most=50), server, 8 + 16 + 32 + 50 + 50))
    rounds = itertools.pairwise([0, 8, 24, 56, 106, 156])
    assert [max(server.busy[start:end]) for start, end in rounds] == [8, 16, 32, 50, 50]


def test_it_never_allows_more_than_the_recipe(time: Any) -> None:
    server = Server(1000, RateLimited("busy"))
    asyncio.run(ask(gate(time, most=3), server, 9))
    assert max(server.busy) == 3


def test_calls_that_come_one_by_one_prove_nothing(time: Any) -> None:
    narrow, server = gate(time), Server(1000, RateLimited("busy"))

    async def one_by_one() -> None:
        for ticket in range(50):
            await narrow.through(ticket, server.work(ticket))

    asyncio.run(one_by_one())
    assert narrow.limit == 8


@pytest.mark.parametrize("refusal", [RateLimited("busy"), TimedOut("late")])
def test_it_settles_below_the_capacity_of_the_server(time: Any, refusal: ClientError) -> None:
    server = Server(20, refusal)
    results = asyncio.run(ask(gate(time), server, 2000))
    refused = sum(isinstance(result, ClientError) for result in results)
    # A sawtooth between half of what was too many and one more than the capacity.
    tops = [one for one, following in itertools.pairwise(server.busy[200:]) if following < one]
    assert max(tops) == 21
    assert sorted(tops)[len(tops) // 2] == pytest.approx(15.5, abs=2)
    assert refused < 0.03 * len(results)


def test_one_round_that_balks_halves_it_once(time: Any) -> None:
    narrow, server = gate(time), Server(0, RateLimited("busy"))
    asyncio.run(ask(narrow, server, 8))
    assert narrow.limit == 4


def test_it_never_closes(time: Any) -> None:
    narrow = gate(time)
    results = asyncio.run(ask(narrow, Server(0, TimedOut("late")), 60))
    assert len(results) == 60
    assert narrow.limit == 1
    assert narrow.least


def test_broken_connections_count_only_when_a_whole_round_breaks(time: Any) -> None:
    some, all_of_them = gate(time), gate(time)
    asyncio.run(ask(some, Server(6, Unreachable("reset")), 8))
    assert some.limit >= 8
    asyncio.run(ask(all_of_them, Server(0, Unreachable("refused")), 8))
    assert all_of_them.limit == 4


@pytest.mark.parametrize("error", [BadReply("no JSON"), ClientError("too large")])
def test_a_prompt_that_fails_by_its_own_fault_slows_nobody(time: Any, error: ClientError) -> None:
    narrow = gate(time)
    asyncio.run(ask(narrow, Server(0, error), 40))
    assert narrow.limit == 8


def test_the_lowest_ticket_goes_first(time: Any) -> None:
    narrow, server = gate(time, most=1), Server(1000, RateLimited("busy"))

    async def mixed() -> None:
        tickets = [5, 3, 9, 1, 7]
        await asyncio.gather(*(narrow.through(ticket, server.work(ticket)) for ticket in tickets))

    asyncio.run(mixed())
    assert server.order == [5, 1, 3, 7, 9]  # 5 was let in before the others came


def test_a_hold_keeps_everybody_back(time: Any) -> None:
    narrow, server = gate(time), Server(1000, RateLimited("busy"))
    narrow.hold(7.0)
    narrow.hold(3.0)  # shorter, and so nothing new
    began: list[float] = []

    async def request() -> None:
        began.append(time.now_s)

    async def held() -> None:
        await asyncio.gather(*(narrow.through(ticket, request) for ticket in range(20)))
        await ask(narrow, server, 1)

    asyncio.run(held())
    assert min(began) == 7.0


@pytest.mark.parametrize("steps", range(6))
def test_a_call_that_is_cancelled_leaves_no_hole(time: Any, steps: int) -> None:
    narrow, server = gate(time, most=2), Server(1000, RateLimited("busy"))

    async def some_cancelled() -> list[int]:
        narrow.hold(1.0)
        lost = [asyncio.create_task(narrow.through(t, server.work(t))) for t in range(5)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for task in lost:
            task.cancel()
        await asyncio.gather(*lost, return_exceptions=True)
        # Both places are free again: two that wait for each other would hang otherwise.
        together = asyncio.Barrier(2)
        return await asyncio.gather(*(narrow.through(t, together.wait) for t in (10, 11)))

    assert sorted(asyncio.run(some_cancelled())) == [0, 1]


def test_a_fault_of_the_program_leaves_no_hole(time: Any) -> None:
    narrow = gate(time, most=1)

    async def broken() -> None:
        raise ZeroDivisionError

    async def twice() -> None:
        for ticket in range(2):
            with pytest.raises(ZeroDivisionError):
                await narrow.through(ticket, broken)

    asyncio.run(twice())


def test_a_plain_retryable_error_is_no_reason_to_slow_down(time: Any) -> None:
    narrow = gate(time)
    asyncio.run(ask(narrow, Server(7, RetryableError("odd")), 8))
    assert narrow.limit >= 8
