"""The demo's questionnaire about freshly drawn clips, put to a client."""

import asyncio
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from curate.demo.drawings import draw_dataset
from curate.errors import ClientError
from curate.questionnaire import load_questionnaire, question_text
from curate.resources import resource
from curate.sheets import sheet_form, sheet_text
from curate.vlm.client import (
    Abilities,
    CacheCounts,
    Letter,
    Picture,
    Prompt,
    Reply,
    Sheet,
    VisionClient,
    Words,
)

QUESTIONNAIRE = load_questionnaire(resource("demo/questionnaire.yaml"))
N_PICTURES = 4
SHEET_TOKENS = 200
WORDS_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client told."""

    abilities: Abilities
    letters: list[Reply]
    """All items of a clip, then the next clip."""
    sheets: list[Reply]
    """A reply a clip, asked while nothing else was."""
    sheets_beside: list[Reply]
    """The same, asked at the same time as the letters."""
    words: list[Reply]
    drawn: list[Reply]
    """One item drawn at temperature 1: twice the same draw, then others."""
    counts: tuple[CacheCounts | None, CacheCounts | None]
    """Before and after the letters."""
    refused: str
    """What was said to a prompt with far too many words."""


def draw_clips(folder: Path, *, n_clips: int, seed: int) -> list[tuple[Picture, ...]]:
    """Pictures of freshly drawn clips, in order of time."""
    truth = draw_dataset(folder, n_clips=n_clips, seed=seed)
    return [_pictures(folder / clip.file) for clip in truth.clips]


def letter_prompts(clips: Sequence[tuple[Picture, ...]]) -> list[Prompt]:
    """Every item about every clip, one prompt an item."""
    return [
        Prompt((*pictures, question_text(QUESTIONNAIRE, item)), Letter(item.letters))
        for pictures in clips
        for item in QUESTIONNAIRE.items
    ]


def see(client: VisionClient, clips: Sequence[tuple[Picture, ...]]) -> Seen:
    """Ask everything, in one go."""
    return asyncio.run(_see(client, clips))


async def _see(client: VisionClient, clips: Sequence[tuple[Picture, ...]]) -> Seen:
    form = sheet_form(QUESTIONNAIRE)
    sheet = Sheet(form.schema, SHEET_TOKENS, form.letters)
    sheets = [Prompt((*pictures, sheet_text(QUESTIONNAIRE)), sheet) for pictures in clips]
    words = [Prompt((*pictures, "What happens?"), Words(WORDS_TOKENS)) for pictures in clips[:4]]
    letters = letter_prompts(clips)
    samples = [
        Prompt(letters[0].parts, letters[0].form, draw=draw, warm=True) for draw in (0, 0, *range(1, 20))
    ]
    try:
        abilities = await client.prepare()
        before = await client.cache_counts()
        told = await _told(client, letters)
        after = await client.cache_counts()
        return Seen(
            abilities=abilities,
            letters=told,
            sheets=await _told(client, sheets),
            sheets_beside=(await _told(client, [*sheets, *letters]))[: len(sheets)],
            words=await _told(client, words),
            drawn=await _told(client, samples),
            counts=(before, after),
            refused=await _refused(client, Prompt(("word " * 4000,), Letter(("A", "B")))),
        )
    finally:
        await client.close()


async def _told(client: VisionClient, prompts: Sequence[Prompt]) -> list[Reply]:
    """The replies, with as many prompts under way as the client's pace allows."""
    room = asyncio.Semaphore(client.pace.concurrency)

    async def one(prompt: Prompt) -> Reply:
        async with room:
            return await client.ask(prompt)

    return list(await asyncio.gather(*map(one, prompts)))


async def _refused(client: VisionClient, prompt: Prompt) -> str:
    try:
        reply = await client.ask(prompt)
    except ClientError as error:
        return str(error)
    return f"answered {reply.text}"


def _pictures(path: Path) -> tuple[Picture, ...]:
    """Four moments of a clip as JPEG."""
    with av.open(str(path)) as opened:
        frames = [frame.to_image() for frame in opened.decode(video=0)]
    places = np.linspace(0, len(frames), N_PICTURES, endpoint=False, dtype=int) + len(frames) // (
        2 * N_PICTURES
    )
    stored: dict[str, bytes] = {}
    for place in places:
        buffer = io.BytesIO()
        frames[place].save(buffer, "JPEG", quality=95)
        stored[hashlib.sha256(buffer.getvalue()).hexdigest()] = buffer.getvalue()
    return tuple(Picture(digest, stored.__getitem__) for digest in stored)
