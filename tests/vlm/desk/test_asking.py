import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curate.errors import BadReply, ClientError, EndpointGone, RateLimited, TimedOut, Unreachable
from curate.vlm.canned import CannedClient
from curate.vlm.client import Letter, Pace, Prompt, Reply, VisionClient
from curate.vlm.desk.asking import Call, Desk, Result
from curate.vlm.desk.budget import Budget
from curate.vlm.desk.ledger import Ledger


def calls(n: int, prefix: str = "question") -> list[Call]:
    return [Call(Prompt((f"{prefix} {i}",), Letter(("A", "B"))), "1", "r") for i in range(n)]


def desk(client: VisionClient, ledger: Ledger, time: Any, **settings: Any) -> Desk:
    settings.setdefault("pace", Pace(concurrency=3))
    return Desk(client, ledger, rng=np.random.default_rng(0), sleep=time.sleep, clock=time.clock, **settings)


def run(path: Path, asked: Sequence[Call], client: VisionClient, time: Any, **settings: Any) -> list[Result]:
    """The results of calls that are asked all at once."""

    async def all_of_them() -> list[Result]:
        asks = desk(client, ledger, time, **settings)
        return await asyncio.gather(*(asks.ask(call) for call in asked))

    with Ledger(path / "ledger.sqlite") as ledger:
        return asyncio.run(all_of_them())


def failing(*errors: ClientError) -> Callable[[Prompt], str]:
    left = list(errors)

    def answer(prompt: Prompt) -> str:
        if left:
            raise left.pop(0)
        return "A"

    return answer


def errors_kept(path: Path) -> list[tuple[str, str, int]]:
    with Ledger(path / "ledger.sqlite") as ledger:
        return ledger._base.execute("SELECT kind, message, attempts FROM errors").fetchall()


class Slow(CannedClient):
    """Takes a moment, and counts how many prompts are under way."""

    now = most = 0

    async def ask(self, prompt: Prompt) -> Reply:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(5):
            await asyncio.sleep(0)
        self.now -= 1
        return await super().ask(prompt)


def test_every_call_gets_its_own_reply(tmp_path: Path, time: Any) -> None:
    results = run(tmp_path, calls(7), CannedClient(lambda prompt: prompt.text), time)
    assert [result.reply.text for result in results if result.reply] == [f"question {i}" for i in range(7)]
    assert all(result.fresh for result in results)
    assert len({result.key for result in results}) == 7


def test_what_the_ledger_holds_is_not_asked_again(tmp_path: Path, time: Any) -> None:
    first = run(tmp_path, calls(4), CannedClient(lambda prompt: prompt.text), time)
    client = CannedClient(lambda _: "other")
    second = run(tmp_path, calls(6), client, time)
    assert [prompt.text for prompt in client.asked] == ["question 4", "question 5"]
    assert [result.fresh for result in second] == [False] * 4 + [True] * 2
    assert [result.reply for result in second[:4]] == [result.reply for result in first]


def test_the_same_call_twice_is_asked_once(tmp_path: Path, time: Any) -> None:
    client = Slow(lambda prompt: prompt.text)
    results = run(tmp_path, calls(2) + calls(2), client, time, pace=Pace(concurrency=4))
    assert len(client.asked) == 2
    assert [result.fresh for result in results] == [True, True, False, False]
    assert results[0].reply == results[2].reply


def test_a_twin_of_a_call_that_was_cancelled_asks_by_itself(tmp_path: Path, time: Any) -> None:
    client = Slow(lambda _: "A")

    async def one_cancelled() -> Result:
        asks = desk(client, ledger, time)
        (call,) = calls(1)
        first, second = (asyncio.create_task(asks.ask(call)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        result = asyncio.run(one_cancelled())
    assert result.reply is not None
    assert result.fresh


def test_a_fault_of_the_program_is_not_hidden(tmp_path: Path, time: Any) -> None:
    class Broken(Slow):
        async def ask(self, prompt: Prompt) -> Reply:
            await super().ask(prompt)
            raise ZeroDivisionError

    async def all_of_them() -> list[Result | BaseException]:
        asks = desk(Broken(lambda _: "A"), ledger, time)
        return await asyncio.gather(*(asks.ask(call) for call in calls(2) + calls(2)), return_exceptions=True)

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        found = asyncio.run(all_of_them())
    assert [type(error) for error in found] == [ZeroDivisionError] * 4


def test_a_reply_is_on_the_disk_before_it_is_handed_over(tmp_path: Path, time: Any) -> None:
    async def one() -> None:
        result = await desk(CannedClient(lambda _: "A"), ledger, time).ask(calls(1)[0])
        with Ledger(tmp_path / "ledger.sqlite") as other:
            assert other.get(result.key) == result.reply

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        asyncio.run(one())


def test_so_many_at_once_and_no_more(tmp_path: Path, time: Any) -> None:
    client = Slow(lambda _: "A")
    run(tmp_path, calls(40), client, time, pace=Pace(concurrency=4))
    assert client.most == 4


def test_calls_begin_in_the_order_in_which_they_were_asked(tmp_path: Path, time: Any) -> None:
    client = Slow(lambda _: "A")
    run(tmp_path, calls(100), client, time, pace=Pace(concurrency=16))
    assert [prompt.text for prompt in client.asked] == [f"question {i}" for i in range(100)]


def test_a_named_wait_holds_back_everybody(tmp_path: Path, time: Any) -> None:
    began: list[float] = []
    answer = failing(RateLimited("slow down", 7.0))

    def timed(prompt: Prompt) -> str:
        began.append(time.now_s)
        return answer(prompt)

    results = run(tmp_path, calls(20), CannedClient(timed), time, pace=Pace(1, retries=1))
    assert all(result.reply for result in results)
    assert began[0] == 0
    assert min(began[1:]) >= 7.0


def test_a_failed_call_is_data_and_is_asked_again_by_the_next_run(tmp_path: Path, time: Any) -> None:
    def answer(prompt: Prompt) -> str:
        if prompt.text == "question 1":
            raise ClientError("too large")
        return "A"

    results = run(tmp_path, calls(3), CannedClient(answer), time, pace=Pace(1, retries=4))
    assert [result.error for result in results] == [None, "too large", None]
    assert time.waits == []  # asking again would not help
    assert errors_kept(tmp_path) == [("ClientError", "too large", 1)]
    client = CannedClient(lambda _: "B")
    again = run(tmp_path, calls(3), client, time)
    assert [prompt.text for prompt in client.asked] == ["question 1"]
    assert again[1].reply is not None


def test_retries_that_are_used_up_are_kept_as_an_error(tmp_path: Path, time: Any) -> None:
    client = CannedClient(failing(*[TimedOut("no reply within 1 s")] * 3))
    (result,) = run(tmp_path, calls(1), client, time, pace=Pace(1, retries=2))
    assert (result.error, len(client.asked)) == ("no reply within 1 s", 3)
    assert errors_kept(tmp_path) == [("TimedOut", "no reply within 1 s", 3)]


def test_an_unusable_reply_is_asked_for_three_times_at_most(tmp_path: Path, time: Any) -> None:
    client = CannedClient(failing(*[BadReply("no JSON")] * 9))
    (result,) = run(tmp_path, calls(1), client, time, pace=Pace(1, retries=9))
    assert (result.error, len(client.asked)) == ("no JSON", 3)


def test_when_nothing_works_it_stops_early(tmp_path: Path, time: Any) -> None:
    def answer(prompt: Prompt) -> str:
        raise ClientError(f"HTTP 401: no such key (request {prompt.text[-2:]}f3).")

    client = CannedClient(answer)
    with pytest.raises(EndpointGone) as stopped:
        run(tmp_path, calls(100), client, time, pace=Pace(1))
    assert len(client.asked) == 5
    assert str(stopped.value) == (
        "no call was answered, and 5 in a row failed alike, so no more are made. "
        f"HTTP 401: no such key (request  4f3). 0 replies are kept in {tmp_path / 'ledger.sqlite'}: "
        "the same command goes on from there"
    )
    assert len(errors_kept(tmp_path)) == 5


def test_an_endpoint_that_is_gone_ends_every_call(tmp_path: Path, time: Any) -> None:
    run(tmp_path, calls(2), CannedClient(lambda _: "A"), time)
    client = CannedClient(failing(*[Unreachable("no connection: refused")] * 1000))

    async def all_of_them() -> list[Result | BaseException]:
        asks = desk(client, ledger, time, pace=Pace(64, retries=20, gone_after_s=60.0))
        return await asyncio.gather(*(asks.ask(call) for call in calls(300)), return_exceptions=True)

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        found = asyncio.run(all_of_them())
    assert [type(one) for one in found] == [Result] * 2 + [EndpointGone] * 298
    said = str(next(one for one in found if isinstance(one, EndpointGone)))
    assert said.startswith("nothing was answered for 6")
    assert "no connection: refused. 2 replies are kept in" in said
    # 8, 4, 2, and then one at a time tries whether it is back; the others keep their attempts.
    assert len(client.asked) < 60


def test_calls_outlive_a_restart_of_the_server(tmp_path: Path, time: Any) -> None:
    def answer(prompt: Prompt) -> str:
        if len(client.asked) >= 10 and time.now_s < 50:
            raise Unreachable("no connection: refused")
        return "A"

    client = CannedClient(answer)
    pace = Pace(64, retries=5, gone_after_s=60.0)
    results = run(tmp_path, calls(400), client, time, pace=pace)
    lost = [result for result in results if result.error]
    assert len(lost) < 20
    assert len(errors_kept(tmp_path)) == len(lost)
    assert time.now_s >= 50


def test_at_most_so_many_new_calls(tmp_path: Path, time: Any) -> None:
    run(tmp_path, calls(2), CannedClient(lambda _: "A"), time)
    client = CannedClient(lambda _: "A")
    results = run(tmp_path, calls(6), client, time, budget=Budget(max_calls=3))
    assert len(client.asked) == 3
    assert [result.reply is not None for result in results] == [True] * 5 + [False]
    assert results[5].error is None


@pytest.mark.parametrize("concurrency", [1, 4, 16])
def test_a_cap_is_overshot_by_no_more_than_the_calls_in_flight(
    tmp_path: Path, time: Any, concurrency: int
) -> None:
    client = Slow(lambda _: Reply("A", "", tokens_in=90, tokens_out=10))

    async def all_of_them() -> tuple[int, int]:
        asks = desk(client, ledger, time, pace=Pace(concurrency), budget=Budget(max_tokens=5000))
        results = await asyncio.gather(*(asks.ask(call) for call in calls(200)))
        assert sum(result.reply is not None for result in results) == asks.spent.calls
        return asks.spent.calls, asks.spent.tokens_in + asks.spent.tokens_out

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        n_calls, tokens = asyncio.run(all_of_them())
    assert tokens == 100 * n_calls
    # 50 calls spend it; the last of them does not see those that were begun beside it.
    assert 50 <= n_calls <= 50 + concurrency - 1


def test_a_retry_is_not_another_call(tmp_path: Path, time: Any) -> None:
    client = CannedClient(failing(TimedOut("late"), TimedOut("late")))
    results = run(tmp_path, calls(3), client, time, pace=Pace(1, retries=5), budget=Budget(max_calls=2))
    assert len(client.asked) == 4
    assert [result.reply is not None for result in results] == [True, True, False]


def test_a_cap_that_cannot_be_kept_ends_the_run_and_loses_nothing(tmp_path: Path, time: Any) -> None:
    client = CannedClient(lambda _: "A")
    with pytest.raises(ClientError, match="does not tell how many tokens"):
        run(tmp_path, calls(9), client, time, pace=Pace(1), budget=Budget(max_tokens=10))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.count() == len(client.asked)
