"""Asks the questionnaire about every clip, one prompt an item."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from curate import tables
from curate.answers.parse import parse
from curate.frames.receipt import receipt
from curate.questionnaire import PROMPT_VERSION, Item, Questionnaire, question_text
from curate.vlm.asking import Call, Result, ask_all
from curate.vlm.client import Picture, Prompt, VisionClient
from curate.vlm.ledger import Ledger

FORM = "letter"
"""What a reply must look like. Not the whole questionnaire: an item added to it must not
cost the calls of the others again."""
_ORDER = ("clip_id", "item", "variant", "control")


@dataclass(frozen=True, slots=True)
class Asked:
    """Tables `answers` and `problems`, and how the answers were come by."""

    answers: pl.DataFrame
    """Sorted by clip, item, variant, control."""
    problems: pl.DataFrame
    """A row a call that failed."""
    n_fresh: int
    """Calls that were answered now."""
    n_reused: int
    """Answers taken from calls made before, or made for another clip with the same pictures."""
    n_failed: int
    n_left_out: int
    """Answers that are missing because max_calls was reached."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One item about one clip."""

    clip_id: str
    clip_name: str
    item: Item
    receipt: str


async def ask_questionnaire(
    clips: pl.DataFrame,
    frames: pl.DataFrame,
    questionnaire: Questionnaire,
    client: VisionClient,
    ledger: Ledger,
    picture: Callable[[str], bytes],
    *,
    max_calls: int | None = None,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Asked:
    """Ask every item about every clip that has key frames.

    Args:
        clips: Table clips.
        frames: Table frames; the key frames are sent, in order of their index.
            Clips without any were set aside before and are not asked about.
        questionnaire: What to ask.
        client: Who is asked, at the client's own pace.
        ledger: Of all calls ever made in this run; looked into first.
        picture: The bytes of a picture by their sha256.
        max_calls: At most so many calls that are not in the ledger. The
            answers beyond are left out, and counted.
        rng: Jitter of the waits before asking again.
        progress: Told of (answers done, answers in all).

    Raises:
        ClientError: The first calls all failed alike.
    """
    shown = _key_frames(clips, frames)
    questions = [
        _Question(clip_id, name, item, receipt(rows))
        for clip_id, name, rows in shown
        for item in questionnaire.items
    ]
    results = await ask_all(
        _calls(shown, questionnaire, picture),
        client,
        ledger,
        pace=client.pace,
        rng=rng,
        max_calls=max_calls,
        progress=lambda done: progress(done, len(questions)),
    )
    return _asked(questions, results)


def _key_frames(clips: pl.DataFrame, frames: pl.DataFrame) -> list[tuple[str, str, pl.DataFrame]]:
    """Id, name and key frames of every clip that has any, in the order of `clips`."""
    keys = frames.filter(pl.col("role") == "key").sort("clip_id", "index")
    by_clip = keys.partition_by("clip_id", as_dict=True)
    named = clips.select("clip_id", "name").iter_rows()
    return [(clip_id, name, by_clip[(clip_id,)]) for clip_id, name in named if (clip_id,) in by_clip]


def _calls(
    shown: Sequence[tuple[str, str, pl.DataFrame]],
    questionnaire: Questionnaire,
    picture: Callable[[str], bytes],
) -> Iterator[Call]:
    """All items of a clip, one after the other, so that a server finds its pictures already read."""
    for _, _, rows in shown:
        pictures = tuple(Picture(picture(digest), digest) for digest in rows["sha256"])
        proof = receipt(rows)
        for item in questionnaire.items:
            prompt = Prompt(pictures, question_text(questionnaire, item), item.letters)
            yield Call(prompt, PROMPT_VERSION, proof, FORM)


def _asked(questions: Sequence[_Question], results: Sequence[Result]) -> Asked:
    pairs = list(zip(questions, results, strict=True))
    answers = [_row(question, result) for question, result in pairs if result.reply or result.error]
    problems = [_problem(question, result.error) for question, result in pairs if result.error]
    return Asked(
        answers=tables.table("answers", answers).sort(_ORDER),
        problems=tables.table("problems", problems),
        n_fresh=sum(result.fresh and result.reply is not None for result in results),
        n_reused=sum(not result.fresh and result.reply is not None for result in results),
        n_failed=len(problems),
        n_left_out=len(questions) - len(answers),
    )


def _row(question: _Question, result: Result) -> dict[str, object]:
    row: dict[str, object] = {
        "clip_id": question.clip_id,
        "item": question.item.id,
        "variant": "base",
        "control": "none",
        "receipt": question.receipt,
    }
    if result.reply is None:
        return row | {"outcome": "failed"}
    read = parse(result.reply, question.item)
    return row | {
        "outcome": read.outcome,
        "answer": read.answer,
        "probs": None if read.probs is None else list(read.probs),
        "source": read.source,
        "call": result.key,
    }


def _problem(question: _Question, error: str | None) -> dict[str, object]:
    return {
        "where": f"item {question.item.id}",
        "clip": question.clip_name,
        "kind": "answer",
        "what": error,
        "action": "set_aside",
    }
