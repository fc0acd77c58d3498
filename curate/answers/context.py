"""Context: what happens between two key frames, in one sentence, and where the sentence stands.

Source:
    Agarwal, Tsaftaris, Sevilla-Lara, McDonagh, *Why Do Vision Language Models
    Struggle To Recognize Human Emotions?*, multi-stage context enrichment,
    https://arxiv.org/abs/2604.15280. The words of the prompt are ours.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from curate import tables
from curate.answers.quoting import quoted
from curate.answers.reading.refusal import refuses
from curate.answers.shown import Moment, Shown, receipt_of_moments
from curate.printable import printable
from curate.vlm.client import Picture, Prompt, Reply, Words
from curate.vlm.desk.asking import Call, Door, Result

CONTEXT_VERSION = "context-1"
"""Named in every call's key: changing the words below means asking again."""

MOST_CHARS = 200
"""Of a sentence as it is kept."""

MOST_TOKENS = 60
"""Of a reply: twice what a sentence of 25 words takes."""

_ASK = """\
These pictures are from one clip, in order of time; the time stands before each.
In one short sentence of at most 25 words, say what moves or changes in the person who is shown most \
prominently between the first and the last picture: brows, eyes, mouth, head, hands, posture.
Say only what can be seen. Name no emotion, no intention and no state of mind.
If nothing moves or changes, say: nothing changes."""

_SENTENCE_END = re.compile(r"[.!?](?=\s)")

Outcome = Literal["said", "refusal", "empty", "failed", "left_out"]
Parts = tuple[Picture | str, ...]
Read = Callable[[str], bytes]
"""Gives the bytes of a picture's digest."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What was said of one gap between two key frames."""

    gap: int
    """0 is the gap after the first key frame."""
    from_s: float
    to_s: float
    receipt: str
    """Of the pictures sent: both key frames and those between."""
    outcome: Outcome
    """left_out: the budget did not reach so far."""
    text: str | None = None
    call: str | None = None
    """Key of the call, if it was answered."""
    error: str | None = None


async def sentences(clip: Shown, desk: Door, read: Read) -> tuple[Sentence, ...]:
    """One sentence a gap that holds frames, all gaps at once.

    Args:
        clip: Whose gaps are described; one with a single key frame has none.
        desk: Who is asked.
        read: Gives the bytes of a picture's digest.

    Returns:
        By time. A gap of which nothing usable was said is there without text.
    """
    gaps = [gap for gap, between in enumerate(clip.between) if between]
    return tuple(await asyncio.gather(*(_sentence(clip, gap, desk, read) for gap in gaps)))


def interleave(clip: Shown, sentences: Iterable[Sentence], read: Read) -> Parts:
    """Key frames with the sentence of each gap between them: what stands before a question.

    Without sentences these are the key frames alone.
    """
    return _woven(clip, sentences, read, with_times=False)


def timed(clip: Shown, sentences: Iterable[Sentence], read: Read) -> Parts:
    """The same with its time before each key frame, and what is said in the clip at the end."""
    return (*_woven(clip, sentences, read, with_times=True), *spoken(clip))


def spoken(clip: Shown) -> tuple[str, ...]:
    """What is said in the clip, as quoted data; nothing where that is not sent."""
    if not clip.transcript or not clip.transcript.strip():
        return ()
    return (quoted(clip.transcript, what="What is said in the clip"),)


def in_words(sentence: Sentence) -> str:
    """A sentence as prompts hold it, with the time that it is about."""
    # A model wrote it, about pictures that may show any text: data, not words of ours.
    gap = f"from {sentence.from_s:.2f} s to {sentence.to_s:.2f} s"
    return quoted(sentence.text or "", what=f"What moves or changes {gap}")


def time_label(t_s: float) -> str:
    """A time as prompts write it, such as [1.25 s]."""
    return f"[{t_s:.2f} s]"


def context_table(described: Iterable[tuple[Shown, Sequence[Sentence]]]) -> pl.DataFrame:
    """Table `context`, sorted by clip and gap; what was left out is not in it."""
    rows = [
        _row(clip, sentence)
        for clip, said in described
        for sentence in said
        if sentence.outcome != "left_out"
    ]
    return tables.table("context", rows).sort("clip_id", "gap")


def context_problems(clip: Shown, sentences: Iterable[Sentence]) -> list[dict[str, object]]:
    """A row of table `problems` for each gap of which nothing usable was said."""
    return [
        {
            "where": f"context from {sentence.from_s:.2f} s to {sentence.to_s:.2f} s",
            "clip": clip.name,
            "kind": "answer",
            "what": what,
            "action": "set_aside",
        }
        for sentence in sentences
        if (what := _what_is_wrong(sentence))
    ]


def first_sentence(text: str) -> str:
    """The first sentence of a reply, on one line, of at most `MOST_CHARS`, safe to show.

    Empty if no word was said.
    """
    line = printable(" ".join(text.split())).strip(" \"'`*_#-")
    end = _SENTENCE_END.search(line)
    line = line[: end.end()] if end else line
    if not any(character.isalnum() for character in line):
        return ""
    return line if len(line) <= MOST_CHARS else f"{line[: MOST_CHARS - 3]}..."


async def _sentence(clip: Shown, gap: int, desk: Door, read: Read) -> Sentence:
    sent = (clip.keys[gap], *clip.between[gap], clip.keys[gap + 1])
    proof = receipt_of_moments(sent)
    parts = (part for moment in sent for part in (time_label(moment.t_s), _picture(moment, read)))
    result = await desk.ask(Call(Prompt((*parts, _ASK), Words(MOST_TOKENS)), CONTEXT_VERSION, proof))
    text, outcome = _read(result)
    return Sentence(
        gap=gap,
        from_s=sent[0].t_s,
        to_s=sent[-1].t_s,
        receipt=proof,
        outcome=outcome,
        text=text,
        call=result.key if result.reply else None,
        error=result.error,
    )


def _read(result: Result) -> tuple[str | None, Outcome]:
    if result.reply is None:
        return None, "failed" if result.error is not None else "left_out"
    text = first_sentence(result.reply.text)
    if _is_refused(result.reply, text):
        return None, "refusal"
    return (text, "said") if text else (None, "empty")


def _is_refused(reply: Reply, text: str) -> bool:
    return reply.finish_reason == "content_filter" or refuses(text)


def _woven(clip: Shown, sentences: Iterable[Sentence], read: Read, *, with_times: bool) -> Parts:
    said = {sentence.gap: sentence for sentence in sentences if sentence.text}
    parts: list[Picture | str] = []
    for place, key in enumerate(clip.keys):
        parts += [time_label(key.t_s)] if with_times else []
        parts.append(_picture(key, read))
        parts += [in_words(said[place])] if place in said else []
    return tuple(parts)


def _picture(moment: Moment, read: Read) -> Picture:
    return Picture(moment.sha256, read)


def _row(clip: Shown, sentence: Sentence) -> dict[str, object]:
    return {
        "clip_id": clip.clip_id,
        "gap": sentence.gap,
        "from_s": sentence.from_s,
        "to_s": sentence.to_s,
        "sentence": sentence.text,
        "outcome": sentence.outcome,
        "receipt": sentence.receipt,
        "call": sentence.call,
    }


def _what_is_wrong(sentence: Sentence) -> str | None:
    if sentence.outcome == "failed":
        return sentence.error
    wrong = {
        "refusal": "the model declined to say what moves or changes",
        "empty": "the model said nothing",
    }
    return wrong.get(sentence.outcome)
