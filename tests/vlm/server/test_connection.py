import asyncio
import threading
from typing import Any

import pytest

from curate.errors import ClientError, RateLimited, RetryableError, ServerTrouble, TimedOut, Unreachable
from curate.recipe import OpenAIBackend
from curate.vlm.server.connection import Connection

KEY = "sk-secret-0123"


def post(url: str, key: str = KEY, **settings: Any) -> bytes:
    async def once() -> bytes:
        connection = Connection(OpenAIBackend(backend="openai", model="m", base_url=url, **settings), key)
        try:
            return await connection.post(f"{connection.base}/chat/completions", BODY)
        finally:
            await connection.close()

    return asyncio.run(once())


BODY = b'{"messages": [{"content": []}]}'


def test_the_key_goes_out_and_never_comes_back(server: Any) -> None:
    server.answer = lambda n, sent: (200, {}, b"you sent sk-secret-0123")
    assert post(server.url) == b"you sent [key]"
    assert server.headers[0]["Authorization"] == "Bearer sk-secret-0123"
    assert server.headers[0]["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "spelled",
    [rb"sk\u002dsecret/0123", rb"sk-secret\/0123", rb"sk\\u002Dsecret\\\/0123", rb"\u0073k-secret/0123"],
)
def test_a_key_that_comes_back_spelled_with_escapes(server: Any, spelled: bytes) -> None:
    server.answer = lambda n, sent: (200, {}, b'{"a\\n": "' + spelled + b'\\n"}')
    assert post(server.url, "sk-secret/0123") == b'{"a\\n": "[key]\\n"}'


def test_no_key_no_header(server: Any) -> None:
    post(server.url, "")
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_server_that_repeats_the_key_in_an_error(server: Any, status: int) -> None:
    # Once plainly, once spelled with an escape that only JSON undoes.
    server.answer = lambda n, sent: (
        status,
        {},
        rb'{"error": {"message": "bad sk-secret-0123 sk\u002dsecret-0123"}}',
    )
    with pytest.raises(ClientError, match=r"bad \[key\] \[key\]") as caught:
        post(server.url)
    assert "secret" not in str(caught.value)


def test_what_a_server_says_cannot_steer_a_terminal(server: Any) -> None:
    server.answer = lambda n, sent: (500, {}, "\x1b]0;owned\x07 \u202edrawkcab".encode())
    with pytest.raises(ServerTrouble) as caught:
        post(server.url)
    assert str(caught.value).endswith(r"HTTP 500: \x1b]0;owned\x07 \u202edrawkcab")


def test_a_key_that_is_none(server: Any) -> None:
    with pytest.raises(ClientError, match="OPENAI_API_KEY") as caught:
        post(server.url, "sk-\nX-Evil: 1")
    assert "Evil" not in str(caught.value)
    assert server.headers == []


def test_too_many_requests_names_the_wait(server: Any) -> None:
    server.answer = lambda n, sent: (429, {"retry-after": "1.5"}, b'{"error": {"message": "slow down"}}')
    with pytest.raises(RateLimited, match="slow down") as caught:
        post(server.url)
    assert caught.value.retry_after_s == 1.5
    assert len(server.bodies) == 1  # nothing is asked again here


def test_a_busy_server_that_names_a_wait_asks_for_fewer(server: Any) -> None:
    server.answer = lambda n, sent: (503, {"retry-after": "3"}, b"busy")
    with pytest.raises(RateLimited, match="busy") as caught:
        post(server.url)
    assert caught.value.retry_after_s == 3


@pytest.mark.parametrize("header", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "inf", ""])
def test_a_wait_that_is_no_number_is_none(server: Any, header: str) -> None:
    server.answer = lambda n, sent: (429, {"retry-after": header}, b"{}")
    with pytest.raises(RateLimited) as caught:
        post(server.url)
    assert caught.value.retry_after_s is None


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_in_trouble_may_be_asked_again(server: Any, status: int) -> None:
    server.answer = lambda n, sent: (status, {}, b"<html>oops</html>")
    with pytest.raises(ServerTrouble, match=f"HTTP {status}: <html>oops"):
        post(server.url)


@pytest.mark.parametrize(
    ("status", "said", "fix"),
    [
        (400, "not like this", "Check vlm.model"),
        (400, "At most 16 image(s) may be provided in one prompt.", "Lower frames.count"),
        (400, "This model's maximum context length is 2048 tokens", "frames.size_px"),
        (401, "who are you", "OPENAI_API_KEY"),
        (403, "not you", "OPENAI_API_KEY"),
        (404, "nothing here", "vlm.base_url"),
        (301, "elsewhere", "vlm.base_url"),
    ],
)
def test_a_refused_request_says_what_to_check(server: Any, status: int, said: str, fix: str) -> None:
    content = f'{{"error": {{"message": "{said}"}}}}'.encode()
    server.answer = lambda n, sent: (status, {"Location": "http://127.0.0.1:9/"}, content)
    with pytest.raises(ClientError) as caught:
        post(server.url)
    assert not isinstance(caught.value, RetryableError)
    assert said in str(caught.value)
    assert fix in str(caught.value)


def test_nobody_listens() -> None:
    with pytest.raises(Unreachable, match=r"no connection.*vlm\.base_url"):
        post("http://127.0.0.1:9/v1")


def test_a_connection_that_breaks_in_mid_body(server: Any) -> None:
    server.answer = lambda n, sent: (200, {"Transfer-Encoding": "chunked"}, b"40\r\nhalf")
    with pytest.raises(Unreachable, match="the connection broke"):
        post(server.url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:port/v1", "http://[::1/v1", "http://127.0.0.1/v1\x7f"])
def test_an_address_that_is_none(url: str) -> None:
    # model_construct: the client must not rely on the recipe's own check.
    backend = OpenAIBackend.model_construct(backend="openai", model="m", base_url=url)
    with pytest.raises(ClientError, match=r"vlm\.base_url.*is no address"):
        Connection(backend, KEY)


def test_a_reply_that_takes_too_long(server: Any) -> None:
    enough = threading.Event()

    def late(n: int, sent: dict[str, object]) -> tuple[int, dict[str, str], bytes]:
        enough.wait(10)
        return 200, {}, b"{}"

    server.answer = late
    with pytest.raises(TimedOut, match=r"no reply within 0\.2 s"):
        post(server.url, timeout_s=0.2)
    enough.set()
