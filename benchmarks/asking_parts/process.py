"""The processes that `asking.py` measures; each prints what it took as JSON.

process.py endpoint URL FOLDER     asks all calls of an endpoint
process.py fill FOLDER             fills a ledger by asking a model of no latency
process.py first|last FOLDER       asks a new call before or after the known ones
"""

import asyncio
import hashlib
import json
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curate.frames.pictures import PictureStore
from curate.recipe import OpenAIBackend
from curate.vlm.canned import CannedClient
from curate.vlm.client import Letter, Pace, Picture, Prompt, Reply, VisionClient
from curate.vlm.desk.asking import Call, Desk
from curate.vlm.desk.ledger import Ledger
from curate.vlm.desk.workers import for_each
from curate.vlm.server.openai import OpenAIClient

CALLS, KNOWN = 10_000, 200_000
ITEMS, PICTURES = 8, 4
CLIPS_AT_ONCE = 32
MOST_AT_ONCE = 128
"""Calls at once that the client would make; how many the endpoint bears is not told."""
WORDS = "Where do the eyes look in these pictures? A: at the camera. B: away from it. C: they are closed. "


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked: so many clips, and all items of each."""

    clips: Sequence[int]
    digests: Sequence[str]
    read: Callable[[str], bytes]

    def calls(self, clip: int) -> list[Call]:
        """All items of a clip."""
        places = range(clip * PICTURES, (clip + 1) * PICTURES)
        pictures = [Picture(self.digests[place % len(self.digests)], self.read) for place in places]
        return [
            Call(Prompt((*pictures, f"{WORDS} Clip {clip}, item {item}."), Letter(("A", "B", "C"))), "1", "r")
            for item in range(ITEMS)
        ]


async def measured(client: VisionClient, load: Load, path: Path) -> dict[str, float]:
    """Ask everything, clip by clip, and tell what it took."""
    await client.prepare()
    started_s, cpu_s, replies = time.perf_counter(), time.process_time(), 0
    with Ledger(path) as ledger:
        desk = Desk(client, ledger, pace=client.pace, rng=np.random.default_rng(0))

        async def work(clip: int) -> None:
            nonlocal replies
            results = await asyncio.gather(*(desk.ask(call) for call in load.calls(clip)))
            replies += sum(result.reply is not None for result in results)

        await for_each(_each(load.clips), work, at_once=CLIPS_AT_ONCE)
    took = {"seconds": time.perf_counter() - started_s, "cpu_s": time.process_time() - cpu_s}
    await client.close()
    return {**took, "replies": replies, "peak_mb": _peak_mb()}


def ask_endpoint(url: str, folder: Path) -> dict[str, float]:
    """All calls, with the pictures of the folder."""
    store = PictureStore(folder / "pictures")
    load = Load(range(CALLS // ITEMS), json.loads((folder / "digests.json").read_text()), store.get)
    backend = OpenAIBackend(backend="openai", model="m", base_url=url, concurrency=MOST_AT_ONCE)
    return asyncio.run(measured(OpenAIClient(backend, ""), load, folder / "ledger.sqlite"))


def fill(folder: Path) -> dict[str, float]:
    """All known calls, answered at once."""
    load = Load(range(KNOWN // ITEMS), _digests(), _no_bytes)
    return asyncio.run(measured(CannedClient(_answer), load, folder / "ledger.sqlite"))


def resume(place: str, folder: Path) -> dict[str, float]:
    """All known calls again; those of one more clip are new, and come first or last."""
    new, asked_at_s = KNOWN // ITEMS, []

    def answer(prompt: Prompt) -> Reply:
        asked_at_s.append(time.perf_counter() - started_s)
        return _answer(prompt)

    known = range(new)
    load = Load([new, *known] if place == "first" else [*known, new + 1], _digests(), _no_bytes)
    client = CannedClient(answer, pace=Pace(concurrency=64))
    started_s = time.perf_counter()
    took = asyncio.run(measured(client, load, folder / "ledger.sqlite"))
    return {**took, "ready_s": asked_at_s[0], "repeated": len(asked_at_s) - ITEMS}


async def _each(clips: Sequence[int]) -> AsyncIterator[int]:
    for clip in clips:
        yield clip


def _answer(_: Prompt) -> Reply:
    return Reply("A", "", (-0.1, -2.5, -6.0), None, "before_mask", "stop", 0.2, 900, 1, 0)


def _digests() -> list[str]:
    return [hashlib.sha256(str(place).encode()).hexdigest() for place in range(KNOWN // ITEMS * PICTURES)]


def _no_bytes(_: str) -> bytes:
    raise AssertionError("nobody looks at these pictures")


def _peak_mb() -> float:
    """Largest resident size of this process so far; kilobytes on Linux, bytes on macOS."""
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(what: str, *arguments: str) -> None:
    """Do one of them, and print what it took."""
    folder = Path(arguments[-1])
    if what == "endpoint":
        took = ask_endpoint(arguments[0], folder)
    else:
        took = fill(folder) if what == "fill" else resume(what, folder)
    print(json.dumps(took))


if __name__ == "__main__":
    main(*sys.argv[1:])
