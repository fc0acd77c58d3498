from types import ModuleType
from typing import Any

import pytest

from curate.recipe import Answers
from curate.release.asking_words import how_asked, media_sentence, trusted, words
from curate.release.outcome_words import collapsed, cost_in_short, cost_lines, reasoned, unusable


@pytest.fixture
def asking(synthetic: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = synthetic.make().content.metrics["asking"]
    return found


def test_how_probabilities_were_had(asking: dict[str, Any]) -> None:
    told = how_asked(asking, Answers(mode="joint", transcript=True))
    assert told[0].startswith("All questions about a clip were put in one call")
    assert (
        "Probabilities of 72 answers are the model's own for the options' letters as its next word, among "
        "the letters alone (after_mask): how much" in told[1]
    )
    assert any("12 of 18 gaps have one (6 declined)" in line for line in told)
    assert any("5 clips in 1 other wording; 5 clips once more in the same words" in line for line in told)


def test_transcripts_are_counted_and_not_claimed(asking: dict[str, Any]) -> None:
    assert not any("What is said" in line for line in how_asked(asking, Answers(transcript=True)))
    none = how_asked(asking | {"transcripts": {"clips": 12, "with": 0}}, Answers(transcript=True))
    assert "What is said in a clip stood in its prompts, as quoted data: of 0 of 12 clips." in none


@pytest.mark.parametrize(
    ("source", "mask", "told"),
    [
        ("logprobs", "before_mask", "as its next word, among all words (before_mask)"),
        ("samples", None, "shares of answers that were drawn several times"),
        ("stated", None, "what the model said of itself in words"),
        ("text", None, "not known: one option was named"),
    ],
)
def test_every_source_is_called_what_it_is(
    asking: dict[str, Any], source: str, mask: str | None, told: str
) -> None:
    one = asking | {"sources": [{"source": source, "mask": mask, "n": 3}]}
    assert told in how_asked(one, Answers())[1]


def test_what_controls_and_variants_say(asking: dict[str, Any]) -> None:
    told = trusted(asking)
    assert told[0] == (
        "The answers are about the pictures that were sent: 30 of 30 answers with another clip's pictures "
        "followed the pictures."
    )
    assert told[1] == (
        "Without any picture (10 clips), where “cannot be seen” is the answer, the model leans to it in 2 "
        "of 3 questions and guesses from the words alone in 1: posture “never”, 70 %."
    )
    assert told[2].startswith("With the pictures out of order, 0 of 30 answers changed: nothing shows")
    assert any(line.startswith("Asked in other words, ") and "posture" in line for line in told)
    assert told[-1] == "Asked again in the same words, 100 % of 15 answers stay the same."


def test_an_order_that_matters_is_said_to(asking: dict[str, Any]) -> None:
    for item in asking["items"]:
        item["controls"]["shuffled"] |= {"changed": 0.6, "changed_low": 0.26, "total_variation": 0.4}
    assert (
        "With the pictures out of order, 18 of 30 answers changed: the order of the pictures"
        in trusted(asking)[2]
    )


def test_changed_answers_say_nothing_where_nothing_was_asked_again(asking: dict[str, Any]) -> None:
    for item in asking["items"]:
        item["controls"]["shuffled"] |= {"noise": None}
    assert "0 of 30 answers changed: nothing shows that their order" in trusted(asking)[2]
    for item in asking["items"]:
        item["controls"]["shuffled"] |= {"changed": 0.6, "changed_low": 0.26, "total_variation": 0.4}
    assert trusted(asking)[2] == (
        "With the pictures out of order, 18 of 30 answers changed; how many change by themselves was not "
        "measured, for nothing was asked again in the same words."
    )


def test_one_answer_for_many_clips_is_said_to_be_one(asking: dict[str, Any]) -> None:
    asking["controls"]["no_media"]["most_replies"] = 1
    opening = "Without any picture (one answer a question for all 10 clips, whose words are the same), where"
    assert trusted(asking)[1].startswith(opening)


def test_every_verdict_has_its_sentence() -> None:
    said = {
        verdict: media_sentence({"verdict": verdict, "reason": "so it is"})
        for verdict in ("sound", "wrong_media", "cannot_tell", "not_asked")
    }
    assert len(set(said.values())) == 4
    assert said["wrong_media"].startswith("The answers are not about the pictures that were sent: so it is.")


def test_reasons_by_outcome(asking: dict[str, Any]) -> None:
    first, second, third = reasoned(asking["reasons"])
    assert "1 were confirmed, 1 revised, 1 left open, 1 contradicted themselves." in first
    assert second.startswith("Of 8 times that the reasons cite, 50 % are times at which a picture was sent")
    assert third.startswith("Shown nothing at all, the model gives 60 % of its scores to")
    assert third.endswith("an even share would be 33 %.")
    assert reasoned(None) == []


def test_a_sink_is_named_with_what_was_expected() -> None:
    row = {"label": "neutral", "share": 0.8, "expected": 0.3, "sink": True}
    found = {"n": 50, "reference": "votes", "classes": [row]}
    assert collapsed(found, "conclusions") == (
        "Of 50 conclusions, 80 % are “neutral”, where people's votes on these clips would have 30 %: more "
        "than chance allows, a sink."
    )
    even = found | {"classes": [row | {"sink": False}]}
    assert "no class takes more than people's votes on these clips and chance allow" in collapsed(
        even, "labels"
    )


def test_cost_in_lines_and_in_short(asking: dict[str, Any]) -> None:
    cost = asking["cost"] | {
        "calls": 2000,
        "tokens_in": 200_000,
        "tokens_out": 4000,
        "usd": 2.5,
        "usd_calls": 2000,
    }
    assert cost_in_short(cost) == (
        "2,000 calls, 200,000 prompt tokens (60 % cached), 4,000 reply tokens, US$ 2.50"
    )
    assert cost_lines(cost, 100)[-1] == "At the recipe's price this is US$ 2.50, US$ 0.025 a clip."
    assert cost_lines(cost | {"usd_calls": 1}, 100)[-1].endswith(", for 1 call.")
    silent = cost | {"tokens_in": None, "cached": {"value": None, "n": 0}, "prefix": None, "usd": None}
    assert cost_lines(silent, 100) == [
        "2,000 calls: an unknown number of prompt tokens, pictures included, and 4,000 reply tokens."
    ]


def test_the_servers_own_count_is_told_where_it_says_something_else(asking: dict[str, Any]) -> None:
    lines = cost_lines(asking["cost"], 24)
    assert lines[1] == "60 % of the prompt tokens were in the prefix cache."
    assert lines[2].startswith("By its own count the server found 70 % of 1,000 tokens in its prefix cache")
    same = cost_lines(asking["cost"] | {"prefix": asking["cost"]["cached"]}, 24)
    assert not any("By its own count" in line for line in same)


def test_answers_that_cannot_be_used_are_told_from_a_fifth_on() -> None:
    many = {"asked": 320, "refusal": 0, "unparsable": 320, "failed": 0}
    assert unusable(many) == "320 of 320 questions have no answer that can be used (320 unparsable)"
    fifth = {"asked": 10, "refusal": 1, "unparsable": 0, "failed": 1}
    assert unusable(fifth) == (
        "2 of 10 questions have no answer that can be used (1 refused, 1 without a reply)"
    )
    assert unusable(fifth | {"failed": 0}) is None
    assert unusable({"asked": 0, "refusal": 0, "unparsable": 0, "failed": 0}) is None


def test_a_heading_names_what_there_is(synthetic: ModuleType) -> None:
    content = synthetic.make().content
    asking = content.metrics["asking"]
    headings = [
        words(content.metrics | {"asking": asking | changes}, content.recipe.answers)["class_heading"]
        for changes in (
            {},
            {"reasons": None, "collapse": asking["collapse"] | {"concluded": None}},
            {"collapse": asking["collapse"] | {"refined": None}},
        )
    ]
    assert headings == [
        "Conclusions and refined labels, class by class",
        "Refined labels, class by class",
        "Conclusions, class by class",
    ]


def test_a_template_gets_rows_for_every_item(synthetic: ModuleType) -> None:
    content = synthetic.make().content
    found = words(content.metrics, content.recipe.answers)
    assert [row["id"] for row in found["steadiness"]] == list(synthetic.ITEMS)
    assert found["steadiness"][1]["no_media"] == "never, 70 %"
    assert list(found["columns"]) == ["canary", "no_media", "shuffled", "wording", "repeat"], "what was asked"
    assert not found["is_wrong_media"]
