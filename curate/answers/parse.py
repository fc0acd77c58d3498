"""Reads an answer out of a reply. Pure: nothing of a reply is ever trusted or carried out."""

import json
import math
import re
from dataclasses import dataclass
from typing import Literal

from curate.questionnaire import UNSEEN, Item
from curate.vlm.client import Reply

Outcome = Literal["answered", "unseen", "refusal", "unparsable"]
Source = Literal["logprobs", "text"]

LEAST_MASS = 0.05
"""Letters that hold less of the next token's probability than this were not what the model meant to
say; the text is read instead."""

MOST_CHARS = 2000
"""Of a reply's text; an answer that comes later is not looked for."""

_REFUSAL = re.compile(
    r"\bI (?:cannot|can't|can not|am unable|am not able|am sorry|won't|will not|must decline)\b"
    r"|\bI'm (?:unable|not able|sorry)\b"
    r"|\bas an AI\b|\bsorry, but\b"
    r"|\b(?:cannot|can't|unable to) (?:assist|help|comply|answer|provide)\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"[\W_]*([A-Za-z])[\W_]*")
_LEADING = re.compile(r"[\W_]*([A-Za-z])\s*[).:\]*]")
_SAID = re.compile(
    r"\b(?:answer|option|choice)(?:\s+is)?\s*[:=]?[\s\"'(\[*]*([A-Za-z])(?![\w']|\s+\w)", re.IGNORECASE
)
# A capital that stands alone. "A person" and "I see" are words, not letters.
_ALONE = re.compile(r"(?<![\w'])(?![AI]\s+(?!or\b|and\b)[a-z])([A-Z])(?![\w'])")
# What stands before a letter that is denied ("isn't likely to be (B"), and after it ("B) is not right").
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|cannot|never|nor|neither|rather than|instead of|other than|anything but)|n['\u2019]t)"
    r"(?:\s+(?:an?|the|it|it's|is|be|been|to|of|as|like|that|either|likely|probably|really|necessarily|quite"
    r"|actually|simply|just|only|think|say|believe|choose|pick|select|look|seem|right|correct|best"
    r"|answer|option|choice|letter))*[\s\"'`(\[*_]*$",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    r"[\s\"'`)\]*_]*\s(?:(?:is|was|can|could|would)(?:\s*not|n?['\u2019]t)(?:\s+be)?"
    r"(?=\s+(?:the|right|correct|true|likely|what)\b|[\W_]*$)|is\s+(?:wrong|incorrect|false)\b)",
    re.IGNORECASE,
)
_DENIED_WITHIN = 80
"""Characters before a letter among which a denial is looked for."""
_FENCE = re.compile(r"^```(?:json)?\s*|\s*```$")
_SAID_WORDS = re.compile(r"^[\W_]*(?:the\s+)?(?:answer|option|choice)(?:\s+is)?\s*[:=]?\s*", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[.,;:!\n]")


@dataclass(frozen=True, slots=True)
class Answer:
    """One item's answer about one clip."""

    outcome: Outcome
    answer: str | None = None
    """The most probable option; None where there is none."""
    probs: tuple[float, ...] | None = None
    """Of each of the item's options, "cannot be seen" last; sums to 1."""
    source: Source | None = None


def parse(reply: Reply, item: Item) -> Answer:
    """The answer in a reply; never raises, whatever the text.

    From log-probabilities where the letters hold at least `LEAST_MASS` of the
    next token's probability; otherwise from the words, where one letter or one
    option must be meant and the answer's probabilities are 1 and 0.
    """
    probs = _from_logprobs(reply.option_logprobs, len(item.letters))
    if probs is not None:
        return _answer(item, probs, "logprobs")
    if reply.finish_reason == "content_filter":
        return Answer("refusal")
    text = reply.text[:MOST_CHARS].replace("\u2019", "'").strip()
    chosen = _chosen(_unwrapped(text), item)
    if chosen is not None:
        return _answer(item, tuple(float(place == chosen) for place in range(len(item.letters))), "text")
    return Answer("refusal" if _REFUSAL.search(text) else "unparsable")


def _answer(item: Item, probs: tuple[float, ...], source: Source) -> Answer:
    option = item.all_options[max(range(len(probs)), key=probs.__getitem__)]
    return Answer("unseen" if option == UNSEEN else "answered", option, probs, source)


def _from_logprobs(logprobs: tuple[float, ...] | None, n_options: int) -> tuple[float, ...] | None:
    """p_k = exp(l_k) / sum_j exp(l_j); None where the letters hold too little."""
    if logprobs is None or len(logprobs) != n_options or any(math.isnan(value) for value in logprobs):
        return None
    shares = [math.exp(min(value, 0.0)) for value in logprobs]
    total = math.fsum(shares)
    return tuple(share / total for share in shares) if total >= LEAST_MASS else None


def _unwrapped(text: str) -> str:
    """The string under "answer" where the text is a JSON object, else the text."""
    bare = _FENCE.sub("", text)
    if not bare.startswith("{"):
        return text
    try:
        content = json.loads(bare)
    except (ValueError, RecursionError):
        return text
    found = content.get("answer") if isinstance(content, dict) else None
    return found.strip() if isinstance(found, str) else text


def _chosen(text: str, item: Item) -> int | None:
    """Place of the one option that is meant, or None; None also where an option is denied."""
    named = _letters(text, item)
    if any(_is_denied(text, match, item) for match in named):
        return None
    places = {item.letters.index(match[1].upper()) for match in named} | _chosen_words(text, item)
    return places.pop() if len(places) == 1 else None


def _letters(text: str, item: Item) -> list[re.Match[str]]:
    """Every place where the text names a letter of the item as an answer; group 1 is the letter."""
    found = [*_SAID.finditer(text), *_ALONE.finditer(text), _WHOLE.fullmatch(text), _LEADING.match(text)]
    return [match for match in found if match and match[1].upper() in item.letters]


def _is_denied(text: str, letter: re.Match[str], item: Item) -> bool:
    """Whether the text says that the letter is not meant."""
    before = _DENIED_BEFORE.search(text[max(0, letter.start(1) - _DENIED_WITHIN) : letter.start(1)])
    # In "never (A)" the word is no denial where it is itself the option A.
    option = item.all_options[item.letters.index(letter[1].upper())]
    if before and _folded(before[0]) != _folded(option):
        return True
    return _DENIED_AFTER.match(text, letter.end(1)) is not None


def _chosen_words(text: str, item: Item) -> set[int]:
    """Places of the option that the text or its first clause spells out, and of others it mentions."""
    spelled = _SAID_WORDS.sub("", text)
    tries = [text, spelled, _LEADING.sub("", spelled, count=1)]
    tries += [_CLAUSE_END.split(found.strip(), maxsplit=1)[0] for found in tries]
    folded = [_folded(option) for option in item.all_options]
    said = next((words for words in map(_folded, tries) if words in folded), None)
    if said is None:
        return set()
    # "open" is no other option when "half open" was said.
    rest = _folded(text).replace(said, " ")
    return {place for place, option in enumerate(folded) if option == said or _mentions(rest, option)}


def _mentions(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def _folded(text: str) -> str:
    """Lower case, without punctuation at either end, single spaces."""
    return " ".join(text.split()).strip(" \t\"'`*_.,;:!()[]{}").casefold()
