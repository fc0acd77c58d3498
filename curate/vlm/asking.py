"""Asking many prompts: ledger first, so many at once, patient with a busy server."""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from curate.errors import ClientError, RateLimited, RetryableError
from curate.vlm.client import Pace, Prompt, Reply, VisionClient
from curate.vlm.keys import call_key, canonical, prompt_digest
from curate.vlm.ledger import CallFacts, Ledger

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
"""Waits double from the first to the longest."""

LONGEST_NAMED_WAIT_S = 600.0
"""A server that names a longer wait has run out of quota; the call is given up."""

HOPELESS_AFTER = 5
"""When so many calls in a row have failed alike and none was answered, the rest would fail too."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Call:
    """A prompt, and what else names it in the ledger."""

    prompt: Prompt
    prompt_version: str
    receipt: str
    form: str
    """What the answer must look like: a letter, or the digest of a schema."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one call: a reply, an error, or neither when it was left out."""

    key: str
    reply: Reply | None = None
    error: str | None = None
    fresh: bool = False
    """Whether the model was asked now, rather than in an earlier run."""


async def ask_all(
    calls: Iterable[Call],
    client: VisionClient,
    ledger: Ledger,
    take: Callable[[int, Result], None],
    *,
    pace: Pace,
    rng: np.random.Generator,
    max_calls: int | None = None,
    sleep: Sleep = asyncio.sleep,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Ask every call that the ledger does not hold.

    Calls are taken one by one in their order, so that those of one clip are
    under way together; a call that appears twice is asked once. A reply is in
    the ledger before it is handed over, and is not kept in memory after.

    Args:
        calls: Taken as needed, so that only pictures under way are in memory.
        client: Who is asked.
        ledger: Looked into first, and told of everything.
        take: Handed every result as it comes, with its call's place in `calls`;
            results come in another order than calls.
        pace: How many at once, and how often again.
        rng: Jitter of the waits.
        max_calls: At most so many calls that are not in the ledger; the others are left out.
        sleep: Waits so many seconds.
        progress: Told how many calls are done.

    Raises:
        ClientError: No call was answered, and `HOPELESS_AFTER` in a row failed alike: a wrong
            address, key or model.
    """
    desk = _Desk(client, ledger, pace.retries, rng, max_calls, sleep)
    numbered = enumerate(calls)
    done = 0

    async def work() -> None:
        nonlocal done
        for position, call in numbered:
            take(position, await desk.result(call))
            done += 1
            progress(done)

    workers = [asyncio.create_task(work()) for _ in range(pace.concurrency)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


@dataclass(slots=True)
class _Desk:
    """What the workers share: the budget, calls under way, and how the last failures went."""

    client: VisionClient
    ledger: Ledger
    retries: int
    rng: np.random.Generator
    budget: int | None
    sleep: Sleep
    under_way: dict[str, asyncio.Future[Result]] = field(default_factory=dict)
    any_answered: bool = False
    failures: deque[str] = field(default_factory=lambda: deque(maxlen=HOPELESS_AFTER))
    """The last kinds of error."""

    async def result(self, call: Call) -> Result:
        """The ledger's reply, the reply of the same call under way, or a new one."""
        facts = _facts(call, self.client)
        if known := self.ledger.get(facts.key):
            self.any_answered = True
            return Result(facts.key, reply=known)
        if twin := self.under_way.get(facts.key):
            return _again(await twin)
        if self.budget == 0:
            return Result(facts.key)
        if self.budget is not None:
            self.budget -= 1
        return await self._announced(facts, call.prompt)

    async def _announced(self, facts: CallFacts, prompt: Prompt) -> Result:
        place: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.under_way[facts.key] = place
        try:
            place.set_result(await self._fresh(facts, prompt))
        finally:
            place.cancel()
            del self.under_way[facts.key]
        return place.result()

    async def _fresh(self, facts: CallFacts, prompt: Prompt) -> Result:
        attempts = 0
        while True:
            attempts += 1
            try:
                reply = await self.client.ask(prompt)
            except ClientError as error:
                wait_s = self._wait_s(error, attempts)
                if wait_s is None:
                    self.ledger.put_error(facts, error, attempts)
                    return self._failed(facts.key, error)
                await self.sleep(wait_s)
            else:
                self.ledger.put(facts, reply)
                self.any_answered = True
                return Result(facts.key, reply=reply, fresh=True)

    def _wait_s(self, error: ClientError, attempts: int) -> float | None:
        """Seconds to wait before asking again, or None to give up."""
        if attempts > self.retries or not isinstance(error, RetryableError):
            return None
        # Jitter keeps workers that failed together from coming back together.
        longest_s: float = min(FIRST_WAIT_S * 2.0 ** (attempts - 1), LONGEST_WAIT_S)
        wait_s = longest_s * float(self.rng.uniform(0.5, 1.0))
        named_s = error.retry_after_s if isinstance(error, RateLimited) else None
        if named_s is None:
            return wait_s
        return None if named_s > LONGEST_NAMED_WAIT_S else named_s + wait_s

    def _failed(self, key: str, error: ClientError) -> Result:
        self.failures.append(_kind(error))
        if not self.any_answered and self.failures.count(_kind(error)) == HOPELESS_AFTER:
            raise ClientError(
                f"no call was answered, and {HOPELESS_AFTER} in a row failed alike, "
                f"so no more are made. {error}"
            )
        return Result(key, error=str(error), fresh=True)


def _facts(call: Call, client: VisionClient) -> CallFacts:
    return CallFacts(
        key=call_key(
            call.prompt, client, prompt_version=call.prompt_version, receipt=call.receipt, form=call.form
        ),
        prompt=prompt_digest(call.prompt),
        model=client.model,
        prompt_version=call.prompt_version,
        parameters=canonical(client.parameters),
    )


def _again(result: Result) -> Result:
    """The same result for a call that was asked on another's behalf."""
    return Result(result.key, result.reply, result.error, fresh=False)


def _kind(error: ClientError) -> str:
    """An error's words without numbers and ids, which differ from request to request."""
    return re.sub(r"\w*\d\w*", "#", str(error))
