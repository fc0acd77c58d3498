import itertools
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.answers.reading.parse import Answer, parse, parse_sheet
from curate.questionnaire import UNSEEN, Item
from curate.vlm.client import Reply

ITEM = Item(id="gaze", ask="How often?", options=("never", "some of the time", "always"), why="w")
WIDE = Item(id="wide", ask="Which?", options=tuple(f"kind {i}" for i in range(9)), why="w")  # letters A to J


def read(text: str, item: Item = ITEM, **parts: object) -> Answer:
    return parse(replace(Reply(text, "m@1"), **parts), item)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "B",
        "b",
        "B.",
        "b.",
        "B)",
        "(B)",
        " B\n",
        "**B**",
        "`B`",
        "[B]",
        "b) some of the time",
        "B) some of the time",
        "B: some of the time.",
        "B some of the time",
        "Answer: B",
        "answer: b",
        "The answer is B.",
        "The answer is (B), some of the time",
        "Option B",
        "some of the time",
        "Some of the time.",
        "Answer: some of the time",
        "some of the time, as the eyes move",
        '{"answer": "B"}',
        '{"answer": "some of the time", "confidence": "high"}',
        '{"answer": "B", "confidence": 400}',
        '{"answer": "B", "confidence": true}',
        '```json\n{"answer": "B"}\n```',
        "A person looks around: B",
        "I see it. B",
        "B because the eyes move",
        "The eyes do not move much (B)",
        "It is not clear, but B",
        "I do not see it often. B",
        "B, as it is not always so",
    ],
)
def test_ways_to_say_b(text: str) -> None:
    assert read(text) == Answer("answered", "some of the time", (0, 1, 0, 0), "text")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "A or B",
        "A) never, or B) some of the time",
        "B) never",
        "Z",
        "E",
        "A person looks around",
        "Answer: A person looks around",
        "not always",
        "never, or always",
        '{"answer": 3}',
        "{",
        '{"a":' * 300,
        "12",
        "ab",
    ],
)
def test_what_means_no_single_option(text: str) -> None:
    assert read(text) == Answer("unparsable")


@pytest.mark.parametrize(
    "text",
    [
        "Not A",
        "not (B)",
        "NOT B.",
        "**Not** **B**",
        "The answer is not B",
        "The answer is not (B).",
        "The answer is definitely not B.",
        "Definitely not B.",
        "It isn't B",
        "It isn\u2019t option B",
        "The answer cannot be B.",
        "It is never B",
        "Anything rather than B",
        "Something other than B",
        "I don't think it is B",
        "I would not say that the answer is B",
        "Not option B",
        "Not the answer B",
        "Neither A nor B",
        "Not A or B",
        "B is not the answer.",
        "B isn't right",
        "(B) cannot be right",
        "B can't be the answer",
        "B is not.",
        "B is wrong",
        "not some of the time",
        "The answer is not some of the time",
        "Never some of the time",
        "rather than some of the time",
        '{"answer": "not B"}',
        '{"answer": "isn\\u2019t B"}',
    ],
)
def test_what_is_denied_is_not_chosen(text: str) -> None:
    assert read(text) == Answer("unparsable")


def test_an_option_that_sounds_like_a_denial_is_none() -> None:
    really = Item(id="really", ask="Is it?", options=("not really", "never", "not turned"), why="w")
    assert read("Not really (A)", really).answer == "not really"
    assert read("never (B)", really).answer == "never"
    assert read("Never: B", really).answer == "never"
    assert read("not turned (C)", really).answer == "not turned"
    assert read("never A", really) == Answer("unparsable")


@pytest.mark.parametrize(
    "text",
    [
        "I cannot identify people in pictures.",
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, but I can\u2019t help with that.",
        "As an AI model, there is no way to tell.",
        "Sorry, but no.",
        "I am unable to say who this is.",
    ],
)
def test_refusals(text: str) -> None:
    assert read(text, WIDE) == Answer("refusal")


def test_a_filtered_reply_is_a_refusal() -> None:
    assert read("B", finish_reason="content_filter") == Answer("refusal")


def test_an_answer_after_an_excuse_is_an_answer() -> None:
    assert read("I'm sorry, the light is poor. Answer: C").answer == "always"


@pytest.mark.parametrize("text", ["D", "cannot be seen", "D) cannot be seen", "It is D."])
def test_what_cannot_be_seen(text: str) -> None:
    assert read(text) == Answer("unseen", UNSEEN, (0, 0, 0, 1), "text")


def test_probabilities_are_of_the_letters_alone() -> None:
    logprobs = (math.log(0.1), math.log(0.3), -math.inf, math.log(0.1))
    answer = read("nothing of use", option_logprobs=logprobs)
    # 0.1, 0.3, 0 and 0.1 of 0.5.
    assert answer.probs == pytest.approx((0.2, 0.6, 0, 0.2))
    assert (answer.outcome, answer.answer, answer.source) == ("answered", "some of the time", "logprobs")


def test_letters_that_hold_too_little_leave_it_to_the_text() -> None:
    logprobs = (math.log(0.03), -math.inf, -math.inf, math.log(0.01))  # 0.04 in all, less than 0.05
    assert read("The answer is C", option_logprobs=logprobs).answer == "always"


def test_a_letter_that_was_forced_is_no_answer() -> None:
    logprobs = (math.log(0.02), math.log(0.01), -math.inf, -math.inf)
    assert read("A", option_logprobs=logprobs) == Answer("unparsable")


def test_most_probably_unseen_keeps_its_probabilities() -> None:
    logprobs = (math.log(0.25), -math.inf, -math.inf, math.log(0.75))
    answer = read("D", option_logprobs=logprobs)
    assert (answer.outcome, answer.answer) == ("unseen", UNSEEN)
    assert answer.probs == pytest.approx((0.25, 0, 0, 0.75))


@pytest.mark.parametrize("logprobs", [(0.0,), (math.nan,) * 4, (-math.inf,) * 4, ()])
def test_log_probabilities_that_make_no_sense_are_not_used(logprobs: tuple[float, ...]) -> None:
    assert read("C", option_logprobs=logprobs).source == "text"


logprobs_of_four = st.tuples(*[st.floats(max_value=0) | st.just(-math.inf)] * 4)
texts = st.text() | st.text(alphabet="ABCD()*.: {}\"'answer\n")


@given(texts, st.sampled_from([ITEM, WIDE]), st.none() | st.tuples(*[st.floats()] * 4))
def test_it_never_raises_and_is_always_whole(
    text: str, item: Item, logprobs: tuple[float, ...] | None
) -> None:
    answer = read(text, item, option_logprobs=logprobs)
    has_answer = answer.outcome in ("answered", "unseen")
    assert [part is not None for part in (answer.answer, answer.probs, answer.source)] == [has_answer] * 3
    if answer.probs is not None:
        assert math.fsum(answer.probs) == pytest.approx(1, abs=1e-9)
        assert min(answer.probs) >= 0
        assert answer.probs[item.all_options.index(answer.answer or "")] == max(answer.probs)


@given(logprobs_of_four, st.permutations(range(4)))
def test_permuted_log_probabilities_give_permuted_probabilities(
    logprobs: tuple[float, ...], order: list[int]
) -> None:
    straight = read("", option_logprobs=logprobs).probs
    permuted = read("", option_logprobs=tuple(logprobs[k] for k in order)).probs
    if straight is None:
        assert permuted is None
    else:
        assert permuted == pytest.approx(tuple(straight[k] for k in order))


@given(
    st.integers(0, 3),
    st.sampled_from(["{l}", "{l})", "({l})", "{l}) {o}", "{o}", "Answer: {l}", "{l}. {o}."]),
)
def test_what_is_rendered_is_read_back(place: int, form: str) -> None:
    option = ITEM.all_options[place]
    text = form.format(l=ITEM.letters[place], o=option)
    assert read(text).answer == option
    assert read(json.dumps({"answer": text})).answer == option


def test_words_of_different_options_are_told_apart() -> None:
    item = Item(id="eyes", ask="How open?", options=("open", "half open", "wide open"), why="w")
    for option, mark in itertools.product(item.all_options, ["", ".", "!"]):
        assert read(option.upper() + mark, item).answer == option


@pytest.mark.parametrize(
    ("confidence", "sure"),
    [
        ("85", 0.85),
        ("0.85", 0.85),  # asked for from 0 to 100, and told from 0 to 1
        ("1.0", 1.0),
        ("100", 1.0),
        ("1", 0.25),  # one of a hundred: the chosen option is never below the others
        ("0", 0.25),
    ],
)
def test_confidence_in_words(confidence: str, sure: float) -> None:
    found = read(f'{{"answer": "B", "confidence": {confidence}}}')
    assert (found.outcome, found.answer, found.source) == ("answered", "some of the time", "stated")
    assert found.probs == pytest.approx(((1 - sure) / 3, sure, (1 - sure) / 3, (1 - sure) / 3), abs=2e-6)


def test_a_sheet_is_read_key_by_key() -> None:
    listed = {"gaze": ITEM, "wide": WIDE, "lost": ITEM, "odd": ITEM}
    text = json.dumps({"gaze": "B", "wide": "C", "wide_confidence": 55, "odd": ["A"], "other": "A"})
    told = {"gaze": tuple(map(math.log, (0.1, 0.6, 0.2, 0.1))), "lost": (0.0, -9.0, -9.0, -9.0)}
    reply = Reply(text, "m@1", field_logprobs=told, logprobs_kind="after_mask")
    found = parse_sheet(reply, listed)
    assert (found["gaze"].answer, found["gaze"].source) == ("some of the time", "logprobs")
    assert found["gaze"].probs == pytest.approx((0.1, 0.6, 0.2, 0.1))
    assert found["gaze"].mask == "after_mask"
    assert (found["wide"].answer, found["wide"].source) == ("kind 2", "stated")
    assert found["wide"].probs == pytest.approx((*[0.05] * 2, 0.55, *[0.05] * 7))
    # A key that the reply does not hold was not answered, whatever probabilities are told of it.
    assert found["lost"] == Answer("unparsable")
    assert found["odd"] == Answer("unparsable")


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("I cannot help with identifying people.", "refusal"),
        ("", "unparsable"),
        ("[]", "unparsable"),
        ('{"gaze": "B"', "unparsable"),
        ('{"gaze":' * 5000, "unparsable"),
    ],
)
def test_a_reply_that_is_no_sheet(text: str, outcome: str) -> None:
    assert parse_sheet(Reply(text, "m@1"), {"gaze": ITEM}) == {"gaze": Answer(outcome)}


@given(st.text(), st.dictionaries(st.text(), st.floats() | st.text() | st.none()))
def test_a_sheet_never_raises(text: str, content: dict[str, object]) -> None:
    for said in (text, json.dumps(content)):
        assert set(parse_sheet(Reply(said, "m@1"), {"gaze": ITEM})) == {"gaze"}
