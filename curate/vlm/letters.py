"""Log-probabilities of an answer's letters, read from the alternatives of a reply's tokens."""

import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from curate.vlm.client import Sheet

# Lenient about control characters, as models write them; what a value means is decided elsewhere.
_DECODER = json.JSONDecoder(strict=False)
_WHITE = re.compile(r"[ \t\n\r]*")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a reply, and what could have stood in its place."""

    text: str
    alternatives: Mapping[str, float]
    """Text of a token: its natural-log probability; the chosen token among them."""


def letter_logprobs(alternatives: Mapping[str, float], letters: Sequence[str]) -> tuple[float, ...] | None:
    """Log-probability of each letter as the next token; "A" and " A" are the same letter.

    Args:
        alternatives: Text of a token: its natural-log probability. One above 0,
            as rounding makes it, counts as 0.
        letters: In the order of the result.

    Returns:
        A value a letter, at most 0; -inf where no alternative is the letter.
        None where nothing was told: no alternatives, or one that is not a number.
    """
    return _logprobs([(text.strip(), logprob) for text, logprob in alternatives.items()], letters)


def field_logprobs(tokens: Sequence[Token], sheet: Sheet) -> dict[str, tuple[float, ...]]:
    r"""Log-probabilities of the letters of each key of a JSON reply that holds one.

    A value's letter is found in the text that the tokens make, and the token
    there. Where that token holds more than the letter, as `"B` does, an
    alternative must begin alike to count, white space aside.

    Args:
        tokens: Of the whole reply, in order. It may be cut off, fenced or no JSON at all.
        sheet: Says which keys hold which letters.

    Returns:
        Values as of `letter_logprobs`, by key. A key is left out where the reply
        does not come to it, holds none of its letters there, spells the letter
        with several tokens or an escape, or where nothing was told. The last of
        equal keys counts, as in JSON.
    """
    text = "".join(token.text for token in tokens)
    starts = list(accumulate((len(token.text) for token in tokens), initial=0))
    values = dict(_values(text))
    found = {}
    for key, letters in sheet.letters:
        value, start = values.get(key, (None, 0))
        if value not in letters or not text.startswith(value, start):
            continue
        place = bisect_right(starts, start) - 1
        told = _alternatives(tokens[place], start - starts[place], value)
        if logprobs := _logprobs(told, letters):
            found[key] = logprobs
    return found


def _values(text: str) -> Iterator[tuple[str, tuple[str, int]]]:
    """Key, stripped value and its place, for each text value of the first JSON object in `text`.

    Ends without a word where the text stops being JSON.
    """
    place = text.find("{")
    goes_on = place >= 0
    while goes_on:
        try:
            key, colon = _decoded(text, place + 1)
            value, end = _decoded(text, colon + 1)
        except (ValueError, RecursionError):
            return
        if not isinstance(key, str) or text[colon : colon + 1] != ":":
            return
        if isinstance(value, str):
            yield key, (value.strip(), _skip(text, _skip(text, colon + 1) + 1))
        place, goes_on = end, text[end : end + 1] == ","


def _decoded(text: str, place: int) -> tuple[object, int]:
    """The JSON value at `place`, and where the next sign stands."""
    value, end = _DECODER.raw_decode(text, _skip(text, place))
    return value, _skip(text, end)


def _skip(text: str, place: int) -> int:
    """Where white space that begins at `place` ends."""
    found = _WHITE.match(text, place)
    return found.end() if found else place


def _alternatives(token: Token, offset: int, letter: str) -> list[tuple[str, float]]:
    """What could have stood in the place of a token's letter; nothing if the token holds part of it only."""
    if len(token.text) < offset + len(letter):
        return []
    before = _bare(token.text[:offset])
    texts = [(_bare(text), logprob) for text, logprob in token.alternatives.items()]
    return [(_word(text.removeprefix(before)), value) for text, value in texts if text.startswith(before)]


def _bare(text: str) -> str:
    """A text without white space, which means nothing between the signs of JSON."""
    return "".join(text.split())


def _word(text: str) -> str:
    """The word that a text begins with: B of `B"`, but Because of `Because`."""
    found = _WORD.match(text)
    return found[0] if found else ""


def _logprobs(told: Sequence[tuple[str, float]], letters: Sequence[str]) -> tuple[float, ...] | None:
    """The log of the summed shares of each letter; see `letter_logprobs`."""
    if not told or any(math.isnan(logprob) for _, logprob in told):
        return None
    shares = dict.fromkeys(letters, 0.0)
    for letter, logprob in told:
        if letter in shares:
            shares[letter] += math.exp(min(logprob, 0.0))
    return tuple(
        math.log(min(shares[letter], 1.0)) if shares[letter] > 0 else -math.inf for letter in letters
    )
