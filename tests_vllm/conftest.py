"""Every checkpoint through every door: over HTTP, in this process, and by transformers as the measure."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

# vLLM reads these when it is imported, here and in the servers that are started from here.
os.environ.update(
    VLLM_TARGET_DEVICE="cpu",
    VLLM_NO_USAGE_STATS="1",
    VLLM_CPU_KVCACHE_SPACE="1",  # GiB
    HF_HUB_OFFLINE="1",
    # Else the first request that asks for log-probabilities compiles C++ for 20 s.
    TORCHDYNAMO_DISABLE="1",
)

from asked import Seen, draw_clips, letter_prompts, see
from served import DEMO, MODEL, vllm_server, write_random_checkpoint

from curate.recipe import OpenAIBackend, TransformersBackend, VllmBackend
from curate.vlm.client import Picture, Reply
from curate.vlm.local.transformers import TransformersClient
from curate.vlm.local.vllm import VllmClient
from curate.vlm.server.openai import OpenAIClient

N_CLIPS = {"demo": 25, "random": 10}
"""25 clips and 8 items are 200 answers."""
SEED = 40_009  # of no clip that the model was trained on


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model to serve, and the clips that are asked about."""

    name: str
    folder: Path
    clips: list[tuple[Picture, ...]]


@pytest.fixture(scope="session", params=["demo", "random"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """One after the other: the machine may be small."""
    name = str(request.param)
    folder = tmp_path_factory.mktemp(name)
    model = DEMO if name == "demo" else write_random_checkpoint(folder / "model", seed=1)
    return Checkpoint(name, model, draw_clips(folder / "clips", n_clips=N_CLIPS[name], seed=SEED))


@pytest.fixture(scope="session")
def measure(checkpoint: Checkpoint) -> list[Reply]:
    """What transformers answers to every item about every clip."""
    client = TransformersClient(TransformersBackend(backend="transformers", model=str(checkpoint.folder)))

    async def told() -> list[Reply]:
        try:
            await client.prepare()
            return list(await asyncio.gather(*map(client.ask, letter_prompts(checkpoint.clips))))
        finally:
            await client.close()

    return asyncio.run(told())


@pytest.fixture(scope="session", params=["server", "engine"])
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def seen(checkpoint: Checkpoint, door: str, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What vLLM answers."""
    if door == "engine":
        backend = VllmBackend(
            backend="vllm", model=str(checkpoint.folder), dtype="float32", max_num_seqs=16, max_model_len=2048
        )
        return see(VllmClient(backend), checkpoint.clips)
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with vllm_server(checkpoint.folder, log) as url:
        client = OpenAIClient(OpenAIBackend(backend="openai", model=MODEL, base_url=url, concurrency=64), "")
        return see(client, checkpoint.clips)
