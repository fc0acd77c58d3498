"""python asking_program.py URL LEDGER: asks 40 questions and keeps the replies, for a test to kill."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from curate.recipe import OpenAIBackend
from curate.vlm.client import Letter, Prompt
from curate.vlm.desk.asking import Call, Desk
from curate.vlm.desk.ledger import Ledger
from curate.vlm.desk.workers import for_each
from curate.vlm.server.openai import OpenAIClient


async def calls() -> AsyncIterator[Call]:
    """The questions."""
    for i in range(40):
        yield Call(Prompt((f"question {i}",), Letter(("A", "B"))), "1", "r")


async def main(url: str, path: Path) -> None:
    """Ask what the ledger does not hold."""
    client = OpenAIClient(OpenAIBackend(backend="openai", model="m", base_url=url, concurrency=4), "")
    await client.prepare()
    with Ledger(path) as ledger:
        desk = Desk(client, ledger, pace=client.pace, rng=np.random.default_rng(0))

        async def work(call: Call) -> None:
            await desk.ask(call)

        await for_each(calls(), work, at_once=40)
    await client.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
