"""The behavioural questionnaire: items, their options, and the words that are sent.

An item asks about one observable cue. Its last option is always "cannot be
seen", so that a model which cannot tell has an honest way to say so.
"""

import hashlib
import string
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from curate.errors import QuestionnaireError
from curate.sections import Section, load_yaml

PROMPT_VERSION = "questionnaire-1"
"""Named in every call's key: changing the words below means asking again."""

UNSEEN = "cannot be seen"
"""The option that every item ends with."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class Item(Section):
    """One question about one observable cue."""

    id: Name
    """Short name, used in tables and as the instrument's name."""

    ask: Text
    """The question, as the model reads it."""

    options: tuple[Text, ...] = Field(min_length=2, max_length=9)
    """Answers to choose from, least to most of the cue if the scale is ordinal.
    "cannot be seen" is added after them."""

    scale: Literal["ordinal", "nominal"] = "ordinal"
    """ordinal: the cue is a degree. nominal: the options have no order."""

    reverse: bool = False
    """Whether more of the cue speaks for a lower class (reverse-coded)."""

    why: Text
    """Why the item was chosen, in one line."""

    @field_validator("options")
    @classmethod
    def _options_differ(cls, options: tuple[str, ...]) -> tuple[str, ...]:
        folded = [option.casefold() for option in (*options, UNSEEN)]
        if repeated := sorted({option for option in folded if folded.count(option) > 1}):
            raise ValueError(
                f"{repeated} appear twice ({UNSEEN!r} is added by curate). Name each option once"
            )
        return options

    @model_validator(mode="after")
    def _nominal_has_no_direction(self) -> Self:
        if self.scale == "nominal" and self.reverse:
            raise ValueError("a nominal item has no direction. Drop reverse or use scale: ordinal")
        return self

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

    @cached_property
    def digest(self) -> str:
        """sha256 of everything that the model reads, as hex."""
        words = [PROMPT_VERSION, *(question_text(self, item) for item in self.items)]
        return hashlib.sha256("\0".join(words).encode()).hexdigest()


def question_text(questionnaire: Questionnaire, item: Item) -> str:
    """The words sent after the pictures: preamble, question, lettered options.

    The preamble comes first so that all items of a clip share the longest
    possible prefix with the pictures, which a server can then cache.
    """
    lines = [questionnaire.preamble] if questionnaire.preamble else []
    lines.append(f"Question: {item.ask}")
    lines += [f"{letter}) {option}" for letter, option in zip(item.letters, item.all_options, strict=True)]
    lines.append("Answer with one letter.")
    return "\n".join(lines)


def load_questionnaire(path: Path) -> Questionnaire:
    """Read a questionnaire from YAML.

    Raises:
        QuestionnaireError: All problems at once, each with its key.
    """
    return load_yaml(path, Questionnaire, QuestionnaireError)
