"""Answers taken down as rows, as they come; no reply is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from curate import tables
from curate.answers.questions import Listing, Question
from curate.answers.reading.parse import Answer
from curate.answers.schedule import Control
from curate.answers.shown import Shown
from curate.vlm.desk.asking import Result

ORDER = ("clip_id", "item", "variant", "control")
_ROWS_AT_ONCE = 10_000
"""So many answers wait as Python objects, several times the size of a table's rows."""


@dataclass(frozen=True, slots=True)
class About:
    """Which clip's words were sent, with which pictures."""

    clip: Shown
    control: Control
    receipt: str
    """Of the pictures sent."""
    media_clip_id: str | None
    """Whose pictures they are; None where none were sent."""


@dataclass(slots=True)
class Rows:
    """Rows of table `answers` before they are settled, and of table `problems`."""

    rows: list[dict[str, object]] = field(default_factory=list)
    full: list[pl.DataFrame] = field(default_factory=lambda: [tables.empty("answers")])
    problems: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    """With clip id and place, by which they are sorted."""
    n_fresh: int = 0
    """Answers for which the model was asked now."""
    n_reused: int = 0
    """Answers taken from calls made before, or made for another clip with the same pictures."""
    n_failed: int = 0
    n_left_out: int = 0

    def take(self, about: About, question: Question, results: Sequence[Result]) -> None:
        """Take down what became of a question; `results` are its draws."""
        replies = [result.reply for result in results if result.reply is not None]
        errors = [result.error for result in results if result.error is not None]
        if len(replies) + len(errors) < len(results):
            self.n_left_out += len(question.listings)
            return
        answers = question.answers(replies) if replies else {}
        keys = [result.key for result in results if result.reply is not None]
        self.rows += [_row(about, question, one, answers.get(one.item.id), keys) for one in question.listings]
        self._count(question, results, is_failed=not replies)
        if errors:
            self.add_problem(about.clip, _problem(about, question, errors[0]))
        if len(self.rows) >= _ROWS_AT_ONCE:
            self._turn()

    def add_problem(self, clip: Shown | None, problem: dict[str, object]) -> None:
        """Take down what went wrong with a clip, or with none in particular."""
        self.problems.append((clip.clip_id if clip else "", str(problem["where"]), problem))

    def answers(self) -> pl.DataFrame:
        """What was answered so far, whatever the order in which it came."""
        self._turn()
        return pl.concat(self.full).sort(ORDER)

    def problem_table(self) -> pl.DataFrame:
        """A row a call that failed, by clip."""
        ranked = sorted(self.problems, key=lambda one: one[:2])
        return tables.table("problems", [problem for _, _, problem in ranked])

    def _count(self, question: Question, results: Sequence[Result], *, is_failed: bool) -> None:
        n_answers = len(question.listings)
        if is_failed:
            self.n_failed += n_answers
        elif any(result.fresh for result in results):
            self.n_fresh += n_answers
        else:
            self.n_reused += n_answers

    def _turn(self) -> None:
        self.full.append(tables.table("answers", self.rows))
        self.rows = []


def _row(
    about: About, question: Question, listing: Listing, answer: Answer | None, keys: list[str]
) -> dict[str, object]:
    row: dict[str, object] = {
        "clip_id": about.clip.clip_id,
        "item": listing.item.id,
        "variant": question.way.variant,
        "control": about.control,
        "media_clip_id": about.media_clip_id,
        "receipt": about.receipt,
        "calls": keys,
    }
    if answer is None:
        return row | {"outcome": "failed"}
    return row | {
        "outcome": answer.outcome,
        "answer": answer.answer,
        "told": None if answer.probs is None else list(answer.probs),
        "source": answer.source,
        "mask": answer.mask,
    }


def _problem(about: About, question: Question, error: str) -> dict[str, object]:
    asked = question.listings[0].item.id if len(question.listings) == 1 else "all"
    extra = [name for name in (question.way.variant, about.control) if name not in ("base", "none")]
    return {
        "where": f"item {asked}" + (f" ({', '.join(extra)})" if extra else ""),
        "clip": about.clip.name,
        "kind": "answer",
        "what": error,
        "action": "set_aside",
    }
