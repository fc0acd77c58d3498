import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from curate.errors import BadReply, ClientError, RateLimited
from curate.recipe import OpenAIBackend
from curate.vlm.server.connection import Connection
from curate.vlm.server.probes import Probe, Ways, ways_of_any, ways_of_vllm

Finding = Callable[[Probe], Any]


def found(finding: Finding, url: str) -> Ways:
    async def once() -> Ways:
        connection = Connection(OpenAIBackend(backend="openai", model="org/vlm", base_url=url), "")
        try:
            ways: Ways = await finding(Probe(connection, {"model": "org/vlm", "temperature": 0, "seed": 7}))
            return ways
        finally:
            await connection.close()

    return asyncio.run(once())


def test_vllm_is_asked_by_token_ids(vllm_server: Any) -> None:
    ways = found(ways_of_vllm, vllm_server.url)
    assert (ways.letter, ways.sheet, ways.alternatives) == ("token_ids", "structured_outputs", 20)
    # Q had -12 although it was all that was allowed: so the mask came later. Within JSON it had 0.
    assert (ways.letters_kind, ways.fields_kind) == ("before_mask", "after_mask")
    assert (ways.tokens["A"], ways.tokens[" A"], '"A' in ways.tokens) == (65, 1065, False)
    assert all(sent["temperature"] == 0 and sent["seed"] == 7 for sent in vllm_server.probes)


def test_a_server_set_to_processed_probabilities_is_found_out(server: Any, as_vllm: Any) -> None:
    as_vllm(server, masked=True)
    assert found(ways_of_vllm, server.url).letters_kind == "after_mask"


def test_an_older_vllm_is_asked_by_choice(server: Any, as_vllm: Any) -> None:
    as_vllm(server, by_id=False)
    ways = found(ways_of_vllm, server.url)
    assert (ways.letter, ways.letters_kind, ways.fields_kind) == ("choice", "after_mask", "after_mask")
    assert ways.tokens == {}


def test_a_vllm_that_passes_over_a_choice_is_asked_by_words(server: Any, as_vllm: Any) -> None:
    as_vllm(server, by_id=False, choice=False)
    ways = found(ways_of_vllm, server.url)
    assert (ways.letter, ways.letters_kind) == ("words", "before_mask")


def test_letters_without_a_token_are_not_asked_by_id(server: Any, as_vllm: Any) -> None:
    as_vllm(server)
    tokenized = server.other

    def without_k(path: str, body: dict[str, object]) -> Any:
        return (
            (200, {}, b'{"tokens": [1, 2]}') if str(body["prompt"]).strip() == "K" else tokenized(path, body)
        )

    server.other = without_k
    assert found(ways_of_vllm, server.url).letter == "choice"


def test_raw_logits_are_no_log_probabilities(server: Any, answered: Any) -> None:
    server.probed = lambda sent: answered(("hello", {"hello": 17.5, "Hi": 3.0}))
    assert found(ways_of_any, server.url).alternatives is None


def test_a_server_without_probabilities(server: Any) -> None:
    # It passes over what it does not know: two requests show it.
    ways = found(ways_of_any, server.url)
    assert ways == Ways()
    assert [sent.get("top_logprobs") for sent in server.probes] == [20, None]


def test_a_server_that_refuses_probabilities(server: Any, answered: Any) -> None:
    def refuse(sent: dict[str, object]) -> Any:
        if "logprobs" in sent or "response_format" in sent:
            return 400, {}, b'{"error": {"message": "this model does not support it"}}'
        return answered(("hello", {}))

    server.probed = refuse
    assert found(ways_of_any, server.url) == Ways()
    # 20 alternatives, then 5, then none; then a schema.
    assert [sent.get("top_logprobs") for sent in server.probes] == [20, 5, None, None]


def test_a_server_that_lists_five(server: Any, answered: Any) -> None:
    def five(sent: dict[str, Any]) -> Any:
        if sent.get("top_logprobs", 0) > 5:
            return 422, {}, b'{"error": {"message": "at most 5"}}'
        return answered(("hello", {"hello": -0.1}))

    server.probed = five
    ways = found(ways_of_any, server.url)
    assert (ways.letter, ways.alternatives, ways.letters_kind) == ("words", 5, "before_mask")


@pytest.mark.parametrize(("logprob", "kind"), [(-0.0004, "after_mask"), (-11.0, "before_mask")])
def test_a_schema_that_is_kept_and_when_it_masks(
    server: Any, answered: Any, logprob: float, kind: str
) -> None:
    def keeps(sent: dict[str, object]) -> Any:
        if "response_format" in sent:
            return answered(('{"answer": "', {}), ("Q", {"Q": logprob}), ('"}', {}))
        return answered(("hello", {"hello": -0.1}))

    server.probed = keeps
    ways = found(ways_of_any, server.url)
    assert (ways.sheet, ways.letters_kind, ways.fields_kind) == ("response_format", "before_mask", kind)
    asked = server.probes[-1]["response_format"]
    assert (asked["type"], asked["json_schema"]["strict"]) == ("json_schema", True)


@pytest.mark.parametrize("text", ["hello", '{"answer": "hello"}', '{"reply": "Q"}', ""])
def test_a_schema_that_is_passed_over(server: Any, answered: Any, text: str) -> None:
    server.probed = lambda sent: answered((text, {}))
    assert found(ways_of_any, server.url).sheet == "words"


def test_a_grammar_that_a_weak_model_fills_with_white_space_still_counts(server: Any, answered: Any) -> None:
    server.probed = lambda sent: answered(("{ \n\n\n" if "response_format" in sent else "hello", {}))
    assert found(ways_of_any, server.url).sheet == "response_format"


def test_what_every_request_is_refused_for_is_said(server: Any) -> None:
    server.probed = lambda sent: (400, {}, b'{"error": {"message": "temperature must be 1"}}')
    with pytest.raises(ClientError, match="temperature must be 1"):
        found(ways_of_any, server.url)


def test_a_busy_server_is_not_taken_for_one_that_cannot(server: Any) -> None:
    server.probed = lambda sent: (429, {}, b"{}")
    with pytest.raises(RateLimited):
        found(ways_of_any, server.url)


def test_a_body_that_is_no_completion(server: Any) -> None:
    server.probed = lambda sent: (200, {}, b"<html>login</html>")
    with pytest.raises(BadReply, match=r"model org/vlm at http.*no chat completion"):
        found(ways_of_any, server.url)
