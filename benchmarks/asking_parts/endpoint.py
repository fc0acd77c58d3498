"""An endpoint of known latency and capacity, in a process of its own.

    python benchmarks/asking_parts/endpoint.py [AT_ONCE]    prints its port, and serves until it is ended

Every request is answered after 200 ms, 64 at once, the others in their turn.
"""

import asyncio
import json
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, cast

LATENCY_S, CAPACITY = 0.2, 64


@contextmanager
def endpoint(at_once: int = CAPACITY) -> Iterator[str]:
    """The endpoint's address, while it runs."""
    command = [sys.executable, __file__, str(at_once)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


class Line(asyncio.Protocol):
    """One connection. It counts bytes and reads nothing of the body: the endpoint must cost little."""

    room: ClassVar[int] = CAPACITY
    busy: ClassVar[int] = 0
    """Requests that are being answered, on all lines."""
    waiting: ClassVar[deque["Line"]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = cast(asyncio.Transport, transport)
        self.head = b""
        self.left: int | None = None

    def data_received(self, data: bytes) -> None:
        """Take a request's bytes; begin once its body is whole."""
        if self.left is None:
            self.head += data
            head, found, data = self.head.partition(b"\r\n\r\n")
            if not found:
                return
            self.head = b""
            if head.startswith(b"GET"):
                self.transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                return
            self.left = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        self.left -= len(data)
        if self.left == 0:
            self.left = None
            Line.waiting.append(self)
            begin()

    def end(self) -> None:
        """Answer, and make room."""
        if not self.transport.is_closing():
            self.transport.write(REPLY)
        Line.busy -= 1
        begin()


def begin() -> None:
    """Begin with requests that wait, as far as there is room."""
    while Line.waiting and Line.busy < Line.room:
        Line.busy += 1
        asyncio.get_running_loop().call_later(LATENCY_S, Line.waiting.popleft().end)


def _reply() -> bytes:
    """A completion with the alternatives of its one token, as HTTP."""
    top = [{"token": letter, "logprob": -0.1 - rank} for rank, letter in enumerate("ABCDEFGHIJKLMNOPQRST")]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "A"},
        "logprobs": {"content": [{"token": "A", "logprob": -0.1, "top_logprobs": top}]},
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 900, "completion_tokens": 1}
    body = json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


REPLY = _reply()


async def main() -> None:
    """Serve on any free port."""
    server = await asyncio.get_running_loop().create_server(Line, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    Line.room = int(sys.argv[1]) if len(sys.argv) > 1 else CAPACITY
    asyncio.run(main())
