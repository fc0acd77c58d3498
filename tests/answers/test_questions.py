import json

import pytest

from curate.answers.questions import how_told, questions
from curate.answers.reading.parse import Answer
from curate.answers.schedule import BASE, Way
from curate.errors import ClientError
from curate.questionnaire import SHEET_VERSION, STATED_VERSION, UNSEEN, Item, Paraphrase, Questionnaire
from curate.recipe import Answers
from curate.vlm.client import Abilities, Letter, Reply, Sheet

ITEMS = (
    Item(
        id="smile",
        ask="A smile?",
        options=("no", "yes"),
        why="w",
        paraphrases=(Paraphrase(ask="Does one smile?", options=("nobody", "somebody")),),
    ),
    Item(
        id="eyes",
        ask="The eyes?",
        options=("closed", "half", "wide"),
        why="w",
        paraphrases=(Paraphrase(ask="The lids?"),),
    ),
)
QUESTIONS = Questionnaire(name="q", about="Cues.", items=ITEMS)
SEPARATE, JOINT = Answers(), Answers(mode="joint")
SURE = Abilities("server", "before_mask", structured=True)
MUTE = Abilities("server", None, structured=True)


@pytest.mark.parametrize(
    ("answers", "abilities", "told"),
    [
        (Answers(), SURE, "logprobs"),
        (Answers(), MUTE, "stated"),
        (Answers(samples=5), SURE, "logprobs"),
        (Answers(samples=5), MUTE, "samples"),
        (Answers(probabilities="samples", samples=5), SURE, "samples"),
        (Answers(probabilities="stated"), SURE, "stated"),
    ],
)
def test_how_probabilities_are_had(answers: Answers, abilities: Abilities, told: str) -> None:
    assert how_told(answers, abilities) == told


def test_what_the_model_does_not_tell_cannot_be_asked_for() -> None:
    with pytest.raises(ClientError, match="server tells no log-probabilities"):
        how_told(Answers(probabilities="logprobs"), MUTE)


def test_an_order_is_put_back() -> None:
    smile, eyes = questions(QUESTIONS, SEPARATE, "logprobs", Way("order 1", shift=1))
    assert "A) yes\nB) cannot be seen\nC) no" in smile.words
    assert smile.form == Letter(("A", "B", "C"))
    found = smile.answers([Reply("A", "m", option_logprobs=(-0.1, -3.0, -4.0))])["smile"]
    assert found.answer == "yes"
    assert found.probs is not None
    assert found.probs.index(max(found.probs)) == 1
    # The same letter means another option of the item with four.
    assert eyes.answers([Reply("C", "m")])["eyes"].answer == UNSEEN


def test_an_order_that_an_item_has_had_is_not_asked_again() -> None:
    (only,) = questions(QUESTIONS, SEPARATE, "logprobs", Way("order 3", shift=3))
    assert [one.item.id for one in only.listings] == ["eyes"]
    (sheet,) = questions(QUESTIONS, JOINT, "logprobs", Way("order 3", shift=3))
    assert [one.item.id for one in sheet.listings] == ["eyes"]


def test_other_words_mean_the_same_options() -> None:
    smile, _ = questions(QUESTIONS, SEPARATE, "logprobs", Way("wording 1", wording=1))
    assert "Does one smile?\nA) nobody\nB) somebody" in smile.words
    assert smile.answers([Reply("somebody", "m")])["smile"].answer == "yes"


def test_stated_confidence_has_a_form_of_its_own() -> None:
    smile, _ = questions(QUESTIONS, SEPARATE, "stated", BASE)
    assert smile.version == STATED_VERSION
    assert isinstance(smile.form, Sheet)
    found = smile.answers([Reply('{"answer": "A", "confidence": 60}', "m")])["smile"]
    assert (found.answer, found.source) == ("no", "stated")
    assert found.probs == pytest.approx((0.6, 0.2, 0.2))


def test_all_items_in_one_sheet() -> None:
    (sheet,) = questions(QUESTIONS, JOINT, "stated", BASE)
    assert sheet.version == SHEET_VERSION
    text = json.dumps({"smile": "B", "smile_confidence": 70, "eyes": "A", "eyes_confidence": 40})
    found = sheet.answers([Reply(text, "m")])
    assert (found["smile"].answer, found["eyes"].answer) == ("yes", "closed")
    assert found["eyes"].probs == pytest.approx((0.4, 0.2, 0.2, 0.2))


def test_a_draw_counts_as_what_was_drawn() -> None:
    smile, _ = questions(QUESTIONS, Answers(samples=3), "samples", BASE)
    # All draws are from the same log-probabilities, by which "B" is the likeliest.
    drawn = [Reply(letter, "m", option_logprobs=(-2.0, -0.3, -2.0)) for letter in "AAB"]
    # (n + 1/3) / (3 + 1)
    assert smile.answers(drawn)["smile"].probs == pytest.approx((7 / 12, 4 / 12, 1 / 12))


def test_draws_become_shares() -> None:
    smile, _ = questions(QUESTIONS, Answers(samples=3), "samples", BASE)
    found = smile.answers([Reply(text, "m") for text in ("A", "B", "what?")])["smile"]
    # (n + 1/3) / (2 + 1), of the two draws that named an option.
    assert found.probs == pytest.approx((4 / 9, 4 / 9, 1 / 9))
    assert found.source == "samples"
    refused = smile.answers([Reply("I cannot help with that", "m")] * 3)["smile"]
    assert refused == Answer("refusal")
