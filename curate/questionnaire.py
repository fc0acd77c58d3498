"""The behavioural questionnaire: items, their options, and the words that are sent.

An item asks about one observable cue. Its last option is always "cannot be
seen", so that a model which cannot tell has an honest way to say so. Its
paraphrases ask the same in other words: an answer that changes with them is
about the words, not about the clip.
"""

import hashlib
import json
import string
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from curate.errors import QuestionnaireError
from curate.sections import Section, load_yaml

PROMPT_VERSION = "questionnaire-1"
"""Named in every call's key: changing the words of `question_text` means asking again."""

STATED_VERSION = "stated-1"
"""The same for `curate.sheets.stated_text`."""

SHEET_VERSION = "sheet-1"
"""The same for `curate.sheets.sheet_text`."""

UNSEEN = "cannot be seen"
"""The option that every item ends with."""


def _all_different(options: tuple[str, ...]) -> tuple[str, ...]:
    folded = [option.casefold() for option in (*options, UNSEEN)]
    if repeated := sorted({option for option in folded if folded.count(option) > 1}):
        raise ValueError(f"{repeated} appear twice ({UNSEEN!r} is added by curate). Name each option once")
    return options


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Options = Annotated[tuple[Text, ...], Field(min_length=2, max_length=9), AfterValidator(_all_different)]

CONFIDENCE = "_confidence"
"""Ends the key under which a sheet of answers holds the confidence in the item before it."""


class Paraphrase(Section):
    """Other words for the same question."""

    ask: Text
    """The question, asking for the same cue."""

    options: Options | None = None
    """Answers in the item's own order and with its meanings, one for each of its options;
    the item's own words if left out."""


class Item(Section):
    """One question about one observable cue."""

    id: Name
    """Short name, used in tables and as the instrument's name."""

    ask: Text
    """The question, as the model reads it."""

    options: Options
    """Answers to choose from, least to most of the cue if the scale is ordinal.
    "cannot be seen" is added after them."""

    scale: Literal["ordinal", "nominal"] = "ordinal"
    """ordinal: the cue is a degree. nominal: the options have no order."""

    reverse: bool = False
    """Whether more of the cue speaks for a lower class (reverse-coded)."""

    why: Text
    """Why the item was chosen, in one line."""

    paraphrases: tuple[Paraphrase, ...] = Field(default=(), max_length=20)
    """Other wordings of the same question, to see whether an answer depends on the words."""

    @model_validator(mode="after")
    def _nominal_has_no_direction(self) -> Self:
        if self.scale == "nominal" and self.reverse:
            raise ValueError("a nominal item has no direction. Drop reverse or use scale: ordinal")
        return self

    @model_validator(mode="after")
    def _paraphrases_ask_the_same(self) -> Self:
        for n, paraphrase in enumerate(self.paraphrases, start=1):
            if paraphrase.options is not None and len(paraphrase.options) != len(self.options):
                raise ValueError(
                    f"paraphrase {n} has {len(paraphrase.options)} options, its item {len(self.options)}. "
                    "Give one for each of the item's, in the same order"
                )
        wordings = [(wording.ask, wording.options) for wording in map(self.worded, range(self.n_wordings))]
        if repeated := [n for n, wording in enumerate(wordings) if wording in wordings[:n]]:
            raise ValueError(
                f"paraphrase {repeated[0]} repeats words that are there already. Change or drop it"
            )
        return self

    @property
    def n_wordings(self) -> int:
        """How many ways there are to put the question, the item's own words included."""
        return 1 + len(self.paraphrases)

    def worded(self, n: int) -> "Item":
        """The item in its n-th paraphrase; 0 is the item as it is written.

        Raises:
            ValueError: There is no such paraphrase.
        """
        if n == 0:
            return self
        if not 0 < n < self.n_wordings:
            raise ValueError(f"item {self.id} has {len(self.paraphrases)} paraphrases, no number {n}")
        words = self.paraphrases[n - 1]
        return self.model_copy(
            update={"ask": words.ask, "options": words.options or self.options, "paraphrases": ()}
        )

    def shown(self, order: Sequence[int] | None = None) -> tuple[str, ...]:
        """The options as they are listed, "cannot be seen" included.

        Args:
            order: Which of `all_options` stands at each place, by position; as
                written if left out.

        Raises:
            ValueError: `order` does not name each option once.
        """
        places = range(len(self.all_options)) if order is None else order
        if sorted(places) != list(range(len(self.all_options))):
            raise ValueError(
                f"order {list(places)} of item {self.id} must name each of "
                f"{list(range(len(self.all_options)))} once"
            )
        return tuple(self.all_options[place] for place in places)

    @property
    def all_options(self) -> tuple[str, ...]:
        """The options as sent, "cannot be seen" last."""
        return (*self.options, UNSEEN)

    @property
    def letters(self) -> tuple[str, ...]:
        """A letter for each of `all_options`, in order."""
        return tuple(string.ascii_uppercase[: len(self.all_options)])


class Questionnaire(Section):
    """What is asked about every clip."""

    name: Name
    """Short name of the questionnaire."""

    version: int = Field(default=1, ge=1)
    """Raised whenever the words change, so that answers are never mixed."""

    about: Text
    """What the items are about, in one sentence for the reader of the card."""

    preamble: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    """Put before every question; says what the pictures are, not what to find."""

    items: tuple[Item, ...] = Field(min_length=1, max_length=40)
    """The questions, in order."""

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [item.id for item in self.items]
        if repeated := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"item ids {repeated} appear twice. Give each item its own id")
        return self

    @model_validator(mode="after")
    def _ids_leave_room_for_confidences(self) -> Self:
        ids = {item.id for item in self.items}
        if taken := sorted(name for name in ids if f"{name}{CONFIDENCE}" in ids):
            raise ValueError(
                f"{taken[0]}{CONFIDENCE} is where the confidence in {taken[0]} is told. Rename that item"
            )
        return self

    @cached_property
    def digest(self) -> str:
        """sha256 of everything that the model reads, as hex."""
        words = [
            [item.id, *(question_text(self, item, wording=n) for n in range(item.n_wordings))]
            for item in self.items
        ]
        versions = [PROMPT_VERSION, STATED_VERSION, SHEET_VERSION]
        return hashlib.sha256(json.dumps([versions, words]).encode()).hexdigest()


def question_text(
    questionnaire: Questionnaire, item: Item, *, wording: int = 0, order: Sequence[int] | None = None
) -> str:
    """The words sent after the pictures: preamble, question, lettered options.

    The preamble comes first so that all items of a clip share the longest
    possible prefix with the pictures, which a server can then cache.

    Args:
        questionnaire: Gives the preamble.
        item: What is asked.
        wording: Which of the item's wordings; 0 is as written.
        order: Which option stands at each place, as in `Item.shown`.
    """
    lines = [*question_lines(questionnaire, item, wording=wording, order=order), "Answer with one letter."]
    return "\n".join(lines)


def question_lines(
    questionnaire: Questionnaire, item: Item, *, wording: int = 0, order: Sequence[int] | None = None
) -> list[str]:
    """The lines of `question_text` but the last, which says how to answer."""
    worded = item.worded(wording)
    opening = [questionnaire.preamble] if questionnaire.preamble else []
    return [*opening, f"Question: {worded.ask}", *option_lines(worded, order)]


def option_lines(item: Item, order: Sequence[int] | None = None) -> list[str]:
    """The options as they are listed, a letter before each."""
    return [f"{letter}) {option}" for letter, option in zip(item.letters, item.shown(order), strict=True)]


def load_questionnaire(path: Path) -> Questionnaire:
    """Read a questionnaire from YAML.

    Raises:
        QuestionnaireError: All problems at once, each with its key.
    """
    return load_yaml(path, Questionnaire, QuestionnaireError)
