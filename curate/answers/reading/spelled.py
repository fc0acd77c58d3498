"""Which option a model's words name. Pure: one option must be meant, and none denied."""

import re
from typing import Protocol


class Listed(Protocol):
    """Options as a prompt lists them."""

    @property
    def all_options(self) -> tuple[str, ...]:
        """The options, in the order in which they are listed."""

    @property
    def letters(self) -> tuple[str, ...]:
        """The letter before each."""


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
_SAID_WORDS = re.compile(r"^[\W_]*(?:the\s+)?(?:answer|option|choice)(?:\s+is)?\s*[:=]?\s*", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[.,;:!\n]")


def chosen(text: str, item: Listed) -> int | None:
    """Place of the one option that is meant, or None; None also where an option is denied."""
    named = _letters(text, item)
    if any(_is_denied(text, match, item) for match in named):
        return None
    places = {item.letters.index(match[1].upper()) for match in named} | _chosen_words(text, item)
    return places.pop() if len(places) == 1 else None


def _letters(text: str, item: Listed) -> list[re.Match[str]]:
    """Every place where the text names a letter of the item as an answer; group 1 is the letter."""
    found = [*_SAID.finditer(text), *_ALONE.finditer(text), _WHOLE.fullmatch(text), _LEADING.match(text)]
    return [match for match in found if match and match[1].upper() in item.letters]


def _is_denied(text: str, letter: re.Match[str], item: Listed) -> bool:
    """Whether the text says that the letter is not meant."""
    before = _DENIED_BEFORE.search(text[max(0, letter.start(1) - _DENIED_WITHIN) : letter.start(1)])
    # In "never (A)" the word is no denial where it is itself the option A.
    option = item.all_options[item.letters.index(letter[1].upper())]
    if before and _folded(before[0]) != _folded(option):
        return True
    return _DENIED_AFTER.match(text, letter.end(1)) is not None


def _chosen_words(text: str, item: Listed) -> set[int]:
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
