"""Any server that speaks the OpenAI chat protocol, over HTTP."""

import base64
import math
import time
from collections.abc import Mapping
from typing import Any

import openai
from pydantic import BaseModel, Field, ValidationError

from curate.errors import ClientError, RateLimited, RetryableError
from curate.recipe import OpenAIBackend
from curate.vlm.client import Pace, Picture, Prompt, Reply

MAX_TOKENS = 16
"""Room for "The answer is (B)."; a letter is asked for."""

TOP_LOGPROBS = (20, 5, None)
"""How many alternatives are asked for; the next is tried when a server refuses. None: no probabilities."""

_SAID_CHARS = 300


class OpenAIClient:
    """Puts prompts to a server; pictures travel as data URLs, before the words.

    Pictures come first because all items of a clip share them: a server can
    then keep what it computed for them.
    """

    def __init__(self, backend: OpenAIBackend, key: str) -> None:
        """Open no connection yet. `key` may be empty: a local server needs none.

        Raises:
            ClientError: The base URL is no address.
        """
        self._backend = backend
        self._server = _server(backend, key)
        self._rung = 0

    @property
    def model(self) -> str:
        """name@revision, as the recipe names them."""
        return f"{self._backend.model}@{self._backend.revision}"

    @property
    def parameters(self) -> Mapping[str, object]:
        """Sampling parameters."""
        return {
            "max_tokens": MAX_TOKENS,
            "temperature": self._backend.temperature,
            "seed": self._backend.seed,
        }

    @property
    def pace(self) -> Pace:
        """As the recipe says."""
        return Pace(self._backend.concurrency, self._backend.retries)

    async def ask(self, prompt: Prompt) -> Reply:
        """Send one request.

        Raises:
            RateLimited: HTTP 429, with the wait that the server named.
            RetryableError: No connection, a timeout, HTTP 5xx, or a body that is no chat completion.
            ClientError: Any other refusal, with the server's words.
        """
        started_s = time.perf_counter()
        body = await self._completion(prompt)
        latency_s = time.perf_counter() - started_s
        try:
            completion = _Completion.model_validate_json(body)
        except ValidationError as error:
            found = f"{error.errors()[0]['msg']}: {_short(body.decode(errors='replace'))}"
            raise RetryableError(f"{self._where}: the reply is no chat completion: {found}") from error
        return _reply(completion, prompt.options, self.model, latency_s)

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    @property
    def _where(self) -> str:
        return f"model {self._backend.model} at {self._backend.base_url}"

    async def _completion(self, prompt: Prompt) -> bytes:
        rung = self._rung
        try:
            return await self._post(prompt, TOP_LOGPROBS[rung])
        except openai.BadRequestError as error:
            if TOP_LOGPROBS[rung] is None or "logprobs" not in _said(error):
                raise self._refusal(error) from error
        except openai.APIError as error:
            raise self._failure(error) from error
        # Requests already under way find out by themselves; later ones start from here.
        self._rung = max(self._rung, rung + 1)
        return await self._completion(prompt)

    async def _post(self, prompt: Prompt, top_logprobs: int | None) -> bytes:
        asked: dict[str, Any] = {
            "model": self._backend.model,
            "messages": _messages(prompt),
            **self.parameters,
        }
        if top_logprobs is not None:
            asked |= {"logprobs": True, "top_logprobs": top_logprobs}
        response = await self._server.chat.completions.with_raw_response.create(**asked)
        return bytes(response.content)

    def _failure(self, error: openai.APIError) -> ClientError:
        if isinstance(error, openai.RateLimitError):
            wait_s = _seconds(error.response.headers.get("retry-after"))
            return RateLimited(f"{self._where}: too many requests: {_said(error)}", wait_s)
        if isinstance(error, openai.APITimeoutError):
            return RetryableError(
                f"{self._where}: no reply within {self._backend.timeout_s:g} s (vlm.timeout_s)"
            )
        if isinstance(error, openai.APIConnectionError):
            cause = error.__cause__ or error
            return RetryableError(f"{self._where}: no connection: {cause}. Check vlm.base_url and the server")
        if isinstance(error, openai.APIStatusError) and error.status_code >= 500:
            return RetryableError(f"{self._where}: HTTP {error.status_code}: {_said(error)}")
        return self._refusal(error)

    def _refusal(self, error: openai.APIError) -> ClientError:
        status = error.status_code if isinstance(error, openai.APIStatusError) else "error"
        checks = {
            401: f"Check the key in the environment variable {self._backend.api_key_env}",
            403: f"Check what the key in the environment variable {self._backend.api_key_env} may use",
            404: "Check vlm.model and vlm.base_url",
        }
        fix = checks.get(status, "Check vlm.model and what it accepts") if isinstance(status, int) else ""
        return ClientError(f"{self._where}: HTTP {status}: {_said(error)}. {fix}")


def _server(backend: OpenAIBackend, key: str) -> openai.AsyncOpenAI:
    try:
        return openai.AsyncOpenAI(
            base_url=backend.base_url,
            # The SDK wants some key; a server that needs none ignores it.
            api_key=key or "none",
            timeout=backend.timeout_s,
            max_retries=0,
        )
    except Exception as error:
        # The SDK lets through InvalidURL of its HTTP library, and which library that is differs by version.
        raise ClientError(
            f"vlm.base_url: {backend.base_url!r} is no address ({error}). "
            "Give one such as http://127.0.0.1:8000/v1"
        ) from error


class _Alternative(BaseModel):
    token: str
    logprob: float


class _Token(BaseModel):
    top_logprobs: list[_Alternative] = []


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    logprobs: _Logprobs | None = None
    finish_reason: str | None = None


class _Details(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Completion(BaseModel):
    """The parts of a chat completion that are read; the rest is ignored."""

    choices: tuple[_Choice, ...] = Field(min_length=1)
    usage: _Usage | None = None


def _messages(prompt: Prompt) -> list[dict[str, object]]:
    pictures = [
        {"type": "image_url", "image_url": {"url": _data_url(picture)}} for picture in prompt.pictures
    ]
    return [{"role": "user", "content": [*pictures, {"type": "text", "text": prompt.text}]}]


def _data_url(picture: Picture) -> str:
    return f"data:{picture.mime};base64,{base64.b64encode(picture.data).decode()}"


def _reply(completion: _Completion, options: tuple[str, ...], model: str, latency_s: float) -> Reply:
    choice, usage = completion.choices[0], completion.usage or _Usage()
    logprobs = _option_logprobs(choice.logprobs, options)
    details = usage.prompt_tokens_details
    return Reply(
        text=choice.message.content or choice.message.refusal or "",
        model=model,
        option_logprobs=logprobs,
        logprobs_kind="before_mask" if logprobs else None,
        finish_reason=choice.finish_reason,
        latency_s=latency_s,
        tokens_in=usage.prompt_tokens,
        tokens_out=usage.completion_tokens,
        tokens_cached=details.cached_tokens if details else None,
    )


def _option_logprobs(told: _Logprobs | None, options: tuple[str, ...]) -> tuple[float, ...] | None:
    """Log-probability of each letter as the first token; "A" and " A" are the same letter."""
    if told is None or not told.content or not told.content[0].top_logprobs:
        return None
    shares = dict.fromkeys(options, 0.0)
    for alternative in told.content[0].top_logprobs:
        letter = alternative.token.strip()
        if letter in shares:
            shares[letter] += math.exp(min(alternative.logprob, 0.0))
    return tuple(math.log(share) if share > 0 else -math.inf for share in shares.values())


def _said(error: openai.APIError) -> str:
    return _short(error.message)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SAID_CHARS else f"{line[: _SAID_CHARS - 3]}..."


def _seconds(header: str | None) -> float | None:
    """A retry-after header in seconds; None for a date or anything else."""
    try:
        wait_s = float(header or "")
    except ValueError:
        return None
    return wait_s if math.isfinite(wait_s) and wait_s >= 0 else None
