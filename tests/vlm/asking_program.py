"""python asking_program.py URL LEDGER: asks 40 questions and keeps the replies, for a test to kill."""

import asyncio
import sys
from pathlib import Path

import numpy as np

from curate.recipe import OpenAIBackend
from curate.vlm.asking import Call, ask_all
from curate.vlm.client import Prompt
from curate.vlm.ledger import Ledger
from curate.vlm.openai import OpenAIClient


async def main(url: str, path: Path) -> None:
    calls = [Call(Prompt((), f"question {i}", ("A", "B")), "1", "r", "f") for i in range(40)]
    client = OpenAIClient(OpenAIBackend(backend="openai", model="m", base_url=url, concurrency=4), "")
    with Ledger(path) as ledger:
        rng = np.random.default_rng(0)
        await ask_all(calls, client, ledger, lambda place, result: None, pace=client.pace, rng=rng)
    await client.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
