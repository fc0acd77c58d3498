"""Asks about every clip: context, the questionnaire in all its ways, controls, reasons."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl

from curate.answers.context import (
    Parts,
    Read,
    Sentence,
    context_problems,
    context_table,
    in_words,
    interleave,
    sentences,
    spoken,
    timed,
)
from curate.answers.questions import Question, Told, questions
from curate.answers.reasons.alone import Alone, alone_problem, conclude_alone
from curate.answers.reasons.reason import Reasons, reason, reasons_problem, reasons_table
from curate.answers.rows import About, Rows
from curate.answers.schedule import BASE, Control, Schedule, Way
from curate.answers.shown import Shown, receipt_of_moments
from curate.answers.watch import Watch
from curate.questionnaire import Questionnaire
from curate.recipe import Answers, Task
from curate.vlm.client import Prompt
from curate.vlm.desk.asking import Call, Door
from curate.vlm.desk.workers import for_each


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: tables as schemas/ declare them, `answers` before they are settled."""

    answers: pl.DataFrame
    context: pl.DataFrame
    reasons: pl.DataFrame
    problems: pl.DataFrame
    """A row a call that failed."""
    n_fresh: int
    """Answers for which the model was asked now."""
    n_reused: int
    """Answers taken from calls made before, or made for another clip with the same pictures."""
    n_failed: int
    """Answers, sentences and reasons that are missing because calls failed."""
    n_left_out: int
    """Answers, sentences and reasons that are missing because a cap was reached."""


@dataclass(frozen=True)
class Survey:
    """What is asked of every clip."""

    questionnaire: Questionnaire
    answers: Answers
    """The recipe's section."""
    task: Task
    schedule: Schedule
    told: Told
    """How the model tells how sure it is."""
    reasoned: Callable[[str], bool] = lambda clip_id: False
    """Whether a clip, by its id, is also observed, concluded and reflected on."""
    ways: dict[Way, tuple[Question, ...]] = field(default_factory=dict)

    def asked(self, way: Way) -> tuple[Question, ...]:
        """Everything that is asked in one way; the same for every clip, and so made once."""
        if way not in self.ways:
            self.ways[way] = questions(self.questionnaire, self.answers, self.told, way)
        return self.ways[way]

    @cached_property
    def n_draws(self) -> int:
        """Draws an answer."""
        return self.answers.samples if self.told == "samples" else 1


async def ask_about(
    clips: AsyncIterable[Shown],
    survey: Survey,
    desk: Door,
    read: Read,
    *,
    concurrency: int,
    progress: Callable[[int], None] = lambda done: None,
) -> Asked:
    """Ask everything about every clip.

    All questions about one clip are put together, and its pictures come first
    in each, so that a server reads them once.

    Args:
        clips: With their key frames; taken as needed, so that they may still
            be in the making.
        survey: What is asked.
        desk: Who is asked.
        read: The bytes of a picture by their sha256.
        concurrency: Calls that may be under way at once: enough clips are
            opened to fill them.
        progress: Told how many clips are done.

    Raises:
        WrongMediaError: The canaries say that answers are not about the
            pictures that were sent, and the recipe says to stop then.
        EndpointGone: The model is silent.
    """
    room = _Room(survey, desk, read, progress)
    # One more wave of clips than fills the calls: while some wait for context, others are asked.
    n_calls = len(survey.asked(BASE)) * survey.n_draws
    await for_each(_neighbours(clips), room.clip, at_once=2 + 2 * concurrency // n_calls)
    if room.reasons and survey.answers.controls.no_media > 0:
        room.alone = await conclude_alone(survey.task, desk)
    return room.asked()


@dataclass(slots=True)
class _Room:
    """Where one clip after the other is asked about."""

    survey: Survey
    desk: Door
    read: Read
    progress: Callable[[int], None]
    rows: Rows = field(default_factory=Rows)
    described: list[tuple[Shown, Sequence[Sentence]]] = field(default_factory=list)
    reasons: list[Reasons] = field(default_factory=list)
    alone: Alone = field(default_factory=Alone)
    n_done: int = 0
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        """Watch the canaries."""
        self.watch = Watch(same_words(self.survey.answers))

    async def clip(self, pair: tuple[Shown, Shown | None]) -> None:
        """Everything about one clip; `pair` holds another, for its pictures."""
        clip, other = pair
        said: Sequence[Sentence] = ()
        if self.survey.answers.context == "between":
            said = await sentences(clip, self.desk, self.read)
            self.described.append((clip, said))
            for problem in context_problems(clip, said):
                self.rows.add_problem(clip, problem)
        await asyncio.gather(
            self._asked(clip, said), self._controlled(clip, other, said), self._reasoned(clip, said)
        )
        self._look(clip)
        self.n_done += 1
        self.progress(self.n_done)

    def asked(self) -> Asked:
        """The tables, whatever the order in which the results came."""
        outcomes: list[str | None] = [one.outcome for _, said in self.described for one in said]
        outcomes += [found.outcome for found in self.reasons]
        if problem := alone_problem(self.alone):
            self.rows.add_problem(None, problem)
        answers = self.rows.answers()
        if self.survey.answers.controls.wrong_media == "stop":
            self.watch.judge(answers)
        return Asked(
            answers=answers,
            context=context_table(self.described),
            reasons=reasons_table(
                self.reasons,
                self.survey.task.classes,
                self.alone,
                is_freed=self.survey.answers.debias == "content_free",
            ),
            problems=self.rows.problem_table(),
            n_fresh=self.rows.n_fresh,
            n_reused=self.rows.n_reused,
            n_failed=self.rows.n_failed + outcomes.count("failed") + (self.alone.error is not None),
            n_left_out=self.rows.n_left_out + outcomes.count("left_out") + self.alone.is_left_out,
        )

    async def _asked(self, clip: Shown, said: Sequence[Sentence]) -> None:
        about = About(clip, "none", clip.receipt, clip.clip_id)
        parts = (*interleave(clip, said, self.read), *spoken(clip))
        await asyncio.gather(
            *(self._put(about, parts, way) for way in self.survey.schedule.ways_of(clip.clip_id))
        )

    async def _controlled(self, clip: Shown, other: Shown | None, said: Sequence[Sentence]) -> None:
        sent = {name: _sent(name, clip, other) for name in self.survey.schedule.controls_of(clip.clip_id)}
        await asyncio.gather(
            *(self._control(name, clip, shown, said) for name, shown in sent.items() if shown is not None)
        )

    async def _control(self, name: Control, clip: Shown, shown: Shown, said: Sequence[Sentence]) -> None:
        about = About(clip, name, receipt_of_moments(shown.keys), shown.clip_id if shown.keys else None)
        parts = (*_media(shown, said, self.read), *spoken(clip))
        # Where no words are a clip's own, a canary is the very prompt of the other clip: asked all the same.
        await self._put(about, parts, BASE, again=f"canary {clip.clip_id}" if name == "canary" else "")

    async def _put(self, about: About, parts: Parts, way: Way, again: str = "") -> None:
        await asyncio.gather(
            *(self._question(about, parts, question, again) for question in self.survey.asked(way))
        )

    async def _question(self, about: About, parts: Parts, question: Question, again: str) -> None:
        prompt = Prompt((*parts, question.words), question.form, draw=question.way.draw, again=again)
        results = await asyncio.gather(
            *(
                self.desk.ask(Call(drawn, question.version, about.receipt))
                for drawn in _draws(prompt, self.survey)
            )
        )
        self.rows.take(about, question, results)

    async def _reasoned(self, clip: Shown, said: Sequence[Sentence]) -> None:
        if not self.survey.reasoned(clip.clip_id):
            return
        found = await reason(clip, timed(clip, said, self.read), self.survey.task, self.desk)
        self.reasons.append(found)
        if problem := reasons_problem(found):
            self.rows.add_problem(clip, problem)

    def _look(self, clip: Shown) -> None:
        """Stop as soon as the canaries are sure that answers are about the wrong pictures."""
        is_control = "canary" in self.survey.schedule.controls_of(clip.clip_id)
        if is_control and self.survey.answers.controls.wrong_media == "stop" and self.watch.is_due():
            self.watch.judge(self.rows.answers())


def same_words(answers: Answers) -> bool:
    """Whether every clip is asked in the same words."""
    return answers.context == "none" and not answers.transcript


def _draws(prompt: Prompt, survey: Survey) -> Sequence[Prompt]:
    """One prompt, or as many warm ones as answers are drawn."""
    if survey.told != "samples":
        return [prompt]
    first = prompt.draw * survey.n_draws
    return [replace(prompt, draw=first + n, warm=True) for n in range(survey.n_draws)]


def _sent(control: Control, clip: Shown, other: Shown | None) -> Shown | None:
    """Whose pictures a control sends, in which order; None where the clip has no such control."""
    if control == "canary":
        return other
    if control == "no_media":
        return replace(clip, keys=(), between=())
    return _shuffled(clip)


def _shuffled(clip: Shown) -> Shown | None:
    """The clip with its key frames out of order, always in the same way; None with a single one."""
    if len(clip.keys) < 2:
        return None
    rng = np.random.default_rng(int(clip.clip_id, 16))
    order = rng.permutation(len(clip.keys))
    if (order == np.arange(len(order))).all():
        order = np.roll(order, 1)
    return replace(clip, keys=tuple(clip.keys[place] for place in order))


def _media(shown: Shown, said: Sequence[Sentence], read: Read) -> Parts:
    """A control's pictures with the sentences of the clip that it is a control of."""
    n_gaps = len(shown.keys) - 1
    beyond = tuple(in_words(one) for one in said if one.gap >= n_gaps and one.text)
    return (*interleave(shown, [one for one in said if one.gap < n_gaps], read), *beyond)


async def _neighbours(clips: AsyncIterable[Shown]) -> AsyncIterator[tuple[Shown, Shown | None]]:
    """Every clip with another one: the one before it, or after it for the first.

    None where there is no other, or where it shows the same pictures.
    """
    last: Shown | None = None
    is_first_waiting = False
    async for clip in clips:
        if last is None:
            last, is_first_waiting = clip, True
            continue
        if is_first_waiting:
            yield last, _unlike(last, clip)
            is_first_waiting = False
        yield clip, _unlike(clip, last)
        last = clip
    if is_first_waiting and last is not None:
        yield last, None


def _unlike(clip: Shown, other: Shown) -> Shown | None:
    seen = {moment.sha256 for moment in clip.keys}
    return None if any(moment.sha256 in seen for moment in other.keys) else other


async def each(clips: Sequence[Shown]) -> AsyncIterator[Shown]:
    """Clips that are at hand, one after the other."""
    for clip in clips:
        yield clip
