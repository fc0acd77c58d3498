"""A server that misbehaves: a clear message or a kept failure, nothing lost, nothing asked twice."""

import asyncio
import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curate.errors import ClientError, EndpointGone
from curate.recipe import OpenAIBackend
from curate.vlm.client import Letter, Pace, Prompt
from curate.vlm.desk.asking import Call, Desk, Result
from curate.vlm.desk.ledger import Ledger
from curate.vlm.server.openai import OpenAIClient

Answer = tuple[int, dict[str, str], bytes]
Body = Callable[..., bytes]

N = 6
TOP = {"A": -0.1, "B": -2.5}


@dataclass(frozen=True)
class Kept:
    """What a ledger holds."""

    texts: Sequence[str]
    errors: Sequence[tuple[str, str, int]]
    """Kind, message, attempts."""


def ask(server: Any, folder: Path, time: Any, n: int = N, **settings: Any) -> list[Result | BaseException]:
    """Ask `n` questions all at once, through client, desk and ledger; waits between attempts take no time."""
    settings = {"retries": 3, "timeout_s": 30.0, "concurrency": 4, "model": "m", **settings}
    client = OpenAIClient(OpenAIBackend(backend="openai", base_url=server.url, **settings), "")

    async def all_of_them() -> list[Result | BaseException]:
        await client.prepare()
        desk = Desk(
            client,
            ledger,
            pace=client.pace,
            rng=np.random.default_rng(0),
            sleep=time.sleep,
            clock=time.clock,
        )
        try:
            return await asyncio.gather(*(desk.ask(call) for call in calls(n)), return_exceptions=True)
        finally:
            await client.close()

    with Ledger(folder / "ledger.sqlite") as ledger:
        return asyncio.run(all_of_them())


def calls(n: int) -> list[Call]:
    return [Call(Prompt((f"question {i}",), Letter(("A", "B"))), "1", "r") for i in range(n)]


def kept(folder: Path) -> Kept:
    with Ledger(folder / "ledger.sqlite") as ledger:
        replies = [ledger.get(row[0]) for row in ledger._base.execute("SELECT key FROM calls")]
        errors = ledger._base.execute("SELECT kind, message, attempts FROM errors").fetchall()
    return Kept([reply.text for reply in replies if reply], errors)


def question(sent: dict[str, Any]) -> str:
    return str(sent["messages"][0]["content"][-1]["text"])


def asked(server: Any) -> Counter[str]:
    """How often each question came."""
    return Counter(question(sent) for sent in server.bodies)


def once_badly(bad: Answer, body: Body) -> Callable[[int, dict[str, Any]], Answer]:
    """Answers, but for the first time that each question comes."""
    seen: set[str] = set()

    def answer(n: int, sent: dict[str, Any]) -> Answer:
        if question(sent) not in seen:
            seen.add(question(sent))
            return bad
        return 200, {}, body(f"A {question(sent)}", TOP)

    return answer


PASSING: dict[str, Answer] = {
    "429": (429, {}, b'{"error": {"message": "slow down"}}'),
    "429 with Retry-After": (429, {"Retry-After": "9"}, b'{"error": {"message": "slow down"}}'),
    "500": (500, {}, b'{"error": {"message": "out of memory"}}'),
    "502 with a page": (502, {}, b"<html><h1>Bad gateway</h1></html>"),
    "reset in mid-body": (200, {"Content-Length": "5000"}, b'{"choices": [{"mess'),
    "truncated JSON": (200, {}, b'{"choices": [{"message": {"content": "A"'),
    "wrong schema": (200, {}, b'{"choices": {"text": "A"}}'),
    "no choice": (200, {}, b'{"choices": []}'),
}


@pytest.mark.parametrize("bad", PASSING.values(), ids=PASSING.keys())
def test_a_fault_that_passes_costs_one_more_attempt(
    server: Any, body: Body, tmp_path: Path, time: Any, bad: Answer
) -> None:
    server.answer = once_badly(bad, body)
    results = ask(server, tmp_path, time)
    texts = [result.reply.text for result in results if isinstance(result, Result) and result.reply]
    assert texts == [f"A question {i}" for i in range(N)]
    assert asked(server) == {f"question {i}": 2 for i in range(N)}
    assert sorted(kept(tmp_path).texts) == texts
    assert not kept(tmp_path).errors


def test_a_named_wait_is_kept_by_all(server: Any, body: Body, tmp_path: Path, time: Any) -> None:
    came_at: list[float] = []
    after_a_refusal: list[float] = []
    answer = once_badly(PASSING["429 with Retry-After"], body)
    refused = False

    def timed(n: int, sent: dict[str, Any]) -> Answer:
        nonlocal refused
        if refused:
            after_a_refusal.append(time.now_s - came_at[-1])
        came_at.append(time.now_s)
        answered = answer(n, sent)
        refused = answered[0] == 429
        return answered

    server.answer = timed
    ask(server, tmp_path, time, n=20, concurrency=1)
    assert len(came_at) == 40
    assert len(after_a_refusal) == 20
    assert min(after_a_refusal) >= 9  # whoever came next


LASTING = {
    "429": ("RateLimited", "too many requests: slow down", 4),
    "500": ("ServerTrouble", "HTTP 500: out of memory", 4),
    "502 with a page": ("ServerTrouble", "HTTP 502: <html><h1>Bad gateway</h1></html>", 4),
    "reset in mid-body": ("Unreachable", "the connection broke", 4),
    "truncated JSON": ("BadReply", "the reply is no chat completion: ", 3),
    "wrong schema": ("BadReply", "the reply is no chat completion: choices", 3),
    "no choice": ("BadReply", "the reply is no chat completion: choices", 3),
}


@pytest.mark.parametrize("name", LASTING)
def test_a_fault_that_stays_is_counted_and_kept_and_asked_again_by_the_next_run(
    server: Any, body: Body, tmp_path: Path, time: Any, name: str
) -> None:
    kind, said, attempts = LASTING[name]

    def answer(n: int, sent: dict[str, Any]) -> Answer:
        return PASSING[name] if question(sent) == "question 2" else (200, {}, body("A", TOP))

    server.answer = answer
    results = ask(server, tmp_path, time)
    failed = results[2]
    assert isinstance(failed, Result)
    assert failed.reply is None
    assert f"model m at {server.url}: {said}" in str(failed.error)
    assert sum(isinstance(result, Result) and result.reply is not None for result in results) == N - 1
    assert [(found[0], found[2]) for found in kept(tmp_path).errors] == [(kind, attempts)]
    assert asked(server) == {f"question {i}": attempts if i == 2 else 1 for i in range(N)}
    server.bodies.clear()
    server.answer = lambda n, sent: (200, {}, body("B", TOP))
    ask(server, tmp_path, time)
    assert asked(server) == {"question 2": 1}
    assert Counter(kept(tmp_path).texts) == {"A": N - 1, "B": 1}


def test_a_server_that_hangs(server: Any, body: Body, tmp_path: Path, time: Any) -> None:
    let_go = threading.Event()

    def answer(n: int, sent: dict[str, Any]) -> Answer:
        if question(sent) == "question 2":
            let_go.wait(60)
        return 200, {}, body("A", TOP)

    server.answer = answer
    results = ask(server, tmp_path, time, timeout_s=0.5, retries=1)
    let_go.set()
    failed = results[2]
    assert isinstance(failed, Result)
    assert str(failed.error).endswith("no reply within 0.5 s (vlm.timeout_s)")
    assert [(found[0], found[2]) for found in kept(tmp_path).errors] == [("TimedOut", 2)]
    assert len(kept(tmp_path).texts) == N - 1


def test_too_many_pictures_is_said_at_once(server: Any, tmp_path: Path, time: Any) -> None:
    said = b'{"error": {"message": "At most 4 image(s) may be provided in one prompt."}}'
    server.answer = lambda n, sent: (400, {}, said)
    results = ask(server, tmp_path, time, n=40)
    stopped = next(result for result in results if isinstance(result, EndpointGone))
    assert str(stopped).startswith("no call was answered, and 5 in a row failed alike")
    assert "At most 4 image(s) may be provided" in str(stopped)
    assert "Lower frames.count" in str(stopped)
    # Not all of them: the next would fail alike. A round may be under way when the fifth fails.
    assert len(server.bodies) <= 5 + 4
    assert asked(server).most_common(1)[0][1] == 1
    assert len(kept(tmp_path).errors) >= 5


def test_a_model_that_the_server_does_not_have(server: Any, tmp_path: Path, time: Any) -> None:
    server.pages["/v1/models"] = 200, {}, b'{"data": [{"id": "org/small"}, {"id": "org/large"}]}'
    with pytest.raises(ClientError, match=r"no such model.*org/small.*Set vlm\.model"):
        ask(server, tmp_path, time, model="org/smal")
    assert not server.bodies


def test_a_refusal_is_a_reply_and_is_not_asked_again(server: Any, tmp_path: Path, time: Any) -> None:
    said = b'{"choices": [{"message": {"content": null, "refusal": "I will not judge people."}}]}'
    server.answer = lambda n, sent: (200, {}, said)
    for _ in range(2):
        results = ask(server, tmp_path, time)
        texts = [result.reply.text for result in results if isinstance(result, Result) and result.reply]
        assert texts == ["I will not judge people."] * N
    assert len(server.bodies) == N
    assert not kept(tmp_path).errors


@pytest.mark.parametrize(
    ("value", "expected"), [("NaN", None), ("null", None), ("-1e999", (-math.inf, -2.5))]
)
def test_log_probabilities_that_are_no_numbers(
    server: Any, body: Body, tmp_path: Path, time: Any, value: str, expected: tuple[float, ...] | None
) -> None:
    server.probed = lambda sent: (200, {}, body("hello", {"hello": -0.5, "Hi": -1.0}))
    said = body("A", {"A": -0.125, "B": -2.5}).replace(b"-0.125", value.encode())
    server.answer = lambda n, sent: (200, {}, said)
    replies = [result.reply for result in ask(server, tmp_path, time) if isinstance(result, Result)]
    assert [reply and reply.text for reply in replies] == ["A"] * N
    assert [reply and reply.option_logprobs for reply in replies] == [expected] * N
    assert kept(tmp_path).texts == ["A"] * N


def test_a_server_that_goes_away_in_the_middle(server: Any, body: Body, tmp_path: Path, time: Any) -> None:
    def answer(n: int, sent: dict[str, Any]) -> Answer:
        return (200, {}, body("A", TOP)) if n < 10 else (503, {}, b"the model is gone")

    server.answer = answer
    results = ask(server, tmp_path, time, n=60, retries=20, gone_after_s=60.0)
    stopped = [result for result in results if isinstance(result, EndpointGone)]
    replies = kept(tmp_path).texts
    assert len(replies) == 10
    silent = re.match(r"nothing was answered for (\d+) s, while \d+ attempts failed", str(stopped[0]))
    assert silent
    assert int(silent[1]) >= 60
    assert any("HTTP 503: the model is gone. 10 replies are kept in" in str(error) for error in stopped)
    assert str(stopped[0]).endswith("the same command goes on from there")
    server.bodies.clear()
    server.answer = lambda n, sent: (200, {}, body("A", TOP))
    results = ask(server, tmp_path, time, n=60)
    assert all(isinstance(result, Result) and result.reply for result in results)
    assert len(server.bodies) == 50


def test_the_pace_of_the_recipe_reaches_the_desk() -> None:
    backend = OpenAIBackend(backend="openai", model="m", concurrency=9, retries=2, gone_after_s=7.0)
    assert OpenAIClient(backend, "").pace == Pace(9, 2, 7.0)
