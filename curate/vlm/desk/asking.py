"""The one door to the model: ledger first, so many at once, patient, within a budget."""

import asyncio
import itertools
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from curate.errors import BadReply, ClientError, EndpointGone, TimedOut
from curate.vlm.client import Pace, Prompt, Reply, VisionClient
from curate.vlm.desk.breaker import Breaker
from curate.vlm.desk.budget import Budget, CapReached, Purse, Spending
from curate.vlm.desk.gate import EVERYTHING, FIRST_LIMIT, Clock, Gate, Sleep
from curate.vlm.desk.keys import call_key, canonical, prompt_digest
from curate.vlm.desk.ledger import CallFacts, Ledger
from curate.vlm.desk.waits import LONGEST_NAMED_WAIT_S, named_wait, wait_before_retry


@dataclass(frozen=True, slots=True)
class Call:
    """A prompt, and what else names it in the ledger."""

    prompt: Prompt
    prompt_version: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one call: a reply, an error, or neither when it was left out."""

    key: str
    reply: Reply | None = None
    error: str | None = None
    fresh: bool = False
    """Whether the model was asked now, rather than in an earlier run."""


class Door(Protocol):
    """Where calls are put: the desk, or what stands in its place to count them."""

    async def ask(self, call: Call) -> Result:
        """What comes of a call."""


class Desk:
    """Asks calls that the ledger does not hold, from any number of coroutines of one thread.

    A call that is asked twice is made once, be it that its twin is still under
    way. A reply is in the ledger before it is handed over. Calls are begun in
    the order in which they are asked, so that those of one clip go together.
    """

    def __init__(
        self,
        client: VisionClient,
        ledger: Ledger,
        *,
        pace: Pace,
        rng: np.random.Generator,
        budget: Budget = Budget(),  # noqa: B008 frozen, and so shared safely
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        """Ask nothing yet.

        Args:
            client: Who is asked; already prepared.
            ledger: Looked into first, and told of everything.
            pace: How many at once, and how patiently.
            rng: Jitter of the waits.
            budget: What may be spent here. Calls beyond it are left out.
            sleep: Waits so many seconds.
            clock: Seconds; goes on while `sleep` waits.
        """
        self._client, self._ledger = client, ledger
        self._model, self._parameters = client.model, canonical(client.parameters)
        self._retries, self._rng, self._sleep = pace.retries, rng, sleep
        first, most = (EVERYTHING, EVERYTHING) if pace.queues else (FIRST_LIMIT, pace.concurrency)
        self._gate = Gate(most, first=first, sleep=sleep, clock=clock)
        self._breaker = Breaker(pace.gone_after_s, clock)
        self._purse = Purse(budget)
        self._tickets = itertools.count()
        self._under_way: dict[str, asyncio.Future[Result]] = {}
        self._stopped = ""

    @property
    def spent(self) -> Spending:
        """What was spent at this desk so far."""
        return self._purse.spent

    async def ask(self, call: Call) -> Result:
        """The ledger's reply, the reply of the same call under way, or a new one.

        Raises:
            EndpointGone: The model is silent, or so many calls failed alike that the rest would too.
            ClientError: A cap cannot be kept, because nobody tells the tokens.
            InputError: The ledger cannot be written.
        """
        facts = self._facts(call)
        while True:
            # Looked up anew after a wait: a twin's reply may have come from there.
            if known := self._ledger.get(facts.key):
                self._breaker.remembered()
                return Result(facts.key, reply=known)
            if (twin := self._under_way.get(facts.key)) is None:
                return await self._announced(facts, call.prompt)
            await asyncio.wait([twin])
            if not twin.cancelled():
                return replace(twin.result(), fresh=False)

    def _facts(self, call: Call) -> CallFacts:
        prompt = prompt_digest(call.prompt)
        key = call_key(
            prompt,
            model=self._model,
            parameters=self._parameters,
            prompt_version=call.prompt_version,
            receipt=call.receipt,
        )
        return CallFacts(key, prompt, self._model, call.prompt_version, self._parameters)

    async def _announced(self, facts: CallFacts, prompt: Prompt) -> Result:
        """Make the call, and let its twins wait for it."""
        place: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._under_way[facts.key] = place
        try:
            result = await self._made(facts, prompt)
        except asyncio.CancelledError:
            place.cancel()
            raise
        except BaseException as error:
            place.set_exception(error)
            place.exception()  # seen, even if there is no twin to see it
            raise
        else:
            place.set_result(result)
            return result
        finally:
            del self._under_way[facts.key]

    async def _made(self, facts: CallFacts, prompt: Prompt) -> Result:
        ticket, attempts = next(self._tickets), 0
        while True:
            attempts += 1
            try:
                work = partial(self._put, facts, prompt, first=attempts == 1)
                reply = await self._gate.through(ticket, work)
            except CapReached:
                return Result(facts.key)
            except EndpointGone:
                raise
            except ClientError as error:
                gone = self._breaker.attempt_failed(error)
                wait_s = None if gone else self._wait_s(error, prompt, attempts)
                if wait_s is None:
                    return await self._given_up(facts, error, attempts, gone)
                await self._sleep(wait_s)
            else:
                self._purse.check(reply)
                return Result(facts.key, reply=reply, fresh=True)

    async def _put(self, facts: CallFacts, prompt: Prompt, *, first: bool) -> Reply:
        """Put the prompt once, if that still makes sense now that there is room for it.

        The call is under way until its reply is on the disk: so a process that
        is killed loses no more replies than calls may be under way.
        """
        if self._stopped:
            raise self._gone()
        if first:
            self._purse.open()
        reply = await self._client.ask(prompt)
        # Before the next call is let in, so that it sees what this one took.
        self._purse.pay(prompt, reply)
        self._breaker.answered()
        await self._ledger.keep(facts, reply)
        return reply

    def _wait_s(self, error: ClientError, prompt: Prompt, attempts: int) -> float | None:
        """Seconds to wait before the next attempt, or None to give up; others may have to wait too."""
        if isinstance(error, TimedOut | BadReply):
            self._purse.pay_unseen(prompt)
        wait_s = wait_before_retry(error, attempts, self._retries, self._rng)
        if 0 < named_wait(error) <= LONGEST_NAMED_WAIT_S:
            self._gate.hold(named_wait(error))
        elif wait_s is not None and self._gate.least and not isinstance(error, BadReply):
            # One call at a time is still too many: the others would use up their attempts on nothing.
            self._gate.hold(wait_s)
        return wait_s

    async def _given_up(
        self, facts: CallFacts, error: ClientError, attempts: int, gone: str | None
    ) -> Result:
        reason = gone or self._breaker.gave_up(error)
        if reason is not None:
            # Before the wait for the disk, so that nothing more is put meanwhile.
            self._stopped = f"{reason}, so no more are made. {str(error).rstrip('.')}"
        await self._ledger.keep_error(facts, error, attempts)
        if reason is not None:
            raise self._gone()
        return Result(facts.key, error=str(error), fresh=True)

    def _gone(self) -> EndpointGone:
        return EndpointGone(
            f"{self._stopped}. {self._ledger.count():,} replies are kept in {self._ledger.path}: "
            "the same command goes on from there"
        )
