"""Questions that are answered as a JSON object: all items at once, or one with its confidence.

A model that tells no log-probabilities can say how sure it is; a model that is
slow or dear can answer the whole questionnaire in one reply. What such a reply
must hold is a JSON schema, for servers that keep to one; the words say the same
to all others.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curate.questionnaire import CONFIDENCE, Item, Questionnaire, option_lines, question_lines

_HOW_SURE = "how sure you are that it is right, a whole number from 0 (a guess) to 100 (certain)"


@dataclass(frozen=True, slots=True)
class SheetForm:
    """What a JSON object must hold to be an answer."""

    schema: str
    """Its JSON schema without spaces; keys stand in the order in which they are asked."""
    letters: tuple[tuple[str, tuple[str, ...]], ...]
    """Keys that hold one letter of several, with the letters."""
    longest: int
    """Characters of the longest object that keeps to the schema, spaces as JSON is usually written."""


def stated_text(
    questionnaire: Questionnaire, item: Item, *, wording: int = 0, order: Sequence[int] | None = None
) -> str:
    """As `question_text`, for a model that must say itself how sure it is: answered as `stated_form`."""
    close = f'Answer with one JSON object: under "answer" one letter, under "confidence" {_HOW_SURE}.'
    return "\n".join([*question_lines(questionnaire, item, wording=wording, order=order), close])


def stated_form(item: Item) -> SheetForm:
    """The form {"answer": letter, "confidence": 0 to 100}."""
    return _form({"answer": item.letters, "confidence": None})


def sheet_text(
    questionnaire: Questionnaire,
    *,
    wording: int = 0,
    orders: Mapping[str, Sequence[int]] | None = None,
    stated: bool = False,
) -> str:
    """The words sent after the pictures when all items are asked at once: answered as `sheet_form`.

    Args:
        questionnaire: All of its items are asked.
        wording: Which of the items' wordings; 0 is as written.
        orders: By item id, which option stands at each place; as written where left out.
        stated: Whether the model must also say how sure it is of each answer.
    """
    lines = [questionnaire.preamble] if questionnaire.preamble else []
    for item in questionnaire.items:
        worded = item.worded(wording)
        lines += [f"Question {item.id}: {worded.ask}", *option_lines(worded, (orders or {}).get(item.id))]
    names = ", ".join(item.id for item in questionnaire.items)
    lines.append(f"Answer with one JSON object that holds one letter under each of these keys: {names}.")
    if stated:
        lines.append(f'After each letter say, under its key with "{CONFIDENCE}" added, {_HOW_SURE}.')
    return "\n".join(lines)


def sheet_form(questionnaire: Questionnaire, *, stated: bool = False) -> SheetForm:
    """The form {item id: letter, …}; if `stated`, with {item id}_confidence: 0 to 100 after each."""
    fields: dict[str, tuple[str, ...] | None] = {}
    for item in questionnaire.items:
        fields[item.id] = item.letters
        if stated:
            fields[f"{item.id}{CONFIDENCE}"] = None
    return _form(fields)


def _form(fields: Mapping[str, tuple[str, ...] | None]) -> SheetForm:
    """Of keys in the order in which they are filled in, each with its letters; None for a confidence."""
    percent = {"type": "integer", "minimum": 0, "maximum": 100}
    schema = {
        "type": "object",
        # Not sorted: a model fills the keys in as the schema lists them, which must be as it was asked.
        "properties": {
            key: {"type": "string", "enum": letters} if letters else percent
            for key, letters in fields.items()
        },
        "required": list(fields),
        "additionalProperties": False,
    }
    longest = json.dumps({key: letters[0] if letters else 100 for key, letters in fields.items()})
    return SheetForm(
        schema=json.dumps(schema, separators=(",", ":")),
        letters=tuple((key, letters) for key, letters in fields.items() if letters),
        longest=len(longest),
    )
