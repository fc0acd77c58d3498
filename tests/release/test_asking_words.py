from types import ModuleType
from typing import Any

import pytest

from curate.recipe import Answers
from curate.release.asking_words import how_asked, media_sentence, trusted, words
from curate.release.outcome_words import collapsed, cost_in_short, cost_lines, reasoned


@pytest.fixture
def asking(synthetic: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = synthetic.make().content.metrics["asking"]
    return found


def test_how_probabilities_were_had(asking: dict[str, Any]) -> None:
    told = how_asked(asking, Answers(mode="joint", transcript=True))
    assert told[0].startswith("All questions about a clip were put in one call")
    assert (
        "Probabilities of 72 answers are those of the options' letters among the allowed replies only"
        in told[1]
    )
    assert "What is said in a clip stood in its prompts, as quoted data." in told
    assert any("12 of 18 gaps have one (6 declined)" in line for line in told)
    assert any("5 clips in 1 other wording; 5 clips once more in the same words" in line for line in told)


@pytest.mark.parametrize(
    ("source", "mask", "told"),
    [
        ("logprobs", "before_mask", "told before any of it was ruled out"),
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


def test_a_template_gets_rows_for_every_item(synthetic: ModuleType) -> None:
    content = synthetic.make().content
    found = words(content.metrics, content.recipe.answers)
    assert [row["id"] for row in found["steadiness"]] == list(synthetic.ITEMS)
    assert found["steadiness"][1]["no_media"] == "never, 70 %"
    assert found["steadiness"][0]["order"] == "—"
    assert not found["is_wrong_media"]
