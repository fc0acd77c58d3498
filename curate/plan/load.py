"""What asking would amount to: every call of a run is made up as the run makes it, and none is put."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from curate.answers.ask import Survey, ask_about, each
from curate.answers.context import CONTEXT_VERSION
from curate.answers.reasons.prompts import CONCLUDE_VERSION, OBSERVE_VERSION, REFLECT_VERSION, class_letters
from curate.answers.schedule import BASE
from curate.answers.shown import Shown
from curate.vlm.client import Form, Picture, Prompt, Reply
from curate.vlm.desk.asking import Call, Result
from curate.vlm.desk.earlier import Asker
from curate.vlm.desk.keys import call_key, prompt_digest
from curate.vlm.tokens.ranges import NOTHING, Range

Kind = Literal["context", "questionnaire", "variants", "controls", "reasons"]
"""What a call is made for."""

KINDS = cast(tuple[Kind, ...], get_args(Kind))

_VERSIONS: Mapping[str, Kind] = {
    CONTEXT_VERSION: "context",
    OBSERVE_VERSION: "reasons",
    CONCLUDE_VERSION: "reasons",
    REFLECT_VERSION: "reasons",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture as it is sent."""

    clip_id: str
    """The first clip that shows it."""
    size: tuple[int, int]
    """Width and height, in pixels."""


@dataclass(slots=True)
class Measure:
    """What calls of one kind about one clip took, beside what was reckoned beforehand."""

    calls: int = 0
    latency_s: float = 0.0
    told: int = 0
    """Calls whose tokens were told; all below are of these."""
    reckoned_in: float = 0.0
    reckoned_out: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0


@dataclass(slots=True)
class Load:
    """Calls of one kind: those that are still to be made, and those that were."""

    calls: int = 0
    """Still to be made."""
    pictures: int = 0
    """Sent with them; one that is sent twice counts twice."""
    tokens_in: Range = NOTHING
    """Of their prompts, as reckoned."""
    tokens_out: Range = NOTHING
    """Of their replies, as reckoned."""
    held: int = 0
    """Whose replies are at hand."""
    measures: dict[str, Measure] = field(default_factory=dict)
    """Of the held ones, by clip."""


@dataclass(frozen=True, slots=True)
class Reckoning:
    """How calls are looked up and reckoned."""

    tokens_in: Callable[[Prompt], Range]
    tokens_out: Callable[[Form], Range]
    asker: Asker | None = None
    """Under whose name replies are looked for; nobody's where nobody answered yet."""
    reply: Callable[[str], Reply | None] = lambda key: None
    """The reply of a call that was made before, by its key."""


async def reckon(
    clips: Sequence[Shown],
    survey: Survey,
    pictures: Mapping[str, Sent],
    reckoning: Reckoning,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[Kind, Load]:
    """What a run over these clips would ask, by kind; the same prompt is counted once, as it is asked once.

    Where a prompt holds what a model said before (a sentence of context,
    observations), the reply at hand stands in it, or a stand-in of usual
    length. Every step is taken to succeed, so that of context and reasons, and
    of what rests on them, there may be fewer calls, but not more.

    Args:
        clips: With their key frames, in the order in which they are asked about.
        survey: What is asked.
        pictures: Every picture of the clips, by its digest.
        reckoning: How tokens are counted, and which replies are at hand.
        progress: Told how many clips are done.
    """
    tally = _Tally(survey, pictures, reckoning, {clip.receipt for clip in clips})
    await ask_about(each(clips), survey, tally, _no_bytes, concurrency=1, progress=progress)
    return tally.loads


@dataclass(slots=True)
class _Tally:
    """Counts calls instead of making them."""

    survey: Survey
    pictures: Mapping[str, Sent]
    reckoning: Reckoning
    receipts: set[str]
    """Of the clips' own pictures in their own order."""
    loads: dict[Kind, Load] = field(default_factory=lambda: {kind: Load() for kind in KINDS})
    seen: set[bytes] = field(default_factory=set)
    base: frozenset[str] = frozenset()
    """The words of the questions as written."""

    def __post_init__(self) -> None:
        """Remember the questions as written."""
        self.base = frozenset(question.words for question in self.survey.asked(BASE))

    async def ask(self, call: Call) -> Result:
        """Count the call, if it is a new one, and say what the steps after it need."""
        digest = prompt_digest(call.prompt)
        key = self._key(call, digest)
        reply = self.reckoning.reply(key) if self.reckoning.asker else None
        if bytes.fromhex(key) not in self.seen:
            self.seen.add(bytes.fromhex(key))
            self._count(call, digest, reply)
        if call.prompt_version not in _VERSIONS:
            return Result(key)  # nothing rests on it, so nobody has to read it
        return Result(key, reply=reply or _stand_in(call.prompt_version, key, self.survey))

    def _key(self, call: Call, digest: str) -> str:
        asker = self.reckoning.asker or Asker("", "")
        return call_key(
            digest,
            model=asker.model,
            parameters=asker.parameters,
            prompt_version=call.prompt_version,
            receipt=call.receipt,
        )

    def _count(self, call: Call, digest: str, reply: Reply | None) -> None:
        load, prompt = self.loads[self._kind(call)], call.prompt
        tokens_in, tokens_out = self.reckoning.tokens_in(prompt), self.reckoning.tokens_out(prompt.form)
        if reply is not None:
            load.held += 1
            measure = load.measures.setdefault(self._about(prompt.pictures, digest), Measure())
            _add(measure, tokens_in.expected, tokens_out.expected, reply)
            return
        load.calls += 1
        load.pictures += len(prompt.pictures)
        load.tokens_in += tokens_in
        load.tokens_out += tokens_out

    def _kind(self, call: Call) -> Kind:
        if call.prompt_version in _VERSIONS:
            return _VERSIONS[call.prompt_version]
        prompt = call.prompt
        if prompt.again or call.receipt not in self.receipts:
            return "controls"
        is_base = prompt.parts[-1] in self.base and prompt.draw < self.survey.n_draws
        return "questionnaire" if is_base else "variants"

    def _about(self, pictures: Iterable[Picture], digest: str) -> str:
        """The clip whose picture comes first; without pictures a prompt stands for itself."""
        return next((self.pictures[picture.sha256].clip_id for picture in pictures), digest)


def _add(measure: Measure, reckoned_in: float, reckoned_out: float, reply: Reply) -> None:
    measure.calls += 1
    measure.latency_s += reply.latency_s
    if reply.tokens_in is None or reply.tokens_out is None:
        return
    measure.told += 1
    measure.reckoned_in += reckoned_in
    measure.reckoned_out += reckoned_out
    measure.tokens_in += reply.tokens_in
    measure.tokens_out += reply.tokens_out
    measure.tokens_cached += reply.tokens_cached or 0


def _stand_in(version: str, key: str, survey: Survey) -> Reply:
    """A reply of usual length that differs from every other, and that the next step can rest on."""
    mark = key[:16]
    if version == CONTEXT_VERSION:
        return Reply(
            f"The head turns a little to one side, and the mouth opens and closes again, {mark}.", ""
        )
    if version == OBSERVE_VERSION:
        line = "The eyes look down, the mouth is closed, the hands rest on the table."
        return Reply("\n".join([f"Seen as {mark}.", *(f"({n}.00 s) {line}" for n in range(6))]), "")
    letters = class_letters(len(survey.task.classes))
    scores = {letter: 100 if letter == letters[0] else 0 for letter in letters}
    return Reply(json.dumps({"reasoning": f"As seen, {mark}.", "scores": scores, "label": letters[0]}), "")


def _no_bytes(sha256: str) -> bytes:
    raise AssertionError(f"picture {sha256} was read, and nothing is sent")
