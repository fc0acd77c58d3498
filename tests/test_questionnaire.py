from pathlib import Path

import pytest

from curate.errors import QuestionnaireError
from curate.questionnaire import UNSEEN, Item, Questionnaire, load_questionnaire, question_text
from curate.starters.write import STARTS

ITEM = Item(id="gaze", ask="Where do the eyes look?", options=("down", "ahead"), why="Attention.")


def questionnaire(**changes: object) -> Questionnaire:
    return Questionnaire.model_validate({"name": "cues", "about": "Cues.", "items": [ITEM], **changes})


def test_the_words_that_are_sent() -> None:
    assert question_text(questionnaire(preamble="Four pictures."), ITEM) == (
        "Four pictures.\nQuestion: Where do the eyes look?\n"
        "A) down\nB) ahead\nC) cannot be seen\nAnswer with one letter."
    )


def test_cannot_be_seen_is_always_an_option_and_never_twice() -> None:
    assert ITEM.all_options[-1] == UNSEEN
    assert ITEM.letters == ("A", "B", "C")
    with pytest.raises(ValueError, match="appear twice"):
        Item(id="gaze", ask="?", options=("down", "Cannot be seen"), why="w")


def test_the_digest_follows_the_words_and_nothing_else() -> None:
    first = questionnaire()
    assert questionnaire(about="Other.").digest == first.digest
    assert questionnaire(preamble="Look.").digest != first.digest


def test_a_nominal_item_has_no_direction() -> None:
    with pytest.raises(ValueError, match="no direction"):
        Item(id="a", ask="?", options=("x", "y"), why="w", scale="nominal", reverse=True)


def test_problems_of_a_file_come_all_at_once(tmp_path: Path) -> None:
    path = tmp_path / "q.yaml"
    path.write_text("name: a\nitems:\n  - {id: A, asc: x, options: [only], why: w}\n", encoding="utf-8")
    with pytest.raises(QuestionnaireError) as caught:
        load_questionnaire(path)
    assert [problem.where for problem in caught.value.problems] == [
        "about",
        "items.0.id",
        "items.0.ask",
        "items.0.options",
        "items.0.asc",
    ]
    assert "Did you mean ask?" in str(caught.value)


@pytest.mark.parametrize("domain", sorted(STARTS))
def test_shipped_questionnaires_are_fit_for_use(domain: str) -> None:
    folder = Path(__file__).parents[1] / "curate" / "starters"
    shipped = load_questionnaire(folder / f"{domain.replace('-', '_')}.yaml")
    assert 8 <= len(shipped.items) <= 14
    assert any(item.reverse for item in shipped.items), "some items are reverse-coded"
    assert sum(item.scale == "ordinal" for item in shipped.items) > len(shipped.items) / 2
    assert all(item.why.endswith(".") for item in shipped.items)
