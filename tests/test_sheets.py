"""Questions that are answered as JSON: the words, and the schema that says the same."""

import json

import pytest

from curate.questionnaire import Item, Questionnaire
from curate.sheets import SheetForm, sheet_form, sheet_text, stated_form, stated_text

GAZE = Item.model_validate(
    {
        "id": "gaze",
        "ask": "Where do the eyes look?",
        "options": ["down", "ahead"],
        "why": "Attention.",
        "paraphrases": [{"ask": "Where is the gaze?", "options": ["lowered", "straight"]}],
    }
)
YAWN = Item.model_validate(
    {
        "id": "a_yawn",
        "ask": "Is there a yawn?",
        "options": ["none", "one", "more"],
        "why": "Fatigue.",
        "paraphrases": [{"ask": "Does the person yawn?"}],
    }
)
CUES = Questionnaire(name="cues", about="Cues.", preamble="Four pictures.", items=(GAZE, YAWN))


def test_all_items_in_one_prompt() -> None:
    assert sheet_text(CUES) == (
        "Four pictures.\n"
        "Question gaze: Where do the eyes look?\nA) down\nB) ahead\nC) cannot be seen\n"
        "Question a_yawn: Is there a yawn?\nA) none\nB) one\nC) more\nD) cannot be seen\n"
        "Answer with one JSON object that holds one letter under each of these keys: gaze, a_yawn."
    )


def test_all_items_in_other_words_and_order_with_confidence() -> None:
    text = sheet_text(CUES, wording=1, orders={"gaze": (2, 0, 1)}, stated=True)
    assert text == (
        "Four pictures.\n"
        "Question gaze: Where is the gaze?\nA) cannot be seen\nB) lowered\nC) straight\n"
        "Question a_yawn: Does the person yawn?\nA) none\nB) one\nC) more\nD) cannot be seen\n"
        "Answer with one JSON object that holds one letter under each of these keys: gaze, a_yawn.\n"
        'After each letter say, under its key with "_confidence" added, how sure you are that it is right, '
        "a whole number from 0 (a guess) to 100 (certain)."
    )


def test_one_item_with_confidence() -> None:
    assert stated_text(CUES, GAZE, wording=1, order=(1, 0, 2)) == (
        "Four pictures.\nQuestion: Where is the gaze?\nA) straight\nB) lowered\nC) cannot be seen\n"
        'Answer with one JSON object: under "answer" one letter, under "confidence" how sure you are '
        "that it is right, a whole number from 0 (a guess) to 100 (certain)."
    )


def test_a_sheet_holds_a_letter_an_item_and_nothing_else() -> None:
    form = sheet_form(CUES)
    assert json.loads(form.schema) == {
        "type": "object",
        "properties": {
            "gaze": {"type": "string", "enum": ["A", "B", "C"]},
            "a_yawn": {"type": "string", "enum": ["A", "B", "C", "D"]},
        },
        "required": ["gaze", "a_yawn"],
        "additionalProperties": False,
    }
    assert form.letters == (("gaze", ("A", "B", "C")), ("a_yawn", ("A", "B", "C", "D")))


def test_a_confidence_follows_each_letter() -> None:
    form = sheet_form(CUES, stated=True)
    schema = json.loads(form.schema)
    # Models fill keys in as the schema lists them: in the order of the questions, not of the alphabet.
    asked = ["gaze", "gaze_confidence", "a_yawn", "a_yawn_confidence"]
    assert list(schema["properties"]) == schema["required"] == asked
    assert schema["properties"]["gaze_confidence"] == {"type": "integer", "minimum": 0, "maximum": 100}
    assert form.letters == sheet_form(CUES).letters


def test_one_item_is_answered_with_letter_and_confidence() -> None:
    form = stated_form(GAZE)
    assert list(json.loads(form.schema)["properties"]) == ["answer", "confidence"]
    assert form.letters == (("answer", ("A", "B", "C")),)


@pytest.mark.parametrize("form", [sheet_form(CUES), sheet_form(CUES, stated=True), stated_form(YAWN)])
def test_a_schema_has_one_spelling(form: SheetForm) -> None:
    assert form.schema == json.dumps(json.loads(form.schema), separators=(",", ":"))


def test_the_longest_reply() -> None:
    assert stated_form(GAZE).longest == len('{"answer": "A", "confidence": 100}')
    assert sheet_form(CUES).longest == len('{"gaze": "A", "a_yawn": "A"}')
