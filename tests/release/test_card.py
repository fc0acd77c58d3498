from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from huggingface_hub import DatasetCard
from hypothesis import given
from hypothesis import strategies as st

from curate.release.card import render_card
from curate.release.markdown import escape


@pytest.fixture
def card(release: Path) -> str:
    return (release / "README.md").read_text(encoding="utf-8")


def test_the_hub_reads_the_front_matter(card: str) -> None:
    data = DatasetCard(card, ignore_metadata_errors=False).data.to_dict()
    assert data["license"] == "cc-by-4.0"
    assert data["pretty_name"] == "Drawn faces"
    assert data["task_categories"] == ["video-classification", "image-classification"]
    assert data["size_categories"] == ["n<1K"]
    assert data["configs"][0]["config_name"] == "default"
    assert {"split": "train", "path": "data/train-*.parquet"} in data["configs"][0]["data_files"]


def test_the_notice_comes_before_the_numbers(card: str) -> None:
    assert card.index("trained on drawings") < card.index("24 clips")


def test_it_shows_measured_numbers_with_intervals(card: str, synthetic: ModuleType) -> None:
    given = synthetic.make().content.metrics["truth"]["accuracy_given"]
    shown = f"{given['value']:.2f} (95 % interval {given['low']:.2f} to {given['high']:.2f}, n = 20)"
    assert f"| Given labels that are right | {shown} |" in card


def test_it_says_so_when_nothing_was_checked(synthetic: ModuleType, release: Path) -> None:
    card = render_card(synthetic.make(with_truth=False).content, release, "1.0.0", None)
    assert "| Refined labels that are right | unknown: no gold labels |" in card
    assert "nothing here is certified" in card


def test_methods_are_cited_and_not_claimed(card: str) -> None:
    assert all(paper in card for paper in ("2511.14749", "2602.08057", "2604.15280"))
    assert "our own reconstruction; no table of those papers is reproduced" in card


def test_every_field_and_question_is_told(card: str, synthetic: ModuleType) -> None:
    assert all(
        f"| `{name}` |" in card for name in ("clip_id", "video", "image", "soft_label", "q_<item>", "gaze")
    )
    assert escape(synthetic.MODEL) in card


def test_text_from_data_stays_text(synthetic: ModuleType, release: Path) -> None:
    evil = "a | b\n# Heading <script>x</script> [l](http://e.example) `code`"
    content = synthetic.make().content
    metrics = content.metrics | {"classes": [evil], "counts": dict(content.metrics["counts"])}
    metrics["counts"]["per_class"] = {evil: content.metrics["counts"]["per_class"]["bored"]}
    recipe = synthetic.recipe(
        name="x", report={"notice": evil}, release={"title": "a: [b\n---\nc", "licence": None}
    )
    card = render_card(replace(content, metrics=metrics, recipe=recipe), release, "1.0.0", None)
    assert "<script" not in card
    assert "\n# Heading" not in card
    assert DatasetCard(card).data.to_dict()["pretty_name"] == "a: [b\n---\nc"
    assert "license" not in DatasetCard(card).data.to_dict()
    assert "None was stated: ask the owner" in card


def test_answers_about_other_pictures_are_the_first_thing_said(synthetic: ModuleType, release: Path) -> None:
    warned = render_card(synthetic.make(server="blind").content, release, "1.0.0", None)
    assert warned.index("The answers are not about the pictures that were sent") < warned.index(
        "trained on drawings"
    )
    assert "> **Warning.**" in warned
    assert "> **Warning.**" not in render_card(synthetic.make().content, release, "1.0.0", None)


def test_it_says_how_it_was_asked_and_what_it_cost(card: str) -> None:
    for told in (
        "- Each question was put in a call of its own",
        "| `posture` |",
        "| never, 70 % |",
        "60 % of the prompt tokens were in the prefix cache.",
        "At the recipe's price this is US\\$ ",
        "| Conclusions of the model | clips |",
        "### Conclusions and refined labels, class by class",
        "| likeliest without pictures | changed with pictures out of order | same in other words |",
    ):
        assert told in card, told
    assert "same in another order" not in card, "it was not asked in another order"


def test_what_cannot_be_used_is_counted_where_there_is_any(
    synthetic: ModuleType, release: Path, card: str
) -> None:
    content = synthetic.make().content
    answers = content.metrics["answers"] | {"refusal": 3, "share_refusal": 3 / 72}
    refused = render_card(
        replace(content, metrics=content.metrics | {"answers": answers}), release, "1.0.0", None
    )
    assert "| Questions that the model refused | 4 % (3 of 72) |" in refused
    assert not any(told in card for told in ("model refused", "could not be read |", "without a reply |"))


@given(st.text())
def test_escaped_text_is_one_line_without_live_markup(text: str) -> None:
    lines = escape(text).splitlines()
    assert len(lines) <= 1
    bare = "".join(lines).replace("\\\\", "")
    assert not set(bare) & set("<>")
    assert not any(bare[i] in "|`[]" and bare[i - 1] != "\\" for i in range(len(bare)))


def test_no_bare_address_becomes_a_link() -> None:
    assert escape("see www.evil.example or a@b.example") == "see www\\.evil.example or a\\@b.example"
