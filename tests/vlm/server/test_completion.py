import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import BadReply
from curate.vlm.client import Letter, Reply, Sheet, Words
from curate.vlm.server.completion import read_completion, reply_of

AB = ("A", "B")
SHEET = Sheet("{}", 40, (("gaze", AB), ("eyes", AB)))


def body(tokens: list[dict[str, Any]] | None, **message: Any) -> bytes:
    logprobs = None if tokens is None else {"content": tokens}
    choice = {"message": message, "logprobs": logprobs, "finish_reason": "stop"}
    return json.dumps({"choices": [choice]}).encode()


def token(text: str, top: dict[str, float | None] | None = None) -> dict[str, Any]:
    listed = [{"token": other, "logprob": value} for other, value in (top or {}).items()]
    return {"token": text, "logprob": (top or {}).get(text, -0.5), "top_logprobs": listed}


def read(content: bytes, form: Letter | Sheet | Words, *, letters_only: bool = False) -> Reply:
    completion = read_completion(content)
    return reply_of(
        completion, form, model="m@1", kind="before_mask", letters_only=letters_only, latency_s=1.0
    )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"{", "EOF"),
        (b'{"choices": [{"message": {"con', "EOF"),
        (b"[]", "object"),
        (b"null", "object"),
        (b'"text"', "object"),
        (b"<html>", "JSON"),
        (b"", "EOF"),
        (b'{"choices": []}', "choices"),
        (b'{"choices": [{"message": null}]}', "choices.0.message"),
    ],
)
def test_a_body_that_is_no_completion(content: bytes, found: str) -> None:
    with pytest.raises(BadReply, match=f"no chat completion.*{found}"):
        read_completion(content)


@given(st.binary(max_size=60))
def test_no_body_raises_anything_else(content: bytes) -> None:
    with pytest.raises(BadReply):
        read_completion(content)


def test_spellings_of_a_letter_are_summed() -> None:
    top = {"A": math.log(0.5), " A": math.log(0.25), "B": math.log(0.125), "The": math.log(0.0625)}
    reply = read(body([token("A", top)], content="A"), Letter(("A", "B", "C")))
    assert reply.option_logprobs is not None
    # A: 0.5 + 0.25; B: 0.125; C was not among the alternatives.
    assert [math.exp(value) for value in reply.option_logprobs] == pytest.approx([0.75, 0.125, 0])
    assert (reply.text, reply.model, reply.logprobs_kind) == ("A", "m@1", "before_mask")


@pytest.mark.parametrize("number", ["NaN", "null"])
def test_a_probability_that_is_no_number_is_not_told(number: str) -> None:
    content = body([token("A", {"A": -0.1, "B": 7.0})], content="A").replace(b"7.0", number.encode())
    reply = read(content, Letter(AB))
    assert (reply.text, reply.option_logprobs, reply.logprobs_kind) == ("A", None, None)


def test_the_token_that_was_said_counts_though_it_is_not_listed() -> None:
    # A sampled token need not be among the most probable ones.
    reply = read(body([{**token("B", {"A": -0.1}), "logprob": -3.0}], content="B"), Letter(AB))
    assert reply.option_logprobs == pytest.approx((-0.1, -3.0))


def test_without_alternatives_nothing_is_told() -> None:
    assert read(body([token("A")], content="A"), Letter(AB)).option_logprobs is None
    assert read(body([], content=""), Letter(AB)).option_logprobs is None
    assert read(body(None, content="A"), Letter(AB)).option_logprobs is None


def test_letters_within_json() -> None:
    said = [token('{"gaze":"'), token("A", {"A": -0.2, "B": -1.8}), token('","eyes":"')]
    said += [token("B", {"B": -0.1, "A": -2.4}), token('"}')]
    reply = read(body(said, content='{"gaze":"A","eyes":"B"}'), SHEET)
    assert reply.field_logprobs is not None
    assert reply.field_logprobs["gaze"] == pytest.approx((-0.2, -1.8))
    assert reply.field_logprobs["eyes"] == pytest.approx((-2.4, -0.1))


def test_a_merged_token_tells_nothing_where_only_letters_were_asked_about() -> None:
    said = [token('{"gaze":"'), token('A",', {'A",': -0.2, "B": -9.0}), token('"eyes":"')]
    said += [token("B", {"B": -0.1, "A": -2.4}), token('"}')]
    content = body(said, content='{"gaze":"A","eyes":"B"}')
    reply = read(content, SHEET, letters_only=True)
    assert list(reply.field_logprobs or ()) == ["eyes"]


def test_a_refusal_field_is_the_text() -> None:
    reply = read(body(None, content=None, refusal="I cannot help"), Words(9))
    assert reply.text == "I cannot help"


def test_usage() -> None:
    usage = {"prompt_tokens": 96, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 64}}
    content = json.dumps({"choices": [{"message": {"content": "A"}}], "usage": usage}).encode()
    reply = read(content, Letter(AB))
    assert (reply.tokens_in, reply.tokens_out, reply.tokens_cached, reply.latency_s) == (96, 1, 64, 1.0)
