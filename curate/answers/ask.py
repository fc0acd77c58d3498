"""Asks the questionnaire about every clip, one prompt an item."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

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
_ROWS_AT_ONCE = 10_000
"""So many answers wait as Python objects, several times the size of a table's rows."""


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
class _Shown:
    """What is sent of one clip."""

    clip_id: str
    name: str
    pictures: tuple[str, ...]
    """sha256 of the key frames, in order."""
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
        ClientError: No call was answered, and several in a row failed alike.
    """
    shown = _shown(clips, frames)
    sheet = _Sheet(shown, questionnaire.items)
    total = len(shown) * len(questionnaire.items)
    await ask_all(
        _calls(shown, questionnaire, picture),
        client,
        ledger,
        sheet.take,
        pace=client.pace,
        rng=rng,
        max_calls=max_calls,
        progress=lambda done: progress(done, total),
    )
    return sheet.asked()


def _shown(clips: pl.DataFrame, frames: pl.DataFrame) -> list[_Shown]:
    """Every clip that has key frames, in the order of `clips`."""
    keys = frames.filter(pl.col("role") == "key").sort("clip_id", "index")
    # One clip's frames at a time: a DataFrame for each of many clips takes gigabytes.
    sent = {
        str(clip_id): (tuple(rows["sha256"]), receipt(rows))
        for (clip_id,), rows in keys.group_by("clip_id", maintain_order=True)
    }
    named = clips.select("clip_id", "name").iter_rows()
    return [_Shown(clip_id, name, *sent[clip_id]) for clip_id, name in named if clip_id in sent]


def _calls(
    shown: Sequence[_Shown], questionnaire: Questionnaire, picture: Callable[[str], bytes]
) -> Iterator[Call]:
    """All items of a clip, one after the other, so that a server finds its pictures already read."""
    for clip in shown:
        pictures = tuple(Picture(picture(digest), digest) for digest in clip.pictures)
        for item in questionnaire.items:
            prompt = Prompt(pictures, question_text(questionnaire, item), item.letters)
            yield Call(prompt, PROMPT_VERSION, clip.receipt, FORM)


@dataclass(slots=True)
class _Sheet:
    """Takes results down as rows, as they come; no reply is kept."""

    shown: Sequence[_Shown]
    items: Sequence[Item]
    rows: list[dict[str, object]] = field(default_factory=list)
    full: list[pl.DataFrame] = field(default_factory=lambda: [tables.empty("answers")])
    problems: dict[int, dict[str, object]] = field(default_factory=dict)
    """By place of the call."""
    n_fresh: int = 0
    n_reused: int = 0

    def take(self, place: int, result: Result) -> None:
        """Read the result of the call at that place: all items of a clip, then the next clip."""
        if result.reply is None and result.error is None:
            return
        clip, item = self.shown[place // len(self.items)], self.items[place % len(self.items)]
        self.rows.append(_row(clip, item, result))
        if result.error is not None:
            self.problems[place] = _problem(clip, item, result.error)
        elif result.fresh:
            self.n_fresh += 1
        else:
            self.n_reused += 1
        if len(self.rows) == _ROWS_AT_ONCE:
            self._turn()

    def asked(self) -> Asked:
        """The tables, whatever the order in which the results came."""
        self._turn()
        answers = pl.concat(self.full).sort(_ORDER)
        return Asked(
            answers=answers,
            problems=tables.table("problems", [self.problems[place] for place in sorted(self.problems)]),
            n_fresh=self.n_fresh,
            n_reused=self.n_reused,
            n_failed=len(self.problems),
            n_left_out=len(self.shown) * len(self.items) - answers.height,
        )

    def _turn(self) -> None:
        self.full.append(tables.table("answers", self.rows))
        self.rows = []


def _row(clip: _Shown, item: Item, result: Result) -> dict[str, object]:
    row: dict[str, object] = {
        "clip_id": clip.clip_id,
        "item": item.id,
        "variant": "base",
        "control": "none",
        "receipt": clip.receipt,
    }
    if result.reply is None:
        return row | {"outcome": "failed"}
    read = parse(result.reply, item)
    return row | {
        "outcome": read.outcome,
        "answer": read.answer,
        "probs": None if read.probs is None else list(read.probs),
        "source": read.source,
        "call": result.key,
    }


def _problem(clip: _Shown, item: Item, error: str) -> dict[str, object]:
    return {
        "where": f"item {item.id}",
        "clip": clip.name,
        "kind": "answer",
        "what": error,
        "action": "set_aside",
    }
