"""A transformers image-text-to-text model in this process."""

import asyncio
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TypeVar

from curate.errors import ClientError
from curate.recipe import TransformersBackend
from curate.vlm.client import Abilities, CacheCounts, Pace, Prompt, Reply
from curate.vlm.local.local_model import LocalModel, load_model
from curate.vlm.local.one_prefill import together
from curate.vlm.local.trial import trial_prompts

IDLE_TURNS = 10
"""A batch is closed when so many turns of the event loop in a row have brought no prompt."""


Each = TypeVar("Each")


@dataclass(frozen=True, slots=True)
class _Waiting:
    prompt: Prompt
    reply: asyncio.Future[Reply]


class TransformersClient:
    """Gathers prompts that are put at the same time and answers them together, clip by clip.

    The model runs in one thread of its own, so that the event loop stays free
    and torch's number of threads is set once.
    """

    def __init__(self, backend: TransformersBackend) -> None:
        """Load the model.

        Raises:
            MissingPartError: torch or transformers is not installed.
            ClientError: The model cannot be loaded.
        """
        self._backend = backend
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        try:
            self._model: LocalModel = self._thread.submit(load_model, backend).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._counts = CacheCounts(queries=0, hits=0)

    @property
    def model(self) -> str:
        """name@revision: the Hub's commit, or a digest of the weights."""
        return self._model.name

    @property
    def parameters(self) -> Mapping[str, object]:
        """Nothing is drawn, unless a prompt is warm."""
        return {"temperature": 0, "logprobs": "before_mask", "structured": False}

    @property
    def pace(self) -> Pace:
        """Clips for three batches, each put as a whole: one is answered while the next ones gather."""
        return Pace(concurrency=3 * self._backend.batch_size, queues=True)

    async def prepare(self) -> Abilities:
        """Try whether the model goes on from a prefix, and say if it does not.

        Raises:
            ClientError: The model cannot take a prompt with two pictures.
        """
        outcomes = await self._in_thread(trial_prompts())
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        reason = self._model.plain_because
        server = f"transformers {version('transformers')}"
        return Abilities(
            server=f"{server}, each prompt on its own: {reason}" if reason else server,
            logprobs="before_mask",
            structured=False,
        )

    async def ask(self, prompt: Prompt) -> Reply:
        """Answer together with whatever else waits.

        Raises:
            ClientError: A picture cannot be read, or the model cannot take the prompt.
        """
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        waiting = _Waiting(prompt, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        return await waiting.reply

    async def cache_counts(self) -> CacheCounts:
        """Prompt tokens, and those of them that were taken from a prefix already computed."""
        return self._counts

    async def close(self) -> None:
        """Stop the worker; what still waits is cancelled."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        for waiting in self._waiting:
            waiting.reply.cancel()
        self._waiting.clear()
        self._thread.shutdown()

    async def _work(self) -> None:
        while True:
            await self._gathered()
            size = self._backend.batch_size
            batch, self._waiting = whole_clips(self._waiting, size, key=lambda each: together(each.prompt))
            await self._answer(batch)

    async def _gathered(self) -> None:
        """Wait for a first prompt, and let every coroutine that is ready put its own."""
        self._arrived.clear()
        if not self._waiting:
            await self._arrived.wait()
        idle = 0
        while idle < IDLE_TURNS:
            n_waiting = len(self._waiting)
            await asyncio.sleep(0)
            idle = idle + 1 if len(self._waiting) == n_waiting else 0

    async def _answer(self, batch: list[_Waiting]) -> None:
        """Settle every future of a batch, whatever happens."""
        started_s = time.perf_counter()
        outcomes = await self._in_thread([waiting.prompt for waiting in batch])
        latency_s = time.perf_counter() - started_s
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Reply):
                self._count(outcome)
            if waiting.reply.done():  # its asker was cancelled
                continue
            if isinstance(outcome, Reply):
                waiting.reply.set_result(replace(outcome, latency_s=latency_s))
            else:
                waiting.reply.set_exception(outcome)

    async def _in_thread(self, prompts: list[Prompt]) -> list[Reply | Exception]:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._model.answer, prompts)
        except Exception as error:
            return [_as_client_error(error, self.model)] * len(prompts)

    def _count(self, reply: Reply) -> None:
        self._counts = CacheCounts(
            queries=self._counts.queries + (reply.tokens_in or 0),
            hits=self._counts.hits + (reply.tokens_cached or 0),
        )


def whole_clips(
    waiting: Sequence[Each], batch_size: int, key: Callable[[Each], Hashable]
) -> tuple[list[Each], list[Each]]:
    """What is answered next, and what goes on waiting; neither changes its order within a clip.

    Args:
        waiting: In the order in which they came; not empty.
        batch_size: At most so many are answered together.
        key: What is the same for all of one clip. They stay together: as many
            whole clips as fit, or a part of the first if that alone does not.
    """
    clips: dict[Hashable, list[Each]] = {}
    for each in waiting:
        clips.setdefault(key(each), []).append(each)
    first, *others = clips.values()
    batch, left = first[:batch_size], first[batch_size:]
    for clip in others:
        if left or len(batch) + len(clip) > batch_size:
            left += clip
        else:
            batch += clip
    return batch, left


def _as_client_error(error: Exception, model: str) -> Exception:
    # torch reports a lack of memory and shapes that do not fit as RuntimeError, processors as ValueError;
    # anything else is a fault of this program and keeps its traceback.
    if isinstance(error, (RuntimeError, ValueError, MemoryError)):
        return ClientError(f"model {model}: {error}. Lower vlm.batch_size or send smaller pictures")
    return error
