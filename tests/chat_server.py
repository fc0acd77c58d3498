"""A server that speaks the chat protocol, with answers as a test wants them."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
"""HTTP status, headers, body."""


def chat_body(text: str | None = "B", top: dict[str, float] | None = None, **usage: object) -> bytes:
    """A chat completion with the first token's alternatives."""
    alternatives = [{"token": token, "logprob": value, "bytes": None} for token, value in (top or {}).items()]
    logprobs = {"content": [{"token": text, "logprob": 0.0, "top_logprobs": alternatives}]} if top else None
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"}
    content = {"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage or None}
    return json.dumps(content).encode()


NOT_FOUND: Answer = (404, {}, b'{"error": {"message": "Not Found"}}')


class ChatServer:
    """Answers prompts by `answer(n, body)`, n counting from 0, and keeps their bodies.

    What a client tries before its first prompt is kept apart, in `probes`, and
    answered by `probed(body)`: unless a test says otherwise in plain words
    without probabilities. `pages` answers GET requests by path, and `other`
    what is posted elsewhere; neither knows anything at first. A server that
    comes back after it was closed takes the `port` that it had.
    """

    def __init__(self, port: int = 0) -> None:
        self.answer: Callable[[int, dict[str, object]], Answer] = lambda n, body: (200, {}, chat_body())
        self.bodies: list[dict[str, object]] = []
        self.probed: Callable[[dict[str, object]], Answer] = lambda body: (200, {}, chat_body("hello"))
        self.probes: list[dict[str, object]] = []
        self.pages: dict[str, Answer] = {}
        self.other: Callable[[str, dict[str, object]], Answer] = lambda path, body: NOT_FOUND
        self.headers: list[dict[str, str]] = []
        """Of all requests."""
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.reply(outer._answer(self.path, body))

            def do_GET(self) -> None:
                self.reply(outer.pages.get(self.path, NOT_FOUND))

            def reply(self, answer: Answer) -> None:
                outer.headers.append(dict(self.headers))
                status, headers, content = answer
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128  # so many may call before the first is answered

            def handle_error(self, *_: object) -> None:
                """A client that was killed is no fault of the server."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def _answer(self, path: str, body: dict[str, object]) -> Answer:
        if not path.endswith("/chat/completions"):
            return self.other(path, body)
        messages: Any = body["messages"]
        if isinstance(messages[0]["content"], str):  # a prompt has parts
            self.probes.append(body)
            return self.probed(body)
        with self._lock:
            n = len(self.bodies)
            self.bodies.append(body)
        return self.answer(n, body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def completion(*tokens: tuple[str, dict[str, float]]) -> Answer:
    """A completion of these tokens, each with its alternatives."""
    content = [
        {
            "token": text,
            "logprob": top.get(text, -1.0),
            "top_logprobs": [{"token": other, "logprob": value} for other, value in top.items()],
        }
        for text, top in tokens
    ]
    message = {"content": "".join(text for text, _ in tokens)}
    return 200, {}, json.dumps({"choices": [{"message": message, "logprobs": {"content": content}}]}).encode()


def act_as_vllm(server: ChatServer, *, by_id: bool = True, choice: bool = True, masked: bool = False) -> None:
    """Let a server say that it is vLLM and answer what is tried as vLLM does.

    Args:
        server: Serves the model org/vlm from now on.
        by_id: Whether it tells log-probabilities by token id, as vLLM does since 2026.
        choice: Whether it keeps to a choice.
        masked: Whether log-probabilities are taken after the mask (--logprobs-mode).
    """
    served = {"data": [{"id": "org/vlm", "owned_by": "vllm"}]}
    server.pages["/v1/models"] = 200, {}, json.dumps(served).encode()
    server.pages["/version"] = 200, {}, b'{"version": "0.32.0"}'

    def tokenized(path: str, body: dict[str, object]) -> Answer:
        text = str(body["prompt"])
        # A letter is its code point, with a space before it 1000 more, and quotes are no part of a token.
        ids = [1000 * text.startswith(" ") + ord(text[-1])] if '"' not in text else [1, 2]
        return (200, {}, json.dumps({"tokens": ids}).encode()) if path == "/tokenize" else NOT_FOUND

    def probed(body: dict[str, Any]) -> Answer:
        structured, ids = body.get("structured_outputs", {}), body.get("logprob_token_ids")
        if "json" in structured:
            return completion(('{"answer":"', {"{": -1.0}), ("Q", {"Q": 0.0}), ('"}', {}))
        if "choice" in structured and choice:
            return completion(("Q", {"Q": 0.0, "A": -9999.0}))
        if ids and by_id:
            told = {f"{' ' * (code > 1000)}{chr(code % 1000)}": -9.0 for code in ids}
            return completion(("Q", told | {"Q": 0.0 if masked else -12.0, " Q": -9999.0}))
        # Parameters that it does not know it passes over.
        return completion(("hello", {"hello": -0.1, "Hi": -2.5} if body.get("top_logprobs") else {}))

    server.other, server.probed = tokenized, probed
