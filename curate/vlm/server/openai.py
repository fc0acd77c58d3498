"""Any server that speaks the OpenAI chat protocol, over HTTP."""

import base64
import json
import time
from collections.abc import Mapping, Sequence

from curate.errors import BadReply
from curate.recipe import OpenAIBackend
from curate.vlm.client import (
    Abilities,
    CacheCounts,
    Form,
    Letter,
    LogprobsKind,
    Pace,
    Picture,
    Prompt,
    Reply,
    Sheet,
)
from curate.vlm.server.completion import read_completion, reply_of
from curate.vlm.server.connection import Connection
from curate.vlm.server.found import Server, cache_counts, find_server
from curate.vlm.server.probes import Ways
from curate.vlm.spellings import ALONE, QUOTED, token_ids

LETTER_TOKENS = 16
"""Room for "The answer is (B).", where a letter is asked for by words alone."""

_SHOWN_BYTES = 2000
"""Of a body that is no completion: more than is shown once it is cut."""


class OpenAIClient:
    """Puts prompts to a server; pictures travel as data URLs, in the order of the prompt's parts."""

    def __init__(self, backend: OpenAIBackend, key: str) -> None:
        """Open no connection yet. `key` may be empty: a local server needs none.

        Raises:
            ClientError: The base URL is no address, or the key no key.
        """
        self._backend = backend
        self._connection = Connection(backend, key)
        self._found: Server | None = None

    @property
    def model(self) -> str:
        """name@revision, as the recipe names them."""
        return f"{self._backend.model}@{self._backend.revision}"

    @property
    def parameters(self) -> Mapping[str, object]:
        """How it samples, and in which of the ways it is asked; known once prepared."""
        ways = self._ways
        return {
            **self._sampling,
            "letter": ways.letter,
            "sheet": ways.sheet,
            "alternatives": ways.alternatives,
            "logprobs": ways.letters_kind,
            "structured": ways.sheet != "words",
        }

    @property
    def pace(self) -> Pace:
        """As the recipe says."""
        return Pace(self._backend.concurrency, self._backend.retries, self._backend.gone_after_s)

    async def prepare(self) -> Abilities:
        """Ask the server what it is, whether it has the model, and what it can tell.

        Raises:
            RetryableError: It does not answer, or is busy.
            ClientError: It does not have the model, or does not take the key.
        """
        self._found = await find_server(self._connection, self._backend.model, self._sampling)
        ways = self._found.ways
        return Abilities(self._found.name, logprobs=ways.letters_kind, structured=ways.sheet != "words")

    async def ask(self, prompt: Prompt) -> Reply:
        """Send one request.

        Raises:
            RetryableError: As `Connection.post`; or `BadReply`: a body that is no chat completion.
            ClientError: Any other refusal, with the server's words and what to check.
        """
        body = self._body(prompt)
        started_s = time.perf_counter()
        content = await self._connection.post(f"{self._connection.base}/chat/completions", body)
        latency_s = time.perf_counter() - started_s
        try:
            completion = read_completion(content)
        except BadReply as error:
            found = self._connection.shown(f"{error}: {content[:_SHOWN_BYTES].decode(errors='replace')}")
            raise BadReply(f"{self._connection.where}: {found}") from error
        return reply_of(
            completion,
            prompt.form,
            model=self.model,
            kind=_kind(self._ways, prompt.form),
            letters_only=self._ways.letter == "token_ids",
            latency_s=latency_s,
        )

    async def cache_counts(self) -> CacheCounts | None:
        """As vLLM's metrics tell; None for another server."""
        return await cache_counts(self._connection) if self._found and self._found.is_vllm else None

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    @property
    def _sampling(self) -> dict[str, object]:
        return {"temperature": self._backend.temperature, "seed": self._backend.seed}

    @property
    def _ways(self) -> Ways:
        if self._found is None:
            raise RuntimeError("prepare() comes first: how to ask the server is not known yet")
        return self._found.ways

    def _body(self, prompt: Prompt) -> bytes:
        """The request. Made as bytes: pictures are most of it, and need no escaping."""
        asked: dict[str, object] = {
            "model": self._backend.model,
            "temperature": 1 if prompt.warm else self._backend.temperature,
            "seed": self._backend.seed + prompt.draw,
            **_asked(self._ways, prompt.form),
        }
        content = b",".join(map(_part, prompt.parts))
        return b'%b,"messages":[{"role":"user","content":[%b]}]}' % (json.dumps(asked)[:-1].encode(), content)


def _asked(ways: Ways, form: Form) -> dict[str, object]:
    """What a request bears so that the reply has the form."""
    if isinstance(form, Letter):
        return _letter(ways, form.letters)
    if isinstance(form, Sheet):
        return _sheet(ways, form)
    return {"max_tokens": form.max_tokens}


def _letter(ways: Ways, letters: Sequence[str]) -> dict[str, object]:
    if ways.letter == "token_ids":
        ids = token_ids(ways.tokens, letters, ALONE)
        return {"max_tokens": 1, "logprobs": True, "logprob_token_ids": ids, "allowed_token_ids": ids}
    asked: dict[str, object] = {"max_tokens": LETTER_TOKENS}
    if ways.letter == "choice":
        asked["structured_outputs"] = {"choice": list(letters)}
    return asked | _ranked(ways)


def _sheet(ways: Ways, form: Sheet) -> dict[str, object]:
    asked: dict[str, object] = {"max_tokens": form.max_tokens}
    schema = json.loads(form.schema)
    if ways.sheet == "structured_outputs":
        asked["structured_outputs"] = {"json": schema}
    if ways.sheet == "response_format":
        named = {"name": "answers", "strict": True, "schema": schema}
        asked["response_format"] = {"type": "json_schema", "json_schema": named}
    if not form.letters:
        return asked
    if ways.letter == "token_ids":
        letters = dict.fromkeys(letter for _, several in form.letters for letter in several)
        ids = token_ids(ways.tokens, letters, ALONE + QUOTED)
        return asked | {"logprobs": True, "logprob_token_ids": ids}
    return asked | _ranked(ways)


def _ranked(ways: Ways) -> dict[str, object]:
    return {"logprobs": True, "top_logprobs": ways.alternatives} if ways.alternatives else {}


def _kind(ways: Ways, form: Form) -> LogprobsKind | None:
    return ways.fields_kind if isinstance(form, Sheet) else ways.letters_kind


def _part(part: Picture | str) -> bytes:
    if isinstance(part, str):
        return json.dumps({"type": "text", "text": part}).encode()
    head = json.dumps(f"data:{part.mime};base64,")[:-1].encode()
    return b'{"type":"image_url","image_url":{"url":%b%b"}}' % (head, base64.b64encode(part.data))
