"""Questions as they are put: items, words, form, and how their replies are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from curate.answers.measures.debias import cyclic_orders
from curate.answers.measures.distribution import from_samples
from curate.answers.reading.parse import Answer, parse, parse_sheet
from curate.answers.schedule import Way
from curate.errors import ClientError
from curate.questionnaire import (
    PROMPT_VERSION,
    SHEET_VERSION,
    STATED_VERSION,
    UNSEEN,
    Item,
    Questionnaire,
    question_text,
)
from curate.recipe import Answers
from curate.sheets import SheetForm, sheet_form, sheet_text, stated_form, stated_text
from curate.vlm.client import Abilities, Form, Letter, Reply, Sheet

Told = Literal["logprobs", "samples", "stated"]
"""How a model tells how sure it is."""


@dataclass(frozen=True, slots=True)
class Listing:
    """An item's options in the order and the words in which a prompt lists them."""

    item: Item
    """As it is written in the questionnaire."""
    all_options: tuple[str, ...]
    """As they are listed."""
    order: tuple[int, ...]
    """Which of the item's options stands at each place."""

    @property
    def letters(self) -> tuple[str, ...]:
        """The letter before each."""
        return self.item.letters

    def as_written(self, answer: Answer) -> Answer:
        """An answer in the order of listing, put in the item's own order and words."""
        if answer.probs is None:
            return answer
        probs = [0.0] * len(self.order)
        for place, option in enumerate(self.order):
            probs[option] = answer.probs[place]
        likeliest = self.item.all_options[max(range(len(probs)), key=probs.__getitem__)]
        outcome: Literal["answered", "unseen"] = "unseen" if likeliest == UNSEEN else "answered"
        return replace(answer, outcome=outcome, answer=likeliest, probs=tuple(probs))


@dataclass(frozen=True, slots=True)
class Question:
    """One item, or all of them, as they stand after the pictures of a clip."""

    way: Way
    listings: tuple[Listing, ...]
    words: str
    form: Form
    version: str
    """Of the prompt."""
    told: Told = "logprobs"
    """How the model tells how sure it is."""

    def answers(self, replies: Sequence[Reply]) -> dict[str, Answer]:
        """An answer an item, in the item's own order: what one reply says, or the shares of several draws."""
        read = [self._read(reply) for reply in replies]
        return {
            one.item.id: one.as_written(_drawn(one, [answers[one.item.id] for answers in read]))
            for one in self.listings
        }

    def _read(self, reply: Reply) -> Mapping[str, Answer]:
        if self.told != "logprobs":
            # A draw counts as what was drawn; its probabilities are the same for all draws.
            reply = replace(reply, option_logprobs=None, field_logprobs=None)
        if self.version == SHEET_VERSION:
            return parse_sheet(reply, {one.item.id: one for one in self.listings})
        (one,) = self.listings
        return {one.item.id: parse(reply, one)}


def how_told(answers: Answers, abilities: Abilities) -> Told:
    """How probabilities are had from a model.

    Raises:
        ClientError: The recipe wants log-probabilities, and the model tells none.
    """
    if answers.probabilities == "logprobs" and abilities.logprobs is None:
        raise ClientError(
            f"answers.probabilities is logprobs, and {abilities.server} tells no log-probabilities. "
            "Set it to samples, with answers.samples, or to stated"
        )
    if answers.probabilities != "auto":
        return answers.probabilities
    if abilities.logprobs is not None:
        return "logprobs"
    return "samples" if answers.samples > 1 else "stated"


def questions(questionnaire: Questionnaire, answers: Answers, told: Told, way: Way) -> tuple[Question, ...]:
    """Everything that is asked of a clip in one way.

    Args:
        questionnaire: Whose items are asked.
        answers: The recipe's section: one call an item, or one for all.
        told: How the model tells how sure it is.
        way: In which way. An order that an item with fewer options has had
            already is not asked of it again.

    Returns:
        One question an item, or one for all items together.
    """
    listings = [_listing(item, way) for item in questionnaire.items if way.shift < len(item.all_options)]
    if answers.mode == "joint":
        return (_joint(questionnaire, told, way, listings),)
    return tuple(_separate(questionnaire, told, way, listing) for listing in listings)


def _listing(item: Item, way: Way) -> Listing:
    order = cyclic_orders(len(item.all_options))[way.shift]
    return Listing(item, item.worded(way.wording).shown(order), order)


def _separate(questionnaire: Questionnaire, told: Told, way: Way, listing: Listing) -> Question:
    text = stated_text if told == "stated" else question_text
    words = text(questionnaire, listing.item, wording=way.wording, order=listing.order)
    if told == "stated":
        return Question(way, (listing,), words, _sheet(stated_form(listing.item)), STATED_VERSION, told)
    return Question(way, (listing,), words, Letter(listing.letters), PROMPT_VERSION, told)


def _joint(questionnaire: Questionnaire, told: Told, way: Way, listings: Sequence[Listing]) -> Question:
    stated = told == "stated"
    orders = {one.item.id: one.order for one in listings}
    words = sheet_text(questionnaire, wording=way.wording, orders=orders, stated=stated)
    form = _sheet(sheet_form(questionnaire, stated=stated))
    return Question(way, tuple(listings), words, form, SHEET_VERSION, told)


def _sheet(form: SheetForm) -> Sheet:
    # A token is at least a character: there is room for the longest object in any vocabulary.
    return Sheet(form.schema, form.longest, form.letters)


def _drawn(listing: Listing, answers: Sequence[Answer]) -> Answer:
    """One answer from several draws: shares of what they named."""
    if len(answers) == 1:
        return answers[0]
    places = [
        -1 if one.probs is None else max(range(len(one.probs)), key=one.probs.__getitem__) for one in answers
    ]
    if max(places) < 0:
        return answers[0]
    shares = from_samples(np.array(places), len(listing.letters))
    return Answer("answered", None, tuple(shares.tolist()), "samples")
