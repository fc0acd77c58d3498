"""Reads answers out of a reply. Pure: nothing of a reply is ever trusted or carried out."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from curate.answers.measures.distribution import from_stated
from curate.answers.reading.refusal import refuses
from curate.answers.reading.spelled import Listed, chosen
from curate.questionnaire import UNSEEN
from curate.vlm.client import LogprobsKind, Reply

Outcome = Literal["answered", "unseen", "refusal", "unparsable"]
Source = Literal["logprobs", "samples", "stated", "text"]

LEAST_MASS = 0.05
"""Letters that hold less of the next token's probability than this were not what the model meant to
say; the text is read instead."""

MOST_CHARS = 2000
"""Of a reply's text; an answer that comes later is not looked for."""

MOST_CHARS_OF_A_SHEET = 100_000
"""Of a reply that answers a whole questionnaire."""

_FENCE = re.compile(r"^```(?:json)?\s*|\s*```$")


@dataclass(frozen=True, slots=True)
class Answer:
    """One item's answer about one clip, in the order in which its options were listed."""

    outcome: Outcome
    answer: str | None = None
    """The most probable option as it was listed; None where there is none."""
    probs: tuple[float, ...] | None = None
    """Of each listed option; sums to 1."""
    source: Source | None = None
    mask: LogprobsKind | None = None
    """Which log-probabilities the probabilities came from, if from such."""


def parse(reply: Reply, listed: Listed) -> Answer:
    """The answer in a reply to one question; never raises, whatever the text.

    From log-probabilities where the letters hold at least `LEAST_MASS` of the
    next token's probability; otherwise from the words, where one letter or one
    option must be meant and the answer's probabilities are 1 and 0, or as far
    from it as the model said in a JSON object with "answer" and "confidence".
    A bare letter with less behind it is no answer: the model meant to say
    something else, and was held to letters.
    """
    probs = from_logprobs(reply.option_logprobs, len(listed.letters))
    if probs is not None:
        return _answer(listed, probs, "logprobs", reply.logprobs_kind)
    if reply.finish_reason == "content_filter":
        return Answer("refusal")
    text = reply.text[:MOST_CHARS].replace("\u2019", "'").strip()
    if text in listed.letters and _mass(reply.option_logprobs, len(listed.letters)) > 0:
        # A letter that hardly any probability stands behind was not chosen: the server forced one.
        return Answer("unparsable")
    content = json_object(text)
    return _from_words(content.get("answer", text), content.get("confidence"), listed)


def parse_sheet(reply: Reply, listed: Mapping[str, Listed]) -> dict[str, Answer]:
    """The answers in a reply to a whole questionnaire; never raises, whatever the text.

    Args:
        reply: Its text should be a JSON object of letters by item.
        listed: The options of each item as the prompt listed them.

    Returns:
        An answer an item. Where the reply is no object they are all refusals
        or unparsable; a key that is missing makes only its own item so.
    """
    text = reply.text[:MOST_CHARS_OF_A_SHEET].replace("\u2019", "'").strip()
    content = json_object(text)
    if not content:
        refused = reply.finish_reason == "content_filter" or refuses(text)
        return dict.fromkeys(listed, Answer("refusal" if refused else "unparsable"))
    told = reply.field_logprobs or {}
    answers = {}
    for item, options in listed.items():
        probs = from_logprobs(told.get(item), len(options.letters))
        if probs is not None and isinstance(content.get(item), str):
            answers[item] = _answer(options, probs, "logprobs", reply.logprobs_kind)
        else:
            answers[item] = _from_words(content.get(item), content.get(f"{item}_confidence"), options)
    return answers


def from_logprobs(logprobs: tuple[float, ...] | None, n_options: int) -> tuple[float, ...] | None:
    """p_k = exp(l_k) / sum_j exp(l_j); None where the letters hold too little, or a number is none."""
    total = _mass(logprobs, n_options)
    if logprobs is None or total < LEAST_MASS:
        return None
    return tuple(math.exp(min(value, 0.0)) / total for value in logprobs)


def _mass(logprobs: tuple[float, ...] | None, n_options: int) -> float:
    """Probability that the options hold together; 0 where not every one has a number."""
    if logprobs is None or len(logprobs) != n_options or any(map(math.isnan, logprobs)):
        return 0.0
    return math.fsum(math.exp(min(value, 0.0)) for value in logprobs)


def json_object(text: str) -> dict[str, Any]:
    """The JSON object that a text is, in a code fence or not; empty where it is none."""
    bare = _FENCE.sub("", text)
    if not bare.startswith("{"):
        return {}
    try:
        content = json.loads(bare)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _from_words(said: object, confidence: object, listed: Listed) -> Answer:
    """The answer that words name, as sure as the model says that it is."""
    if not isinstance(said, str):
        return Answer("unparsable")
    place = chosen(said.strip(), listed)
    if place is None:
        return Answer("refusal" if refuses(said) else "unparsable")
    n_options, share = len(listed.letters), _share(confidence)
    if share is not None:
        return _answer(
            listed, tuple(from_stated(np.array(place), np.array(share), n_options).tolist()), "stated"
        )
    return _answer(listed, tuple(float(place == option) for option in range(n_options)), "text")


def _share(confidence: object) -> float | None:
    """Stated confidence from 0 to 1: asked for from 0 to 100, but some models write 0.85 all the same."""
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 100:
        return None
    is_share = isinstance(confidence, float) and confidence <= 1
    return confidence if is_share else confidence / 100


def _answer(
    listed: Listed, probs: tuple[float, ...], source: Source, mask: LogprobsKind | None = None
) -> Answer:
    option = listed.all_options[max(range(len(probs)), key=probs.__getitem__)]
    return Answer("unseen" if option == UNSEEN else "answered", option, probs, source, mask)
