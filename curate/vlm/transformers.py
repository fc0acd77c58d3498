"""A transformers image-text-to-text model in this process."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from curate.errors import ClientError
from curate.recipe import TransformersBackend
from curate.vlm.client import Pace, Prompt, Reply
from curate.vlm.local_model import LocalModel, load_model


@dataclass(frozen=True, slots=True)
class _Waiting:
    prompt: Prompt
    reply: asyncio.Future[Reply]


class TransformersClient:
    """Gathers prompts that are put at the same time and answers them together.

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
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None

    @property
    def model(self) -> str:
        """name@revision: the Hub's commit, or a digest of the weights."""
        return self._model.name

    @property
    def parameters(self) -> Mapping[str, object]:
        """One token is read, nothing is drawn."""
        return {"max_tokens": 1, "temperature": 0}

    @property
    def pace(self) -> Pace:
        """Twice the batch: the next one gathers while this one is answered."""
        return Pace(concurrency=2 * self._backend.batch_size)

    async def ask(self, prompt: Prompt) -> Reply:
        """Answer together with whatever else waits.

        Raises:
            ClientError: A picture cannot be read, or the model cannot take the prompt.
        """
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        waiting = _Waiting(prompt, asyncio.get_running_loop().create_future())
        self._waiting.put_nowait(waiting)
        return await waiting.reply

    async def close(self) -> None:
        """Stop the worker; what still waits is cancelled."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        while not self._waiting.empty():
            self._waiting.get_nowait().reply.cancel()
        self._thread.shutdown()

    async def _work(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            # Let every coroutine that is ready put its prompt before the batch is closed.
            await asyncio.sleep(0)
            while len(batch) < self._backend.batch_size and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._answer(batch)

    async def _answer(self, batch: list[_Waiting]) -> None:
        """Settle every future of a batch, whatever happens."""
        loop, started_s = asyncio.get_running_loop(), time.perf_counter()
        try:
            prompts = [waiting.prompt for waiting in batch]
            outcomes = await loop.run_in_executor(self._thread, self._model.answer, prompts)
        except Exception as error:
            outcomes = [error] * len(batch)
        latency_s = time.perf_counter() - started_s
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if waiting.reply.done():  # its asker was cancelled
                continue
            if isinstance(outcome, Reply):
                waiting.reply.set_result(replace(outcome, latency_s=latency_s))
            else:
                waiting.reply.set_exception(_as_client_error(outcome, self.model))


def _as_client_error(error: Exception, model: str) -> Exception:
    # torch reports a lack of memory and shapes that do not fit as RuntimeError, processors as ValueError;
    # anything else is a fault of this program and keeps its traceback.
    if isinstance(error, (RuntimeError, ValueError, MemoryError)):
        return ClientError(f"model {model}: {error}. Lower vlm.batch_size or send smaller pictures")
    return error
