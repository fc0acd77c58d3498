"""The ways in which a letter can be one token, and the tokens that a vocabulary has for them."""

import string
from collections.abc import Iterable, Mapping, Sequence

LETTERS = tuple(string.ascii_uppercase)
"""All letters that an answer can be."""

ALONE = ("{}", " {}")
"""A letter as the whole of an answer."""

QUOTED = ('"{}', ' "{}', '{}"', '"{}"', ' "{}"')
"""A letter merged with the quotes that JSON puts around it."""


def spellings(letters: Iterable[str], ways: Sequence[str] = ALONE + QUOTED) -> list[str]:
    """Every way to write each letter."""
    return [way.format(letter) for letter in letters for way in ways]


def token_ids(tokens: Mapping[str, int], letters: Iterable[str], ways: Sequence[str] = ALONE) -> list[int]:
    """Ids of the tokens that are one of the letters.

    Args:
        tokens: Id of each spelling that is a single token of the vocabulary.
        letters: Which letters.
        ways: How they may be spelled.
    """
    return list(dict.fromkeys(tokens[text] for text in spellings(letters, ways) if text in tokens))
