import asyncio
import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from curate.errors import ClientError, RateLimited, RetryableError
from curate.recipe import OpenAIBackend
from curate.vlm.client import Pace, Picture, Prompt, Reply
from curate.vlm.openai import OpenAIClient

PROMPT = Prompt(
    (Picture(b"one", "1" * 64), Picture(b"two", "2" * 64, "image/png")), "Which?", ("A", "B", "C")
)
Body = Callable[..., bytes]


def ask(url: str, **settings: Any) -> Reply:
    return asyncio.run(ask_again(url, 1, **settings))[0]


async def ask_again(url: str, times: int, **settings: Any) -> list[Reply]:
    backend = OpenAIBackend(backend="openai", model="org/vlm", revision="r1", base_url=url, **settings)
    client = OpenAIClient(backend, "secret")
    try:
        return [await client.ask(PROMPT) for _ in range(times)]
    finally:
        await client.close()


def test_pictures_come_first_and_probabilities_are_asked_for(server: Any) -> None:
    ask(server.url, temperature=0.5, seed=7)
    (sent,) = server.bodies
    first, second, words = sent["messages"][0]["content"]
    assert first["image_url"]["url"] == "data:image/jpeg;base64,b25l"  # base64 of "one"
    assert second["image_url"]["url"].startswith("data:image/png;base64,")
    assert words == {"type": "text", "text": "Which?"}
    assert sent["model"] == "org/vlm"
    assert (sent["logprobs"], sent["top_logprobs"], sent["max_tokens"]) == (True, 20, 16)
    assert (sent["temperature"], sent["seed"]) == (0.5, 7)


def test_what_was_sent_beside_the_prompt_is_in_the_parameters() -> None:
    client = OpenAIClient(OpenAIBackend(backend="openai", model="m", concurrency=3, retries=2), "")
    assert client.parameters == {"max_tokens": 16, "temperature": 0, "seed": 0}
    assert (client.model, client.pace) == ("m@unknown", Pace(3, 2))
    asyncio.run(client.close())


def test_spellings_of_a_letter_are_summed(server: Any, body: Body) -> None:
    top = {"A": math.log(0.5), " A": math.log(0.25), "B": math.log(0.125), "The": math.log(0.0625)}
    details = {"cached_tokens": 64}
    server.answer = lambda n, sent: (
        200,
        {},
        body("A", top, prompt_tokens=96, completion_tokens=1, prompt_tokens_details=details),
    )
    reply = ask(server.url)
    assert reply.option_logprobs is not None
    # A: 0.5 + 0.25; B: 0.125; C was not among the alternatives.
    assert [math.exp(value) for value in reply.option_logprobs] == pytest.approx([0.75, 0.125, 0])
    assert (reply.text, reply.model, reply.logprobs_kind) == ("A", "org/vlm@r1", "before_mask")
    assert (reply.tokens_in, reply.tokens_out, reply.tokens_cached) == (96, 1, 64)
    assert reply.latency_s > 0


def test_a_server_without_probabilities_is_asked_without(server: Any, body: Body) -> None:
    def refuse(n: int, sent: dict[str, object]) -> tuple[int, dict[str, str], bytes]:
        if "logprobs" in sent:
            return 400, {}, b'{"error": {"message": "this model does not support logprobs"}}'
        return 200, {}, body("B")

    server.answer = refuse
    first, second = asyncio.run(ask_again(server.url, 2))
    assert (first.text, first.option_logprobs, first.logprobs_kind) == ("B", None, None)
    assert second.text == "B"
    # 20 alternatives, then 5, then none; and from then on none at once.
    assert [sent.get("top_logprobs") for sent in server.bodies] == [20, 5, None, None]


def test_too_many_requests_names_the_wait(server: Any) -> None:
    server.answer = lambda n, sent: (429, {"retry-after": "1.5"}, b'{"error": {"message": "slow down"}}')
    with pytest.raises(RateLimited, match="slow down") as caught:
        ask(server.url)
    assert caught.value.retry_after_s == 1.5
    assert len(server.bodies) == 1  # the SDK's own retries are off


@pytest.mark.parametrize("header", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "inf", ""])
def test_a_wait_that_is_no_number_is_none(server: Any, header: str) -> None:
    server.answer = lambda n, sent: (429, {"retry-after": header}, b"{}")
    with pytest.raises(RateLimited) as caught:
        ask(server.url)
    assert caught.value.retry_after_s is None


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_in_trouble_may_be_asked_again(server: Any, status: int) -> None:
    server.answer = lambda n, sent: (status, {}, b"<html>oops</html>")
    with pytest.raises(RetryableError, match=f"HTTP {status}"):
        ask(server.url)


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"null", b'"text"', b"<html>", b'{"choices": []}', b'{"choices": [{"message": null}]}'],
)
def test_a_body_that_is_no_completion_may_be_asked_again(server: Any, content: bytes) -> None:
    server.answer = lambda n, sent: (200, {}, content)
    with pytest.raises(RetryableError, match="no chat completion"):
        ask(server.url)


def test_a_refusal_field_is_the_text(server: Any) -> None:
    content = {"choices": [{"message": {"content": None, "refusal": "I cannot help"}}]}
    server.answer = lambda n, sent: (200, {}, json.dumps(content).encode())
    assert ask(server.url).text == "I cannot help"


@pytest.mark.parametrize(
    ("status", "fix"),
    [(400, "vlm.model"), (401, "OPENAI_API_KEY"), (403, "OPENAI_API_KEY"), (404, "vlm.base_url")],
)
def test_a_refused_request_says_what_to_check(server: Any, status: int, fix: str) -> None:
    server.answer = lambda n, sent: (status, {}, b'{"error": {"message": "not like this"}}')
    with pytest.raises(ClientError, match="not like this") as caught:
        ask(server.url)
    assert not isinstance(caught.value, RetryableError)
    assert fix in str(caught.value)
    assert "secret" not in str(caught.value)


def test_nobody_listens() -> None:
    with pytest.raises(RetryableError, match="no connection"):
        ask("http://127.0.0.1:9/v1")


@pytest.mark.parametrize("url", ["http://127.0.0.1:port/v1", "http://[::1/v1", "http://127.0.0.1/v1\x7f"])
def test_an_address_that_is_none(url: str) -> None:
    # model_construct: the client must not rely on the recipe's own check.
    backend = OpenAIBackend.model_construct(backend="openai", model="m", base_url=url)
    with pytest.raises(ClientError, match=r"vlm\.base_url.*is no address"):
        OpenAIClient(backend, "secret")


def test_a_reply_that_takes_too_long(server: Any, body: Body) -> None:
    import threading

    enough = threading.Event()

    def late(n: int, sent: dict[str, object]) -> tuple[int, dict[str, str], bytes]:
        enough.wait(10)
        return 200, {}, body()

    server.answer = late
    with pytest.raises(RetryableError, match=r"no reply within 0\.2 s"):
        ask(server.url, timeout_s=0.2)
    enough.set()
