"""The gate: as many calls at once as the server bears, found out by trying."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from typing import TypeVar

from curate.errors import BadReply, ClientError, RateLimited, RetryableError, TimedOut

FIRST_LIMIT = 8
"""Calls at once, before anything is known of the server."""

EVERYTHING = 1_000_000
"""Calls at once where nothing needs to be held back."""

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

T = TypeVar("T")


class Gate:
    """Lets calls through, the earliest first, no more at once than its limit.

    The limit doubles with every round of answers until the server first
    balks, and from then on grows by one a round; it is halved when the server
    asks for fewer calls or lets them time out, or when a whole round of calls
    failed. This is how TCP finds the capacity of a line that does not tell.

    Source:
        Chiu and Jain (1989), Analysis of the increase and decrease algorithms
        for congestion avoidance, https://doi.org/10.1016/0169-7552(89)90019-6
    """

    def __init__(self, most: int, *, first: int = FIRST_LIMIT, sleep: Sleep, clock: Clock) -> None:
        """Open the gate for a few calls.

        Args:
            most: The limit is never above this.
            first: The limit to begin with.
            sleep: Waits so many seconds.
            clock: Seconds; goes on while `sleep` waits.
        """
        self.limit = float(min(first, most))
        self._most = most
        self._sleep, self._clock = sleep, clock
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []  # a heap
        self._under_way = 0
        self._round = 0
        self._doubling = True
        self._failed_in_row = 0
        self._held_until_s = float("-inf")

    async def through(self, ticket: int, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work` once there is room, and learn from how it ends.

        Args:
            ticket: The lowest goes first; no two calls that wait have the same.
            work: One request. A `ClientError` of it is raised on.
        """
        await self._enter(ticket)
        began = self._round
        try:
            done = await work()
        except ClientError as error:
            self._learn(error, began)
            raise
        else:
            self._grow()
            return done
        finally:
            self._leave()

    def hold(self, wait_s: float) -> None:
        """Let no call begin for so many seconds."""
        self._held_until_s = max(self._held_until_s, self._clock() + wait_s)

    @property
    def least(self) -> bool:
        """Whether no fewer calls can be under way than already are allowed."""
        return self.limit < 2

    async def _enter(self, ticket: int) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (ticket, place))
        self._admit()
        try:
            await place
            # Again after every wait: it may have been made longer meanwhile.
            while (wait_s := self._held_until_s - self._clock()) > 0:
                await self._sleep(wait_s)
        except BaseException:
            # Cancelled. A place that was given but not taken goes to the next.
            if not place.cancelled():
                self._leave()
            raise

    def _admit(self) -> None:
        while self._waiting and self._under_way < int(self.limit):
            _, place = heapq.heappop(self._waiting)
            if not place.cancelled():
                self._under_way += 1
                place.set_result(None)

    def _leave(self) -> None:
        self._under_way -= 1
        self._admit()

    def _grow(self) -> None:
        self._failed_in_row = 0
        # Calls that came one by one say nothing of how many the server bears.
        if self._under_way >= int(self.limit):
            step = 1.0 if self._doubling else 1.0 / self.limit
            self.limit = min(self.limit + step, float(self._most))

    def _learn(self, error: ClientError, began: int) -> None:
        """Halve the limit; once for all calls that were under way when it happened."""
        if not isinstance(error, RetryableError) or isinstance(error, BadReply):
            self._failed_in_row = 0
            return
        self._failed_in_row += 1
        balks = isinstance(error, RateLimited | TimedOut) or self._failed_in_row >= int(self.limit)
        if balks and began == self._round:
            self.limit = max(self.limit / 2, 1.0)
            self._round += 1
            self._doubling = False
