import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curate.errors import ClientError, RateLimited, RetryableError
from curate.vlm.asking import Call, Result, ask_all
from curate.vlm.canned import CannedClient
from curate.vlm.client import Pace, Prompt, Reply
from curate.vlm.keys import prompt_digest
from curate.vlm.ledger import Ledger

PROGRAM = Path(__file__).with_name("asking_program.py")


def calls(n: int, prefix: str = "question") -> list[Call]:
    return [Call(Prompt((), f"{prefix} {i}", ("A", "B")), "1", "r", "f") for i in range(n)]


def run(path: Path, asked: list[Call], client: CannedClient, **settings: Any) -> list[Result]:
    """The results, in the order of the calls."""
    settings.setdefault("pace", Pace(concurrency=3))
    taken: dict[int, Result] = {}
    with Ledger(path / "ledger.sqlite") as ledger:
        asyncio.run(
            ask_all(asked, client, ledger, taken.__setitem__, rng=np.random.default_rng(0), **settings)
        )
    return [taken[position] for position in range(len(taken))]


class Waits:
    """Sleeps no time at all, and remembers for how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, wait_s: float) -> None:
        self.seconds.append(wait_s)


def failing(*errors: ClientError) -> Callable[[Prompt], str]:
    left = list(errors)

    def answer(prompt: Prompt) -> str:
        if left:
            raise left.pop(0)
        return "A"

    return answer


def test_replies_come_with_the_place_of_their_call(tmp_path: Path) -> None:
    client = CannedClient(lambda prompt: prompt.text)
    done: list[int] = []
    results = run(tmp_path, calls(7), client, progress=done.append)
    assert [result.reply.text for result in results if result.reply] == [f"question {i}" for i in range(7)]
    assert all(result.fresh for result in results)
    assert done == [1, 2, 3, 4, 5, 6, 7]


def test_what_the_ledger_holds_is_not_asked_again(tmp_path: Path) -> None:
    first = run(tmp_path, calls(4), CannedClient(lambda prompt: prompt.text))
    client = CannedClient(lambda _: "other")
    second = run(tmp_path, calls(6), client)
    assert [prompt.text for prompt in client.asked] == ["question 4", "question 5"]
    assert [result.fresh for result in second] == [False] * 4 + [True] * 2
    assert [result.reply for result in second[:4]] == [result.reply for result in first]


def test_the_same_call_twice_is_asked_once(tmp_path: Path) -> None:
    client = CannedClient(lambda prompt: prompt.text)
    results = run(tmp_path, calls(2) + calls(2), client, pace=Pace(concurrency=4))
    assert len(client.asked) == 2
    assert [result.fresh for result in results] == [True, True, False, False]
    assert results[0].reply == results[2].reply


def test_at_most_so_many_new_calls(tmp_path: Path) -> None:
    run(tmp_path, calls(2), CannedClient(lambda _: "A"))
    client = CannedClient(lambda _: "A")
    results = run(tmp_path, calls(6), client, max_calls=3)
    assert len(client.asked) == 3
    assert [result.reply is not None for result in results] == [True] * 5 + [False]
    assert results[5].error is None


def test_so_many_at_once_and_no_more(tmp_path: Path) -> None:
    class Slow(CannedClient):
        now = most = 0

        async def ask(self, prompt: Prompt) -> Reply:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0)
            self.now -= 1
            return await super().ask(prompt)

    client = Slow(lambda _: "A")
    run(tmp_path, calls(20), client, pace=Pace(concurrency=4))
    assert client.most == 4


def test_waits_double_and_carry_jitter(tmp_path: Path) -> None:
    waits = Waits()
    client = CannedClient(failing(*[RetryableError("busy")] * 3))
    (result,) = run(tmp_path, calls(1), client, pace=Pace(1, retries=3), sleep=waits)
    assert result.reply is not None
    # 0.5, 1 and 2 s, each times a factor of 0.5 to 1.
    assert [0.5 <= wait / whole <= 1 for wait, whole in zip(waits.seconds, [0.5, 1, 2], strict=True)] == [
        True
    ] * 3


def test_a_named_wait_is_kept(tmp_path: Path) -> None:
    waits = Waits()
    client = CannedClient(failing(RateLimited("slow down", 7.0)))
    run(tmp_path, calls(1), client, pace=Pace(1, retries=1), sleep=waits)
    assert 7.25 <= waits.seconds[0] <= 7.5  # 7 s, and 0.5 s times a factor of 0.5 to 1


def test_a_wait_of_hours_is_not_waited_for(tmp_path: Path) -> None:
    waits = Waits()
    client = CannedClient(failing(RateLimited("quota", 86_400.0)))
    (result,) = run(tmp_path, calls(1), client, pace=Pace(1, retries=5), sleep=waits)
    assert (result.error, waits.seconds) == ("quota", [])


def test_a_failed_call_is_data_and_is_asked_again_by_the_next_run(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> str:
        if prompt.text == "question 1":
            raise ClientError("too large")
        return "A"

    waits = Waits()
    results = run(tmp_path, calls(3), CannedClient(answer), pace=Pace(1, retries=4), sleep=waits)
    assert [result.error for result in results] == [None, "too large", None]
    assert waits.seconds == []  # asking again would not help
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.calls().height == 2
        assert ledger._base.execute("SELECT count(*) FROM errors").fetchone() == (1,)
    again = run(tmp_path, calls(3), CannedClient(lambda _: "B"))
    assert again[1].reply is not None
    assert again[1].reply.text == "B"


def test_retries_that_are_used_up_are_kept_as_an_error(tmp_path: Path) -> None:
    client = CannedClient(failing(*[RetryableError("busy")] * 3))
    (result,) = run(tmp_path, calls(1), client, pace=Pace(1, retries=2), sleep=Waits())
    assert (result.error, len(client.asked)) == ("busy", 3)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        found = ledger._base.execute("SELECT kind, message, attempts FROM errors").fetchall()
    assert found == [("RetryableError", "busy", 3)]


def test_when_nothing_works_it_stops_early(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> str:
        raise ClientError(f"HTTP 401: no such key (request {prompt.text[-2:]}f3)")

    client = CannedClient(answer)
    with pytest.raises(ClientError, match=r"5 in a row failed alike.*HTTP 401"):
        run(tmp_path, calls(100), client, pace=Pace(1))
    assert len(client.asked) == 5


def test_one_failure_that_differs_does_not_keep_it_going(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> str:
        raise ClientError("too large" if prompt.text == "question 0" else "no such key")

    client = CannedClient(answer)
    with pytest.raises(ClientError, match="no such key"):
        run(tmp_path, calls(500), client, pace=Pace(1))
    assert len(client.asked) == 6  # the one that differs, and 5 alike


def test_failures_that_differ_do_not_stop_it(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> str:
        raise ClientError("too large" if prompt.text in ("question 3", "question 7") else "not so")

    results = run(tmp_path, calls(12), CannedClient(answer), pace=Pace(1))
    assert all(result.error for result in results)


def test_an_answer_shows_that_the_rest_may_be_answered(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> str:
        if prompt.text == "question 0":
            return "A"
        raise ClientError("too large")

    results = run(tmp_path, calls(12), CannedClient(answer), pace=Pace(1))
    assert [result.error is not None for result in results] == [False] + [True] * 11


def test_a_fault_of_the_program_is_not_hidden(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(tmp_path, calls(3) + calls(3), CannedClient(answer), pace=Pace(6))


def test_calls_are_taken_as_needed(tmp_path: Path) -> None:
    taken = 0

    def lazily() -> Iterator[Call]:
        nonlocal taken
        for call in calls(50):
            taken += 1
            yield call

    def answer(prompt: Prompt) -> str:
        assert taken <= len(client.asked) + 2
        return "A"

    client = CannedClient(answer)
    run(tmp_path, lazily(), client, pace=Pace(2))  # type: ignore[arg-type]
    assert taken == 50


def test_killed_at_any_moment_no_reply_that_arrived_is_paid_for_twice(
    tmp_path: Path, server: Any, body: Callable[..., bytes]
) -> None:
    """A process that asks 40 questions is killed during its 8th request, its 14th, then left to finish."""
    ledger, reached, kill_at = tmp_path / "ledger.sqlite", threading.Event(), 0

    def answer(n: int, sent: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if n >= kill_at:
            reached.set()
        return 200, {}, body("A")

    server.answer = answer
    known: set[str] = set()
    for requests in (7, 13, None):
        before = len(server.bodies)
        kill_at = before + (requests or 1000)
        reached.clear()
        with subprocess.Popen([sys.executable, str(PROGRAM), server.url, str(ledger)]) as process:
            if requests:
                assert reached.wait(100)
                os.kill(process.pid, signal.SIGKILL)
        assert process.returncode == (-signal.SIGKILL if requests else 0)
        asked = {_question(sent) for sent in server.bodies[before:]}
        assert not asked & known, "a reply that was in the ledger was asked for again"
        known = _recorded(ledger)
    assert len(known) == 40
    # What was under way when the process died may be asked again: at most 4 at once, twice.
    assert len(server.bodies) <= 40 + 2 * 4


def _question(sent: dict[str, Any]) -> str:
    return str(sent["messages"][0]["content"][-1]["text"])


def _recorded(path: Path) -> set[str]:
    """The questions that have a reply."""
    texts = {prompt_digest(call.prompt): call.prompt.text for call in calls(40)}
    with Ledger(path) as ledger:
        return {texts[row[0]] for row in ledger._base.execute("SELECT prompt FROM calls")}
