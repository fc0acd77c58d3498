import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.answers.reasons.replies import (
    MOST_CHARS,
    Conclusion,
    Reflection,
    Unread,
    cited_times,
    is_shown,
    kept,
    read_conclusion,
    read_observations,
    read_reflection,
)
from curate.vlm.client import Reply

CONCLUDED = {"reasoning": "Up at [0.75 s].", "scores": {"A": 10, "B": 70, "C": 20}, "label": "B"}
REFLECTED = {"reason": "It moves.", "verdict": "confirm", "label": "B"}
TIMES = (0.0, 0.75)


def reply(content: object, finish_reason: str | None = None) -> Reply:
    text = content if isinstance(content, str) else json.dumps(content)
    return Reply(text, "m", finish_reason=finish_reason)


def concluded(**changed: object) -> Conclusion | Unread:
    return read_conclusion(reply(CONCLUDED | changed), 3, TIMES)


def reflected(**changed: object) -> Reflection | Unread:
    return read_reflection(reply(REFLECTED | changed), 3, proposed=1)


def test_a_conclusion_is_read_class_by_class() -> None:
    found = concluded()
    assert isinstance(found, Conclusion)
    assert found == Conclusion((10, 70, 20), 1, "Up at [0.75 s].", n_cited=1, n_cited_shown=1)
    assert found.agrees
    # 10, 70 and 20 of 100
    assert found.probs == pytest.approx((0.1, 0.7, 0.2))


def test_a_label_must_have_the_highest_score_and_may_share_it() -> None:
    tied, lower = concluded(scores={"A": 70, "B": 70, "C": 0}), concluded(label="C")
    assert isinstance(tied, Conclusion)
    assert isinstance(lower, Conclusion)
    assert (tied.agrees, lower.agrees) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{json.dumps(CONCLUDED)}\n```",
        f"Here it is: {json.dumps(CONCLUDED)} Done.",
        json.dumps(CONCLUDED, indent=2),
    ],
)
def test_an_object_may_stand_among_words(text: str) -> None:
    assert read_conclusion(reply(text), 3, TIMES) == concluded()


@pytest.mark.parametrize(
    "changed",
    [
        {"scores": {"A": 10, "B": 70}},
        {"scores": {"A": 10, "B": 70, "C": 20, "D": 0}},
        {"scores": {"A": 10, "B": 170, "C": 20}},
        {"scores": {"A": 10, "B": -1, "C": 20}},
        {"scores": {"A": 10, "B": "70", "C": 20}},
        {"scores": {"A": 10, "B": True, "C": 20}},
        {"scores": {"A": 10, "B": float("nan"), "C": 20}},
        {"scores": {"A": 0, "B": 0, "C": 0}},
        {"scores": [10, 70, 20]},
        {"label": "D"},
        {"label": "busy"},
        {"label": ["B"]},
        {"reasoning": " "},
        {"reasoning": None},
        {"more": 1},
    ],
)
def test_a_conclusion_that_is_not_as_asked_for_is_unparsable(changed: dict[str, object]) -> None:
    assert concluded(**changed) == Unread("unparsable")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (reflected(), Reflection("confirm", None, "It moves.")),
        (reflected(label="none"), Reflection("confirm", None, "It moves.")),
        (reflected(verdict="revise", label="A"), Reflection("revise", 0, "It moves.")),
        (reflected(verdict="abstain", label="none"), Reflection("abstain", None, "It moves.")),
        (reflected(verdict="abstain", label="A"), Reflection("abstain", None, "It moves.")),
    ],
)
def test_a_reflection_that_agrees_with_itself(found: Reflection, expected: Reflection) -> None:
    assert found == expected
    assert found.agrees


@pytest.mark.parametrize(
    "changed",
    [
        {"verdict": "confirm", "label": "A"},
        {"verdict": "revise", "label": "B"},
        {"verdict": "revise", "label": "none"},
    ],
)
def test_a_reflection_that_contradicts_itself(changed: dict[str, object]) -> None:
    found = reflected(**changed)
    assert isinstance(found, Reflection)
    assert not found.agrees


@pytest.mark.parametrize("changed", [{"verdict": "Confirm"}, {"label": "D"}, {"label": None}, {"reason": ""}])
def test_a_reflection_that_is_not_as_asked_for_is_unparsable(changed: dict[str, object]) -> None:
    assert reflected(**changed) == Unread("unparsable")


def test_a_refusal_is_told_from_a_reply_that_cannot_be_read() -> None:
    declined = reply("I'm sorry, but I can't judge people.")
    filtered = reply("", finish_reason="content_filter")
    for refused in (declined, filtered):
        assert read_observations(refused) == Unread("refusal")
        assert read_conclusion(refused, 3, TIMES) == Unread("refusal")
        assert read_reflection(refused, 3, 1) == Unread("refusal")
    assert read_observations(reply(" \n ")) == Unread("unparsable")
    assert read_conclusion(reply(json.dumps(CONCLUDED)[:-5]), 3, TIMES) == Unread("unparsable")


def test_an_observation_of_what_cannot_be_seen_is_no_refusal() -> None:
    text = "0.00 s: I cannot see the hands."
    assert read_observations(reply(text)) == text


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("rises [1.25 s]", (1.25,)),
        ("at 3s and again at 3 s", (3,)),
        ("1.25 s", (1.25,)),
        ("from 0.5 to 1.5 s", (0.5, 1.5)),
        ("0.5-1.5s, then 2 seconds in", (0.5, 1.5, 2)),
        ("0.50 s\u20131.50 s", (0.5, 1.5)),
        ("[0.50, 1.50 s]", (0.5, 1.5)),
        ("[0.75]", (0.75,)),
        ("(0.75 sec)", (0.75,)),
        ("smiles for 2 s", ()),
        ("lasting about 2 s from 1 s", (1,)),
        ("250 ms, 3 smiles, 4 steps, A4s, score 80", ()),
        ("1,25 s", ()),
        ("", ()),
        ("9" * 400 + " s", ()),
    ],
)
def test_cited_times(text: str, times: tuple[float, ...]) -> None:
    assert cited_times(text) == times


@pytest.mark.parametrize(
    ("t_s", "shown"), [(1.25, True), (1.3, True), (1.2, True), (1.31, False), (1.0, False), (0.62, False)]
)
def test_a_cited_time_needs_a_picture_as_near_as_rounding_takes_it(t_s: float, shown: bool) -> None:
    assert is_shown(t_s, (0.0, 1.25)) == shown
    assert not is_shown(t_s, ())


@given(st.floats(0, 1e5), st.integers(1, 2))
def test_a_time_that_is_copied_or_rounded_once_more_is_found_again(t_s: float, digits: int) -> None:
    (cited,) = cited_times(f"[{float(f'{t_s:.2f}'):.{digits}f} s]")
    assert is_shown(cited, (t_s,))


def test_times_without_a_picture_are_counted_apart() -> None:
    found = concluded(reasoning="Down at [0.00 s], up at 0.8 s, and [1.25 s] again, [1.25 s].")
    assert isinstance(found, Conclusion)
    assert (found.n_cited, found.n_cited_shown) == (3, 2)


@given(st.text(st.characters()), st.sampled_from([None, "stop", "length", "content_filter"]))
def test_whatever_is_replied_nothing_is_raised(text: str, finish_reason: str | None) -> None:
    for said in (text, json.dumps(text), json.dumps(CONCLUDED | {"reasoning": text}), "{" * 5000 + text):
        found = reply(said, finish_reason)
        assert read_observations(found)
        assert read_conclusion(found, 3, TIMES)
        assert read_reflection(found, 3, 1)


@given(st.text(st.characters()), st.integers(1, 3))
def test_words_are_kept_line_by_line_fit_to_be_shown(text: str, times: int) -> None:
    words = kept(text * times * 20)
    assert len(words) <= MOST_CHARS
    assert not any(character < " " and character != "\n" for character in words)
    words.encode()  # no lone surrogates
    assert words == "" or words.strip() == words


def test_a_reply_of_a_million_characters_is_cut() -> None:
    assert len(kept("seen " * 200_000)) == MOST_CHARS
    assert read_conclusion(reply("{" + "x" * 1_000_000 + "}"), 3, TIMES) == Unread("unparsable")


@given(st.lists(st.integers(0, 100), min_size=3, max_size=3).filter(any))
def test_scores_become_probabilities_in_proportion(scores: list[int]) -> None:
    found = concluded(scores=dict(zip("ABC", scores, strict=True)), label="A")
    assert isinstance(found, Conclusion)
    assert sum(found.probs) == pytest.approx(1)
    assert found.probs == pytest.approx([score / sum(scores) for score in scores])
    assert found.agrees == (scores[0] == max(scores))
