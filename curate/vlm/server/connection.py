"""HTTP to one server: bytes there, bytes back, and an error that says what to put right."""

import asyncio
import math
import re
from collections.abc import Mapping

import httpx2

from curate.errors import ClientError, RateLimited, ServerTrouble, TimedOut, Unreachable
from curate.recipe import OpenAIBackend
from curate.vlm.server.said import SCRUBBED, error_message, shown

_TOO_MANY_PICTURES = re.compile(r"\bimages?\b|\bmulti-?modal\b", re.IGNORECASE)
_TOO_LONG = re.compile(r"context length|max_model_len|too long", re.IGNORECASE)
_KEY = re.compile(r"[!-~]*")
_IDLE_S = 2.0
"""An idle connection is used again within this time only. vLLM closes one after 5 s, and a request
sent at that moment is lost."""
_SCRUBBED_EVERYWHERE = 8
"""A key so long is no word of a reply, so it is taken out of everything that a server sends."""


class Refused(ClientError):
    """The server will not do what was asked; `status` is the HTTP status, `said` its words."""

    def __init__(self, message: str, status: int, said: str) -> None:
        """Keep what callers look at."""
        self.status = status
        self.said = said
        super().__init__(message)


class Connection:
    """Sends requests with the recipe's key, each within the recipe's time.

    The key goes to the recipe's server only: redirects are not followed. It
    never comes back: what a server repeats of it is scrubbed.
    """

    def __init__(self, backend: OpenAIBackend, key: str) -> None:
        """Open nothing yet. `key` may be empty: a local server needs none.

        Raises:
            ClientError: The base URL is no address, or the key holds what no key can hold.
        """
        self._backend = backend
        self._key = key.strip()
        if not _KEY.fullmatch(self._key):
            raise ClientError(
                f"the environment variable {backend.api_key_env} holds characters that no key can hold. "
                "Set it again"
            )
        self._key_in_body = _as_in_bodies(self._key)
        self.base = _address(backend.base_url)
        self.root = self.base.removesuffix("/v1")
        """Where vLLM keeps what is not of the protocol."""
        self._client = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            # One time limit over the whole call, below; how many calls at once is decided elsewhere.
            timeout=None,
            limits=httpx2.Limits(
                max_connections=None, max_keepalive_connections=None, keepalive_expiry=_IDLE_S
            ),
        )

    async def get(self, url: str) -> bytes:
        """The body at an address; errors are those of `post`."""
        return await self._sent("GET", url, b"")

    async def post(self, url: str, body: bytes) -> bytes:
        """The body that comes back for a JSON body.

        Raises:
            RateLimited: HTTP 429, or 503 that names a wait.
            TimedOut: Nothing whole came within the recipe's time.
            Unreachable: No connection, or one that broke.
            ServerTrouble: Another HTTP 5xx.
            Refused: Any other status but success.
        """
        return await self._sent("POST", url, body)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def shown(self, text: str) -> str:
        """A text from outside, fit to be shown; see `curate.vlm.server.said.shown`."""
        return shown(text, self._key)

    @property
    def where(self) -> str:
        """Model and address, as an error names them."""
        return f"model {self._backend.model} at {self._backend.base_url}"

    async def _sent(self, method: str, url: str, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            async with asyncio.timeout(self._backend.timeout_s):
                response = await self._client.request(method, url, content=body or None, headers=headers)
        except TimeoutError as error:
            limit = f"{self._backend.timeout_s:g} s (vlm.timeout_s)"
            raise TimedOut(f"{self.where}: no reply within {limit}") from error
        except httpx2.ConnectError as error:
            said = self.shown(str(error) or type(error).__name__)
            fix = "Check vlm.base_url and the server"
            raise Unreachable(f"{self.where}: no connection: {said}. {fix}") from error
        except httpx2.RequestError as error:
            said = self.shown(str(error) or type(error).__name__)
            raise Unreachable(f"{self.where}: the connection broke: {said}") from error
        content = self._scrubbed(response.content)
        if response.is_success:
            return content
        raise self._failure(response.status_code, response.headers, self.shown(error_message(content)))

    def _scrubbed(self, content: bytes) -> bytes:
        if len(self._key) < _SCRUBBED_EVERYWHERE:
            return content
        return self._key_in_body.sub(SCRUBBED.encode(), content)

    def _failure(self, status: int, headers: Mapping[str, str], said: str) -> ClientError:
        wait_s = _seconds(headers.get("retry-after"))
        if status == 429 or (status == 503 and wait_s is not None):
            return RateLimited(f"{self.where}: too many requests: {said}", wait_s)
        if status >= 500:
            return ServerTrouble(f"{self.where}: HTTP {status}: {said}")
        text = f"{self.where}: HTTP {status}: {said.rstrip('.')}. {self._fix(status, said)}"
        return Refused(text.strip(), status, said)

    def _fix(self, status: int, said: str) -> str:
        if status == 401:
            return f"Check the key in the environment variable {self._backend.api_key_env}"
        if status == 403:
            return f"Check what the key in the environment variable {self._backend.api_key_env} may use"
        if status == 404 or 300 <= status < 400:
            return "Check vlm.model and vlm.base_url"
        if _TOO_LONG.search(said):
            return "Lower frames.count or frames.size_px, or let the server take longer prompts"
        if _TOO_MANY_PICTURES.search(said):
            return "Lower frames.count, or let the server take more pictures (vLLM: --limit-mm-per-prompt)"
        return "Check vlm.model and what it accepts"


def _as_in_bodies(key: str) -> re.Pattern[bytes]:
    r"""Finds a key in a body, be it spelled with JSON's escapes, such as \/ or \u002f.

    With any number of backslashes: a reply's text may be JSON with escapes of
    its own, which are undone only where that is read.
    """
    characters = (rf"(?:\\*{re.escape(one)}|\\+u(?i:{ord(one):04x}))" for one in key)
    # From the first of several backslashes only: else a body full of them takes the square of its length.
    return re.compile((r"(?<!\\)" + "".join(characters)).encode())


def _address(base_url: str) -> str:
    """The base URL without a slash at its end.

    Raises:
        ClientError: It is no address.
    """
    try:
        url = httpx2.URL(base_url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise ClientError(
            f"vlm.base_url: {base_url!r} is no address ({error}). Give one such as http://127.0.0.1:8000/v1"
        ) from error
    return str(url).rstrip("/")


def _seconds(header: str | None) -> float | None:
    """A retry-after header in seconds; None for a date or anything else."""
    try:
        wait_s = float(header or "")
    except ValueError:
        return None
    return wait_s if math.isfinite(wait_s) and wait_s >= 0 else None
