"""What a server can do: tried with requests of a few words.

What a server does not know it may refuse, or pass over in silence. So a way of
asking counts as known only when the reply shows that it worked: one letter is
allowed that nobody would say.
"""

import asyncio
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from curate.errors import BadReply
from curate.vlm.client import LogprobsKind
from curate.vlm.letters import Token
from curate.vlm.server.completion import Completion, read_completion
from curate.vlm.server.connection import Connection, Refused
from curate.vlm.spellings import ALONE, LETTERS, QUOTED, spellings, token_ids

LetterWay = Literal["token_ids", "choice", "words"]
"""How a letter is asked for. token_ids: by the ids of its tokens, with their probabilities.
choice: as one of several texts. words: by the prompt alone."""

SheetWay = Literal["structured_outputs", "response_format", "words"]
"""How JSON is asked for: as vLLM wants it, as the protocol says, or by the prompt alone."""

TOP_LOGPROBS = (20, 5)
"""How many alternatives a token are asked for; the next is tried where a server refuses."""

WORDS = "Say hello."
"""What every probe says."""

_FORCED = "Q"
"""The letter that nobody would say unless nothing else is allowed."""
_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string", "enum": [_FORCED]}},
    "required": ["answer"],
    "additionalProperties": False,
}
_FORCED_JSON = f'{{"answer":"{_FORCED}"}}'
_SAID_TOKENS, _JSON_TOKENS = 16, 64
_CERTAIN = -1e-3
"""At least so probable is the only token allowed, if probabilities are taken after the mask."""
_ROUNDING = 1e-2
_NOT_UNDERSTOOD = (400, 404, 405, 415, 422)
"""HTTP statuses of a server that does not know an address or a parameter."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How to ask a server."""

    letter: LetterWay = "words"
    sheet: SheetWay = "words"
    alternatives: int | None = None
    """How many alternatives a token can be asked for; None if it tells none by their rank."""
    letters_kind: LogprobsKind | None = None
    """Of a letter's log-probabilities."""
    fields_kind: LogprobsKind | None = None
    """Of those of letters within JSON."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """Id of each spelling of a letter that is a single token, where they are asked for by id."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Sends requests of a few words."""

    connection: Connection
    every: Mapping[str, object]
    """What every request bears: the model and how to sample."""

    async def made(self, **asked: Any) -> Completion:
        """The completion of a request that bears `asked` beside a few words."""
        body = {**self.every, **asked, "messages": [{"role": "user", "content": WORDS}]}
        url = f"{self.connection.base}/chat/completions"
        try:
            return read_completion(await self.connection.post(url, json.dumps(body).encode()))
        except BadReply as error:
            raise BadReply(f"{self.connection.where}: {self.connection.shown(str(error))}") from error

    async def tried(self, **asked: Any) -> Completion | None:
        """The same, or None where the server does not understand what is asked."""
        try:
            return await self.made(**asked)
        except Refused as error:
            if error.status in _NOT_UNDERSTOOD:
                return None
            raise


async def ways_of_any(probe: Probe) -> Ways:
    """How to ask a server of which nothing is known but the protocol.

    Raises:
        ClientError: It does not even answer a plain request.
    """
    alternatives = await _alternatives(probe)
    asked = {"type": "json_schema", "json_schema": {"name": "answers", "strict": True, "schema": _SCHEMA}}
    sheet = await probe.tried(response_format=asked, max_tokens=_JSON_TOKENS, **_ranked(alternatives))
    letters_kind: LogprobsKind | None = "before_mask" if alternatives else None
    if sheet is None or not _is_forced_json(sheet.text):
        return Ways(alternatives=alternatives, letters_kind=letters_kind, fields_kind=letters_kind)
    return Ways("words", "response_format", alternatives, letters_kind, _forced_kind(sheet.tokens))


async def ways_of_vllm(probe: Probe) -> Ways:
    """How to ask a server that says it is vLLM.

    By token ids where it tells log-probabilities of given ids. All requests
    then ask so, those for JSON too: vLLM computes requests of both kinds in one
    batch, and there alternatives by rank are missing from the replies.
    """
    alternatives = await _alternatives(probe)
    tokens = await _tokens(probe)
    ranked = _ranked(alternatives)
    sheet = await probe.tried(structured_outputs={"json": _SCHEMA}, max_tokens=_JSON_TOKENS, **ranked)
    if sheet is None or not _is_forced_json(sheet.text):
        return await ways_of_any(probe)
    fields_kind = _forced_kind(sheet.tokens)
    if tokens and (kind := await _kind_by_ids(probe, tokens)):
        return Ways(
            "token_ids", "structured_outputs", alternatives, kind, fields_kind or "after_mask", tokens
        )
    chosen = await probe.tried(structured_outputs={"choice": [_FORCED]}, max_tokens=_SAID_TOKENS, **ranked)
    if chosen is None or chosen.text != _FORCED:
        kind = "before_mask" if alternatives else None
        return Ways("words", "structured_outputs", alternatives, kind, fields_kind)
    return Ways("choice", "structured_outputs", alternatives, _forced_kind(chosen.tokens), fields_kind)


def _ranked(alternatives: int | None) -> dict[str, object]:
    return {"logprobs": True, "top_logprobs": alternatives} if alternatives else {}


async def _alternatives(probe: Probe) -> int | None:
    """How many alternatives a token a server lists when it is asked for them; None for none."""
    for count in TOP_LOGPROBS:
        completion = await probe.tried(max_tokens=_SAID_TOKENS, **_ranked(count))
        if completion is not None:
            told = completion.tokens[:1]
            return count if told and _are_logprobs(told[0].alternatives.values()) else None
    await probe.made(max_tokens=_SAID_TOKENS)
    return None


async def _kind_by_ids(probe: Probe, tokens: Mapping[str, int]) -> LogprobsKind | None:
    """Of log-probabilities that are asked for by id; None where they are not told so."""
    ids = token_ids(tokens, LETTERS)
    allowed = token_ids(tokens, [_FORCED])
    completion = await probe.tried(
        max_tokens=1, logprobs=True, logprob_token_ids=ids, allowed_token_ids=allowed
    )
    if completion is None or completion.text.strip() != _FORCED or not completion.tokens:
        return None
    told = completion.tokens[0].alternatives
    listed = {text.strip() for text in told}
    return _forced_kind(completion.tokens[:1]) if listed.issuperset(LETTERS) else None


def _forced_kind(tokens: Sequence[Token]) -> LogprobsKind | None:
    """Before or after the mask, by the probability of the letter that alone was allowed.

    None where nothing was told, or something that is no log-probability.
    """
    forced = [token.alternatives for token in tokens if _FORCED in token.text]
    if not forced or not _are_logprobs(forced[0].values()):
        return None
    shares = [math.exp(logprob) for text, logprob in forced[0].items() if _FORCED in text]
    return "after_mask" if math.fsum(shares) >= math.exp(_CERTAIN) else "before_mask"


def _are_logprobs(values: Iterable[float]) -> bool:
    """Whether there are any, and each can be the logarithm of a probability."""
    found = list(values)
    return bool(found) and all(value <= _ROUNDING for value in found)  # False for a nan


def _is_forced_json(text: str) -> bool:
    """Whether a reply could only come of the schema, as far as it goes.

    A weak model may fill the room with the white space that JSON allows.
    """
    return text != "" and _FORCED_JSON.startswith("".join(text.split()))


class _Tokenized(BaseModel):
    tokens: list[int]


async def _tokens(probe: Probe) -> dict[str, int]:
    """Id of each spelling of a letter that is a single token; empty where the server does not say.

    Empty too where some letter is no single token: it could not be asked for.
    """
    found: dict[str, int] = {}
    try:
        for way in ALONE + QUOTED:
            texts = spellings(LETTERS, [way])
            ids = await asyncio.gather(*(_tokenized(probe, text) for text in texts))
            found |= {text: several[0] for text, several in zip(texts, ids, strict=True) if len(several) == 1}
    except (Refused, ValidationError):
        return {}
    return found if all(token_ids(found, [letter]) for letter in LETTERS) else {}


async def _tokenized(probe: Probe, text: str) -> list[int]:
    body = {"model": probe.every["model"], "prompt": text, "add_special_tokens": False}
    reply = await probe.connection.post(f"{probe.connection.root}/tokenize", json.dumps(body).encode())
    return _Tokenized.model_validate_json(reply).tokens
