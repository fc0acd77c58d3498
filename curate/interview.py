"""The stages that look at clips and ask about them; asking begins while clips are still being looked at."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from curate.answers.ask import Asked, Survey, ask_about, each
from curate.answers.questions import how_told
from curate.answers.schedule import make_schedule
from curate.answers.settle import settle
from curate.answers.shown import Shown, shown, shown_clip
from curate.clips.media import media_store
from curate.errors import EndpointGone, RetryableError
from curate.frames.people.crop import open_crops
from curate.frames.progress_log import ProgressLog, Row
from curate.frames.take import FrameTables, Told, take_frames
from curate.labelling import Counts, Frames
from curate.recipe import price_of
from curate.run_folder import Run
from curate.vlm.backends import open_client
from curate.vlm.client import Abilities, CacheCounts, VisionClient
from curate.vlm.desk.asking import Desk
from curate.vlm.desk.budget import Budget, Spending
from curate.vlm.desk.ledger import Ledger
from curate.vlm.desk.waits import wait_before_retry
from curate.vlm.tokens.count import prompt_estimate

_PREPARED_AGAIN = 4
"""Attempts more to find out about a server: some 8 s in all, in which one that is starting may come up."""

Stream = Callable[[], AsyncIterator[Shown]]
"""Makes the stream of clips with their key frames."""


def ask(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """Ask about clips whose pictures are taken."""
    clips = read["clips"].sort("clip_id")
    listed = shown(clips, read["frames"], transcript=run.recipe.answers.transcript)
    return _asked(run, clips, partial(each, listed))


def look_and_ask(run: Run, read: Frames) -> tuple[tuple[Frames, Counts], tuple[Frames, Counts]]:
    """Take the pictures of all clips, and ask about each as soon as its own are there.

    Returns:
        Tables and counts of stage frames, and of stage answers.
    """
    clips = read["clips"].sort("clip_id")
    feed = _Feed(clips, transcript=run.recipe.answers.transcript)
    with ThreadPoolExecutor(1, thread_name_prefix="look") as aside:
        looking = aside.submit(feed.fill, partial(take_pictures, run, clips))
        try:
            asked = _asked(run, clips, feed.stream)
        finally:
            feed.stop()
        return frame_tables(looking.result()), asked


def take_pictures(run: Run, clips: pl.DataFrame, told: Told) -> FrameTables:
    """Take the pictures that the recipe asks for; what an unfinished run took is taken over."""
    recipe = run.recipe
    between = recipe.frames.between if recipe.answers.context == "between" else 0
    crops = open_crops(recipe.frames)
    finder = "" if crops is None else crops.finder.name
    decided_by = f"{recipe.frames.model_dump_json()} {between} {finder}"
    with ProgressLog(partial_frames(run), decided_by) as log:
        return take_frames(
            clips,
            media_store(recipe.clips),
            recipe.frames,
            run.pictures,
            progress=run.steps("frames"),
            between=between,
            boxes=crops,
            log=log,
            told=told,
        )


def partial_frames(run: Run) -> Path:
    """File of what was taken so far, until the table of frames is written."""
    return run.folder / "frames.partial.jsonl"


def frame_tables(found: FrameTables) -> tuple[Frames, Counts]:
    """Tables and counts of stage frames."""
    written = {"frames": found.frames, "problems-frames": found.problems}
    return written, {name: frame.height for name, frame in written.items()}


def _asked(run: Run, clips: pl.DataFrame, stream: Stream) -> tuple[Frames, Counts]:
    with Ledger(run.folder / "ledger.sqlite") as ledger:
        asked, spent, cache = asyncio.run(put_questions(run, clips, stream, ledger))
        calls = ledger.calls(_keys(asked))
    written = {
        "answers": settle(asked.answers, run.questionnaire, run.recipe.answers),
        "context": asked.context,
        "reasons": asked.reasons,
        "calls": calls,
        "problems-answers": asked.problems,
    }
    counts = {"answers": asked.answers.height, "failed": asked.n_failed, "left_out": asked.n_left_out}
    return written, {**counts, **_spent(spent), **cache}


async def put_questions(
    run: Run, clips: pl.DataFrame, stream: Stream, ledger: Ledger
) -> tuple[Asked, Spending, Counts]:
    """Ask about the clips of a stream.

    Args:
        run: With the recipe's model and questionnaire.
        clips: Table clips, all of them: variants and controls are drawn from these.
        stream: Gives those that are asked about now, with their pictures.
        ledger: Of all calls ever made in this run.

    Returns:
        What came of it, what was spent, and what the server's prefix cache did.
    """
    client = open_client(run.recipe.vlm, run.environ)
    try:
        survey = await make_survey(run, clips, client)
        before = await client.cache_counts()
        desk = Desk(client, ledger, pace=client.pace, rng=np.random.default_rng(), budget=_budget(run))
        step = run.steps("answers")
        asked = await ask_about(
            stream(),
            survey,
            desk,
            run.pictures.get,
            concurrency=client.pace.concurrency,
            progress=lambda done: step(done, clips.height),
        )
        return asked, desk.spent, _cached(before, await client.cache_counts())
    finally:
        await client.close()


async def make_survey(run: Run, clips: pl.DataFrame, client: VisionClient) -> Survey:
    """What is asked of every clip, by what the model was found to be able to tell."""
    answers, ids = run.recipe.answers, clips["clip_id"].to_list()
    bare = set(clips.filter(pl.col("label_given").is_null())["clip_id"])
    reasoned = {"none": set[str](), "unlabelled": bare, "all": set(ids)}[answers.reasons]
    return Survey(
        questionnaire=run.questionnaire,
        answers=answers,
        task=run.recipe.task,
        schedule=make_schedule(ids, answers, run.questionnaire),
        told=how_told(answers, await _prepared(client)),
        reasoned=reasoned.__contains__,
    )


async def _prepared(client: VisionClient) -> Abilities:
    """What the model can tell; found out as patiently as it is asked later."""
    rng, attempts = np.random.default_rng(), 0
    while True:
        attempts += 1
        try:
            return await client.prepare()
        except RetryableError as error:
            wait_s = wait_before_retry(error, attempts, min(client.pace.retries, _PREPARED_AGAIN), rng)
            if wait_s is None:
                said = str(error).rstrip(".")
                raise EndpointGone(f"{said}. Nothing was asked; the same command tries again") from error
            await asyncio.sleep(wait_s)


def _budget(run: Run) -> Budget:
    caps, price = run.caps, price_of(run.recipe.vlm)
    return Budget(
        caps.max_calls, caps.max_tokens, caps.max_cost, price, estimate=prompt_estimate(run.recipe.vlm)
    )


def _keys(asked: Asked) -> set[str]:
    """Of every call that the tables rest on."""
    alone = asked.reasons["call_alone"]
    lists = (asked.answers["calls"].explode(), asked.reasons["calls"].explode(), alone, asked.context["call"])
    return {key for keys in lists for key in keys.drop_nulls()}


def _spent(spent: Spending) -> Counts:
    """What this run's new calls took, for the manifest."""
    told = {name: value for name, value in asdict(spent).items() if name.startswith("tokens")}
    return {"new_calls": spent.calls, **{f"new_{name}": value for name, value in told.items()}}


def _cached(before: CacheCounts | None, after: CacheCounts | None) -> Counts:
    """What the server's prefix cache did meanwhile, by the server's own count."""
    if before is None or after is None:
        return {}
    return {
        "prefix_queries": after.queries - before.queries,
        "prefix_hits": after.hits - before.hits,
    }


class _Stopped(Exception):
    """Nobody waits for pictures any more."""


class _Feed:
    """Hands clips from the thread that looks at them to the loop that asks about them."""

    def __init__(self, clips: pl.DataFrame, *, transcript: bool) -> None:
        """Remember what is said in the clips."""
        said = clips["transcript"] if transcript else [None] * clips.height
        rows = zip(clips["clip_id"], clips["name"], said, strict=True)
        self._clips = {clip_id: (name, words) for clip_id, name, words in rows}
        self._ready: list[Shown] = []
        self._lock = threading.Lock()
        self._news: Callable[[], None] = lambda: None
        self._is_over = self._is_stopped = False

    def fill(self, take: Callable[[Told], FrameTables]) -> FrameTables:
        """Look at the clips, in the calling thread."""
        try:
            return take(self._put)
        finally:
            self._is_over = True
            self._news()

    def stop(self) -> None:
        """Take no more pictures than the ones under way."""
        self._is_stopped = True

    async def stream(self) -> AsyncIterator[Shown]:
        """The clips, as they come."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        self._news = lambda: _tell(loop, news)
        while True:
            is_over = self._is_over  # before the last look: what was put before it is then seen
            with self._lock:
                ready, self._ready = self._ready, []
            for clip in ready:
                yield clip
            if not ready and is_over:
                return
            if not ready:
                await news.wait()
            news.clear()

    def _put(self, rows: Sequence[Row]) -> None:
        if self._is_stopped:
            raise _Stopped
        if not rows:
            return
        clip_id = str(rows[0]["clip_id"])
        with self._lock:
            self._ready.append(shown_clip(clip_id, *self._clips[clip_id], rows))
        self._news()


def _tell(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(news.set)
