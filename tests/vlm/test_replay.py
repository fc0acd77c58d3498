import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curate.errors import ClientError
from curate.vlm.canned import CannedClient
from curate.vlm.client import (
    Abilities,
    Letter,
    LogprobsKind,
    Picture,
    Prompt,
    Reply,
    Sheet,
    VisionClient,
    Words,
)
from curate.vlm.desk.asking import Call, Desk, Result
from curate.vlm.desk.ledger import Ledger
from curate.vlm.replay import ReplayClient

LETTERS = Letter(("A", "B"))


def prompt(digest: int, **settings: Any) -> Prompt:
    shown = Picture(f"{digest:064x}", lambda sha256: b"p")
    return Prompt((shown, "Which?"), settings.pop("form", LETTERS), **settings)


CALLS = [Call(prompt(i), "1", "r") for i in range(5)]


def live() -> CannedClient:
    def answer(asked: Prompt) -> Reply:
        share = int(asked.pictures[0].sha256, 16) / 8
        told = {"tilt": (-share, -float("inf"))} if isinstance(asked.form, Sheet) else None
        text = f"A {asked.form} {asked.draw} {asked.warm} {asked.again}"
        return Reply(
            text, "", (-share, -float("inf")), told, "before_mask", "stop", tokens_in=3, tokens_cached=1
        )

    return CannedClient(answer, model="org/vlm@r1", parameters={"seed": 3, "temperature": 0})


async def asked(client: VisionClient, path: Path, calls: list[Call] = CALLS) -> list[object]:
    with Ledger(path) as ledger:
        results = await asked_into(ledger, client, calls)
        await client.close()
        found = [(result.key, result.reply, result.error) for result in results]
        return [found, ledger.calls().rows()]


async def asked_into(ledger: Ledger, client: VisionClient, calls: list[Call] = CALLS) -> list[Result]:
    await client.prepare()
    desk = Desk(client, ledger, pace=client.pace, rng=np.random.default_rng(0))
    return [await desk.ask(call) for call in calls]


def test_replayed_equals_live(tmp_path: Path) -> None:
    first = asyncio.run(asked(live(), tmp_path / "live.sqlite"))
    second = asyncio.run(asked(ReplayClient(tmp_path / "live.sqlite"), tmp_path / "replayed.sqlite"))
    assert first == second


def test_calls_that_differ_in_anything_have_their_own_replies(tmp_path: Path) -> None:
    prompts = [
        prompt(1),
        prompt(1, form=Letter(("A", "B", "C"))),
        prompt(1, form=Words(9)),
        prompt(1, form=Sheet("{}", 9, (("tilt", ("A", "B")),))),
        prompt(1, draw=1),
        prompt(1, warm=True),
        prompt(1, again="canary"),
    ]
    calls = [Call(each, "1", "r") for each in prompts]
    first = asyncio.run(asked(live(), tmp_path / "live.sqlite", calls))
    second = asyncio.run(asked(ReplayClient(tmp_path / "live.sqlite"), tmp_path / "replayed.sqlite", calls))
    assert first == second
    assert len({reply.text for _, reply, _ in first[0]}) == len(prompts)


@pytest.mark.parametrize("logprobs", ["after_mask", "before_mask", None])
@pytest.mark.parametrize("structured", [True, False])
def test_it_can_what_the_recorded_model_could(
    tmp_path: Path, logprobs: LogprobsKind | None, structured: bool
) -> None:
    recorded = CannedClient(lambda _: "A", model="m@1", abilities=Abilities("some", logprobs, structured))
    asyncio.run(asked(recorded, tmp_path / "live.sqlite"))

    async def prepared() -> Abilities:
        client = ReplayClient(tmp_path / "live.sqlite")
        abilities = await client.prepare()
        assert await client.cache_counts() is None
        await client.close()
        return abilities

    assert asyncio.run(prepared()) == Abilities("replay of m@1", logprobs, structured)


def test_a_ledger_that_nobody_may_write_to(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"
    asyncio.run(asked(live(), path))
    content = path.read_bytes()
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    client = ReplayClient(path)
    assert asyncio.run(client.ask(CALLS[0].prompt)).text.startswith("A")
    asyncio.run(client.close())
    tmp_path.chmod(0o755)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_replies_in_the_write_ahead_log_are_found(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"

    async def while_open() -> str:
        with Ledger(path) as ledger:
            await asked_into(ledger, live())
            assert path.with_name("live.sqlite-wal").stat().st_size > 0
            client = ReplayClient(path)
            reply = await client.ask(CALLS[4].prompt)
            await client.close()
            return reply.text

    assert asyncio.run(while_open()).startswith("A")


def test_a_prompt_that_was_not_recorded(tmp_path: Path) -> None:
    asyncio.run(asked(live(), tmp_path / "live.sqlite"))
    client = ReplayClient(tmp_path / "live.sqlite")
    with pytest.raises(ClientError, match="no reply was recorded for 0 pictures and 'Who is it"):
        asyncio.run(client.ask(Prompt(("Who is it?",), LETTERS)))
    asyncio.run(client.close())


def test_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="no such ledger"):
        ReplayClient(tmp_path / "ledger.sqlite")


def test_an_empty_ledger(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.sqlite").close()
    with pytest.raises(ClientError, match="found nothing"):
        ReplayClient(tmp_path / "ledger.sqlite")


def test_no_database(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("a,b,c\n" * 100)
    with pytest.raises(ClientError, match="not a database"):
        ReplayClient(tmp_path / "ledger.sqlite")


def test_several_models_in_one_ledger(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"
    asyncio.run(asked(live(), path))
    asyncio.run(asked(CannedClient(lambda _: "B", model="other@1"), path))
    with pytest.raises(ClientError, match=r"expected the replies of one model, found .*other@1"):
        ReplayClient(path)
