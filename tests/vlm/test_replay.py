import asyncio
from pathlib import Path

import numpy as np
import pytest

from curate.errors import ClientError
from curate.vlm.asking import Call, Result, ask_all
from curate.vlm.canned import CannedClient
from curate.vlm.client import Picture, Prompt, Reply, VisionClient
from curate.vlm.ledger import Ledger
from curate.vlm.replay import ReplayClient

CALLS = [Call(Prompt((Picture(b"p", f"{i:064x}"),), "Which?", ("A", "B")), "1", "r", "f") for i in range(5)]


def live() -> CannedClient:
    def answer(prompt: Prompt) -> Reply:
        share = int(prompt.pictures[0].sha256, 16) / 8
        return Reply("A", "", (-share, -float("inf")), "before_mask", "stop", tokens_in=3)

    return CannedClient(answer, model="org/vlm@r1", parameters={"seed": 3, "temperature": 0})


async def asked(client: VisionClient, path: Path, calls: list[Call] = CALLS) -> list[object]:
    results: dict[int, Result] = {}
    with Ledger(path) as ledger:
        await ask_all(
            calls, client, ledger, results.__setitem__, pace=client.pace, rng=np.random.default_rng(0)
        )
        await client.close()
        found = {place: (result.key, result.reply, result.error) for place, result in results.items()}
        return [found, ledger.calls().rows()]


async def asked_into(ledger: Ledger) -> None:
    rng = np.random.default_rng(0)
    await ask_all(CALLS, live(), ledger, lambda place, result: None, pace=live().pace, rng=rng)


def test_replayed_equals_live(tmp_path: Path) -> None:
    first = asyncio.run(asked(live(), tmp_path / "live.sqlite"))
    second = asyncio.run(asked(ReplayClient(tmp_path / "live.sqlite"), tmp_path / "replayed.sqlite"))
    assert first == second


def test_a_ledger_that_nobody_may_write_to(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"
    asyncio.run(asked(live(), path))
    content = path.read_bytes()
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    client = ReplayClient(path)
    assert asyncio.run(client.ask(CALLS[0].prompt)).text == "A"
    asyncio.run(client.close())
    tmp_path.chmod(0o755)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_replies_in_the_write_ahead_log_are_found(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"

    async def while_open() -> str:
        with Ledger(path) as ledger:
            await asked_into(ledger)
            assert path.with_name("live.sqlite-wal").stat().st_size > 0
            client = ReplayClient(path)
            reply = await client.ask(CALLS[4].prompt)
            await client.close()
            return reply.text

    assert asyncio.run(while_open()) == "A"


def test_a_prompt_that_was_not_recorded(tmp_path: Path) -> None:
    asyncio.run(asked(live(), tmp_path / "live.sqlite"))
    client = ReplayClient(tmp_path / "live.sqlite")
    with pytest.raises(ClientError, match="no reply was recorded for 0 pictures and 'Who is it"):
        asyncio.run(client.ask(Prompt((), "Who is it?", ("A", "B"))))
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
