import hashlib
from itertools import permutations
from pathlib import Path

import pytest

from curate.errors import QuestionnaireError
from curate.questionnaire import UNSEEN, Item, Questionnaire, load_questionnaire, question_text
from curate.starters.write import STARTS

ITEM = Item(id="gaze", ask="Where do the eyes look?", options=("down", "ahead"), why="Attention.")


ROOT = Path(__file__).parents[1]
SHIPPED = [
    *(ROOT / "curate" / "starters").glob("*.yaml"),
    ROOT / "curate" / "demo" / "questionnaire.yaml",
    *(ROOT / "examples").rglob("questionnaire.yaml"),
]


# sha256 of the texts that the model which ships was taught with: each item as written and in two paraphrases.
TAUGHT = "e421b4c337c0958015dbb9c984a8c2a0e5ea8d9b2da8828f4e56ce9eda67d8d3"


def paraphrased(*paraphrases: dict[str, object]) -> Item:
    return Item.model_validate({**ITEM.model_dump(), "paraphrases": paraphrases})


def questionnaire(**changes: object) -> Questionnaire:
    return Questionnaire.model_validate({"name": "cues", "about": "Cues.", "items": [ITEM], **changes})


def test_the_words_that_are_sent() -> None:
    assert question_text(questionnaire(preamble="Four pictures."), ITEM) == (
        "Four pictures.\nQuestion: Where do the eyes look?\n"
        "A) down\nB) ahead\nC) cannot be seen\nAnswer with one letter."
    )


def test_the_same_words_in_another_order_and_wording() -> None:
    item = paraphrased(
        {"ask": "Where is the gaze?", "options": ["lowered", "straight"]}, {"ask": "Look where?"}
    )
    assert question_text(questionnaire(), item) == question_text(questionnaire(), ITEM)
    assert question_text(questionnaire(), item, wording=1, order=(2, 0, 1)) == (
        "Question: Where is the gaze?\nA) cannot be seen\nB) lowered\nC) straight\nAnswer with one letter."
    )
    assert item.worded(0) is item
    assert item.worded(2).all_options == ITEM.all_options, "options not given are the item's"
    assert item.worded(1).letters == item.letters
    assert item.n_wordings == 3


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_each_place_shows_the_option_that_the_order_names(order: tuple[int, ...]) -> None:
    lines = question_text(questionnaire(), ITEM, order=order).split("\n")[1:-1]
    assert lines == [f"{letter}) {ITEM.all_options[k]}" for letter, k in zip("ABC", order, strict=True)]


@pytest.mark.parametrize("order", [(), (0, 1), (0, 1, 1), (1, 2, 3), (0, 1, 2, 3)])
def test_an_order_names_each_option_once(order: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"of item gaze must name each of \[0, 1, 2\] once"):
        ITEM.shown(order)


@pytest.mark.parametrize("n", [-1, 1])
def test_only_wordings_that_are_there(n: int) -> None:
    with pytest.raises(ValueError, match=f"item gaze has 0 paraphrases, no number {n}"):
        ITEM.worded(n)


@pytest.mark.parametrize(
    ("paraphrase", "told"),
    [
        ({"ask": "Look?", "options": ["down", "ahead", "up"]}, "paraphrase 1 has 3 options, its item 2"),
        ({"ask": "Look?", "options": ["down", "Cannot be seen"]}, "appear twice"),
        ({"ask": ITEM.ask}, "paraphrase 1 repeats words that are there already"),
        ({"ask": "Look?", "option": ["down", "up"]}, "Extra inputs are not permitted"),
    ],
)
def test_a_paraphrase_asks_the_same(paraphrase: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        paraphrased(paraphrase)


def test_cannot_be_seen_is_always_an_option_and_never_twice() -> None:
    assert ITEM.all_options[-1] == UNSEEN
    assert ITEM.letters == ("A", "B", "C")
    with pytest.raises(ValueError, match="appear twice"):
        Item(id="gaze", ask="?", options=("down", "Cannot be seen"), why="w")


def test_the_digest_follows_the_words_and_nothing_else() -> None:
    first = questionnaire()
    assert questionnaire(about="Other.").digest == first.digest
    assert questionnaire(preamble="Look.").digest != first.digest
    reworded = questionnaire(items=[paraphrased({"ask": "Look where?"})])
    assert reworded.digest != first.digest
    assert questionnaire(items=[paraphrased({"ask": "Look?"})]).digest != reworded.digest
    # An item's name is read too, where all items are asked at once.
    assert questionnaire(items=[ITEM.model_copy(update={"id": "eyes"})]).digest != first.digest


def test_an_item_is_not_named_as_another_items_confidence() -> None:
    other = ITEM.model_copy(update={"id": "gaze_confidence"})
    with pytest.raises(ValueError, match="gaze_confidence is where the confidence in gaze is told"):
        questionnaire(items=[ITEM, other])


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


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_shipped_item_can_be_put_in_other_words(path: Path) -> None:
    shipped = load_questionnaire(path)
    assert min(item.n_wordings for item in shipped.items) >= 4, (
        "three paraphrases beside the words as written"
    )
    for item in shipped.items:
        asks = [item.worded(n).ask for n in range(item.n_wordings)]
        assert len(set(asks)) == len(asks)
        assert all(ask.endswith("?") for ask in asks)


def test_the_demos_words_are_those_its_model_was_taught() -> None:
    demo = load_questionnaire(ROOT / "curate" / "demo" / "questionnaire.yaml")
    texts = [question_text(demo, item, wording=n) for n in range(3) for item in demo.items]
    assert hashlib.sha256("\0".join(texts).encode()).hexdigest() == TAUGHT
