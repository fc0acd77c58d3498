"""Reads observations, conclusions and reflections out of replies. Pure; nothing of a reply is carried out."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from curate.answers.reading.refusal import refuses
from curate.answers.reasons.prompts import NO_CLASS, class_letters
from curate.printable import printable
from curate.vlm.client import Reply

Verdict = Literal["confirm", "revise", "abstain"]

MOST_CHARS = 4000
"""Of observations, a reasoning or a reflection as they are kept; the reply as it came is in the ledger."""

MOST_CHARS_READ = 100_000
"""Of a reply."""

CITED_WITHIN_S = 0.05
"""How far a cited time may be from a picture's: what rounding to one decimal moves it. Half the
distance between pictures would let every time within the clip count, and nothing could fail."""

_TIME = r"\d{1,6}(?:\.\d{1,6})?"
_UNIT = r"(?:s|secs?|seconds?)\b"
# One time, or several that share a unit: "0.5-1.5 s", "at 1 and 2 s"; before a closing bracket the unit may
# be missing. The lookbehind keeps out the tail of a longer number.
_TIMES = re.compile(
    rf"(?<![\w.,])({_TIME}(?:\s*(?:-|\u2013|to|and|,\s)\s*{_TIME}){{0,20}})\s*(?:{_UNIT}|(?=\]))",
    re.IGNORECASE,
)
# "for 2 s" is how long something takes, not when it is seen.
_DURATION = re.compile(
    r"\b(?:for|lasts|lasting|over|within)\s+(?:about\s+|around\s+|some\s+)?$", re.IGNORECASE
)
_DURATION_CHARS = 20

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Score = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Unread:
    """A reply that says nothing that can be used."""

    why: Literal["refusal", "unparsable"]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A score for every class, the class that was chosen, and why."""

    scores: tuple[float, ...]
    """Shape (n_classes,), each from 0 to 100, as they were stated; at least one is above 0."""
    label: int
    """Place of the class."""
    reasoning: str
    n_cited: int
    """Different times that the reasoning names."""
    n_cited_shown: int
    """Those of them at which there was a picture."""

    @property
    def agrees(self) -> bool:
        """Whether no class has a higher score than the one that was chosen."""
        return self.scores[self.label] == max(self.scores)

    @property
    def probs(self) -> tuple[float, ...]:
        """Scores as probabilities: p_k = s_k / sum_j s_j. Stated by the model, and so over-confident."""
        total = math.fsum(self.scores)
        return tuple(score / total for score in self.scores)


@dataclass(frozen=True, slots=True)
class Reflection:
    """What the observations alone say about the class that was chosen."""

    verdict: Verdict
    revised: int | None
    """Place of the class that it names instead; None where it names none, or the same."""
    reason: str

    @property
    def agrees(self) -> bool:
        """Whether another class is named exactly where the verdict is to revise."""
        return self.verdict == "abstain" or (self.verdict == "revise") == (self.revised is not None)


def read_observations(reply: Reply) -> str | Unread:
    """What was seen when, line by line, safe to show; never raises.

    A text that declines is none, unless it names a time all the same: "I
    cannot see the hands [0.50 s]" is an observation.
    """
    text = kept(reply.text)
    if reply.finish_reason == "content_filter" or (refuses(text) and not cited_times(text)):
        return Unread("refusal")
    return text or Unread("unparsable")


def read_conclusion(reply: Reply, n_classes: int, times_s: Sequence[float]) -> Conclusion | Unread:
    """The conclusion in a reply; never raises, whatever the text.

    Args:
        reply: Its text should be the JSON object that `conclude_prompt` asks for.
        n_classes: Every one must have a score, and at least one a score above 0.
        times_s: Of the pictures that were sent, from the start of the clip.
    """
    letters = class_letters(n_classes)
    said = _parsed(reply, _Conclusion)
    if said is None or set(said.scores) != set(letters) or said.label not in letters:
        return _unread(reply)
    scores = tuple(said.scores[letter] for letter in letters)
    if max(scores) == 0:
        return Unread("unparsable")
    reasoning = kept(said.reasoning)
    cited = cited_times(reasoning)
    shown = [t_s for t_s in cited if is_shown(t_s, times_s)]
    return Conclusion(scores, letters.index(said.label), reasoning, len(cited), len(shown))


def read_reflection(reply: Reply, n_classes: int, proposed: int) -> Reflection | Unread:
    """The reflection in a reply; never raises, whatever the text.

    Args:
        reply: Its text should be the JSON object that `reflect_prompt` asks for.
        n_classes: How many there are to name.
        proposed: Place of the class that was to be judged.
    """
    letters = (*class_letters(n_classes), NO_CLASS)
    said = _parsed(reply, _Reflection)
    if said is None or said.label not in letters:
        return _unread(reply)
    named = letters.index(said.label)
    is_other = said.verdict != "abstain" and named not in (proposed, n_classes)
    return Reflection(said.verdict, named if is_other else None, kept(said.reason))


def cited_times(text: str) -> tuple[float, ...]:
    """Different times that a text names [s], rising: "1.25 s", "[1.25 s]", "at 3s", "0.5-1.5 s"."""
    named = [match for match in _TIMES.finditer(text) if not _is_duration(text, match.start())]
    return tuple(sorted({float(time) for match in named for time in re.findall(_TIME, match[1])}))


def is_shown(t_s: float, times_s: Sequence[float]) -> bool:
    """Whether a picture stands at a time, within `CITED_WITHIN_S`."""
    # The times in a prompt are rounded to 0.01 s before a model rounds them again.
    within_s = CITED_WITHIN_S + 0.005 + 1e-9
    return any(abs(t_s - shown_s) <= within_s for shown_s in times_s)


def kept(text: str) -> str:
    """A reply's words as tables hold them: single spaces, safe to show, `MOST_CHARS` at most."""
    lines = (printable(" ".join(line.split())) for line in text[:MOST_CHARS_READ].splitlines())
    whole = "\n".join(line for line in lines if line)
    return whole if len(whole) <= MOST_CHARS else f"{whole[: MOST_CHARS - 3]}..."


class _Reply(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Conclusion(_Reply):
    reasoning: Words
    scores: dict[str, Score]
    label: str


class _Reflection(_Reply):
    reason: Words
    verdict: Verdict
    label: str


Kind = TypeVar("Kind", bound=_Reply)


def _parsed(reply: Reply, kind: type[Kind]) -> Kind | None:
    """The JSON object in a reply, in a code fence or not; None where there is none of that kind."""
    text = reply.text[:MOST_CHARS_READ]
    try:
        return kind.model_validate_json(text[text.find("{") : text.rfind("}") + 1])
    except ValidationError:
        return None


def _unread(reply: Reply) -> Unread:
    is_refusal = reply.finish_reason == "content_filter" or refuses(reply.text)
    return Unread("refusal" if is_refusal else "unparsable")


def _is_duration(text: str, start: int) -> bool:
    return _DURATION.search(text[max(0, start - _DURATION_CHARS) : start]) is not None
