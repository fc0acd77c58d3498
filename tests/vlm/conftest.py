"""A server that speaks the chat protocol, and a model of random weights."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Answer = tuple[int, dict[str, str], bytes]
"""HTTP status, headers, body."""

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
SPECIAL += ["<|image_pad|>", "<|video_pad|>"]
CHAT = (
    "{%- for m in messages -%}{{ '<|im_start|>' + m.role }}{%- for p in m.content -%}"
    "{%- if p.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>"
    "{%- else -%}{{ p.text }}{%- endif -%}{%- endfor -%}<|im_end|>{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|im_start|>assistant{%- endif -%}"
)


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
    what is posted elsewhere; neither knows anything at first.
    """

    def __init__(self) -> None:
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

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
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


class Time:
    """A clock that a sleep sets forward: waits take no time, and are remembered."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.waits: list[float] = []

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, wait_s: float) -> None:
        self.waits.append(wait_s)
        until_s = self.now_s + wait_s
        await asyncio.sleep(0)
        # Several sleep at the same time, as they would.
        self.now_s = max(self.now_s, until_s)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def server() -> Iterator[ChatServer]:
    running = ChatServer()
    yield running
    running.close()


@pytest.fixture
def vllm_server(server: ChatServer) -> ChatServer:
    act_as_vllm(server)
    return server


@pytest.fixture
def as_vllm() -> Callable[..., None]:
    return act_as_vllm


@pytest.fixture
def answered() -> Callable[..., Answer]:
    return completion


@pytest.fixture
def body() -> Callable[..., bytes]:
    return chat_body


@pytest.fixture(scope="session")
def tiny_vlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a Qwen3-VL with one layer, random weights and a token a byte."""
    torch = pytest.importorskip("torch")
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import AutoModelForImageTextToText, PreTrainedTokenizerFast, Qwen3VLConfig

    folder = tmp_path_factory.mktemp("tiny") / "tiny-vlm"
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE(vocab={byte: place for place, byte in enumerate(alphabet)}, merges=[]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    words.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in SPECIAL])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token=SPECIAL[2], pad_token=SPECIAL[0], chat_template=CHAT
    )
    id_of = tokenizer.convert_tokens_to_ids
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [6, 5, 5], "mrope_interleaved": True}
    text = {
        "vocab_size": 320,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "max_position_embeddings": 2048,
        "rope_parameters": rope,
    }
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_heads": 1,
        "patch_size": 8,
        "out_hidden_size": 64,
        "num_position_embeddings": 16,
        "deepstack_visual_indexes": [0],
    }
    names = {"image": SPECIAL[5], "video": SPECIAL[6], "vision_start": SPECIAL[3], "vision_end": SPECIAL[4]}
    config = Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        tie_word_embeddings=True,
        **{f"{name}_token_id": id_of(word) for name, word in names.items()},
    )
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config, dtype=torch.float32)
    # Weights this small would leave every letter as likely as the next: pictures must matter.
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(str(folder))
    area = {"shortest_edge": 32 * 32, "longest_edge": 32 * 32}
    pictures = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "patch_size": 8,
        "merge_size": 2,
        "size": area,
    }
    pictures |= {"temporal_patch_size": 2, "processor_class": "Qwen3VLProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures))
    videos = {"video_processor_type": "Qwen3VLVideoProcessor", "patch_size": 8, "merge_size": 2, "size": area}
    (folder / "video_preprocessor_config.json").write_text(json.dumps(videos))
    return folder
