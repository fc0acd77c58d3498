"""A real vLLM server on this machine's CPU: what a clip's questions cost when they share its pictures.

Run by `asking.py vllm` in the environment that `make test-vllm` makes. The model
has random weights, and pictures that are long beside the questions, as those
of a model in use are: 4 pictures of 256
tokens. Every measurement is of clips that the server has not seen, so that
nothing but what one clip's questions share can be found in its cache.
"""

import asyncio
import hashlib
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests_vllm"))

import numpy as np
from served import DEMO, MODEL, vllm_server

from curate.answers.questions import Question, questions
from curate.answers.reading.parse import parse, parse_sheet
from curate.answers.schedule import BASE
from curate.questionnaire import load_questionnaire
from curate.recipe import Answers, OpenAIBackend
from curate.resources import resource
from curate.vlm.client import CacheCounts, Picture, Prompt, Reply
from curate.vlm.server.openai import OpenAIClient

SIDE_PX, PICTURES, ROUNDS = 256, 4, 6
QUESTIONNAIRE = load_questionnaire(resource("demo/questionnaire.yaml"))
SEPARATE = questions(QUESTIONNAIRE, Answers(), "logprobs", BASE)
JOINT = questions(QUESTIONNAIRE, Answers(mode="joint"), "logprobs", BASE)


@dataclass(frozen=True, slots=True)
class Took:
    """One clip's questions."""

    seconds: float
    tokens_in: int
    tokens_out: int
    tokens_cached: int


def main() -> None:
    """Print each way as JSON, for `asking.py` and for people."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        model = write_checkpoint(folder / "model")
        with vllm_server(model, folder / "log.txt") as url:
            measured = asyncio.run(costs(url))
        with vllm_server(DEMO, folder / "demo.txt") as url:
            measured["agreement"] = asyncio.run(agreement(url, folder / "clips"))
    print(json.dumps(measured, indent=1))


async def costs(url: str) -> dict[str, object]:
    """Median over clips of each way of asking, in turn."""
    client = OpenAIClient(OpenAIBackend(backend="openai", model=MODEL, base_url=url, concurrency=64), "")
    await client.prepare()
    ways: dict[str, Callable[[tuple[Picture, ...]], list[Prompt]]] = {
        "one item": lambda pictures: _first(pictures)[:1],
        "eight items, pictures first": _first,
        "eight items, question first": _last,
        "eight items in one reply": lambda pictures: [_prompt(pictures, JOINT[0])],
    }
    rng = np.random.default_rng(0)
    for prompts in ways.values():  # once unmeasured: a server's first requests are slow
        await _took(client, prompts(_clip(rng)))
    took: dict[str, list[Took]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, prompts in ways.items():
            took[name].append(await _took(client, prompts(_clip(rng))))
    counts = await client.cache_counts()
    await client.close()
    return {"ways": {name: _median(rows) for name, rows in took.items()}, "cache": _shares(counts)}


async def agreement(url: str, folder: Path) -> dict[str, object]:
    """The demo's model, which was taught one question at a time, asked for all in one reply."""
    from asked import draw_clips

    clips = draw_clips(folder, n_clips=20, seed=50_021)
    client = OpenAIClient(OpenAIBackend(backend="openai", model=MODEL, base_url=url, concurrency=64), "")
    await client.prepare()
    same = total = 0
    for pictures in clips:
        replies = await asyncio.gather(*map(client.ask, _first(pictures)))
        (sheet,) = await asyncio.gather(client.ask(_prompt(pictures, JOINT[0])))
        joint = parse_sheet(sheet, {one.item.id: one for one in JOINT[0].listings})
        for question, reply in zip(SEPARATE, replies, strict=True):
            listing = question.listings[0]
            same += parse(reply, listing).answer == joint[listing.item.id].answer
            total += 1
    await client.close()
    return {"same": same, "total": total}


async def _took(client: OpenAIClient, prompts: Sequence[Prompt]) -> Took:
    started_s = time.perf_counter()
    replies: list[Reply] = await asyncio.gather(*map(client.ask, prompts))
    seconds = time.perf_counter() - started_s
    return Took(
        seconds,
        *(sum(getattr(reply, name) or 0 for reply in replies) for name in _TOKENS),
    )


_TOKENS = ("tokens_in", "tokens_out", "tokens_cached")


def _median(rows: Sequence[Took]) -> dict[str, float]:
    names = ("seconds", *_TOKENS)
    return {name: statistics.median(getattr(row, name) for row in rows) for name in names}


def _shares(counts: CacheCounts | None) -> dict[str, int]:
    return {"queries": counts.queries, "hits": counts.hits} if counts else {}


def _first(pictures: tuple[Picture, ...]) -> list[Prompt]:
    return [_prompt(pictures, question) for question in SEPARATE]


def _last(pictures: tuple[Picture, ...]) -> list[Prompt]:
    return [Prompt((question.words, *pictures), question.form) for question in SEPARATE]


def _prompt(pictures: tuple[Picture, ...], question: Question) -> Prompt:
    return Prompt((*pictures, question.words), question.form)


def _clip(rng: np.random.Generator) -> tuple[Picture, ...]:
    """Pictures of smooth noise that nobody has seen."""
    from PIL import Image

    stored: dict[str, bytes] = {}
    for _ in range(PICTURES):
        file = io.BytesIO()
        coarse = Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
        coarse.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC).save(file, "JPEG", quality=80)
        stored[hashlib.sha256(file.getvalue()).hexdigest()] = file.getvalue()
    return tuple(Picture(digest, stored.__getitem__) for digest in stored)


def write_checkpoint(folder: Path) -> Path:
    """The demo's architecture, larger, with random weights and pictures of 256 tokens."""
    import shutil

    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    shutil.copytree(DEMO, folder)
    config = AutoConfig.from_pretrained(DEMO)
    config.text_config.hidden_size = config.vision_config.out_hidden_size = 384
    config.text_config.intermediate_size = 1536
    config.text_config.num_hidden_layers = 8
    torch.manual_seed(0)
    AutoModelForImageTextToText.from_config(config, dtype=torch.float32).save_pretrained(folder)
    area = {"shortest_edge": SIDE_PX**2, "longest_edge": SIDE_PX**2}
    for name in ("preprocessor_config.json", "video_preprocessor_config.json"):
        settings = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(settings | {"size": area}))
    return folder


if __name__ == "__main__":
    main()
