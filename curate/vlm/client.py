"""What is put to a vision-language model, what comes back, and the protocol between."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

LogprobsKind = Literal["after_mask", "before_mask"]
"""Whether log-probabilities are over the allowed tokens only, or over all tokens."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture and the digest of its bytes."""

    data: bytes
    sha256: str
    mime: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Prompt:
    """Pictures, then words that ask for one letter of several."""

    pictures: tuple[Picture, ...]
    text: str
    options: tuple[str, ...]
    """The letters to choose from, in the order of the item's options."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, before anybody reads a meaning into it."""

    text: str
    """Verbatim."""
    model: str
    """name@revision."""
    option_logprobs: tuple[float, ...] | None = None
    """Natural-log probability of each of the prompt's letters as the next token;
    -inf for a letter that the server did not list. None if nothing was told."""
    logprobs_kind: LogprobsKind | None = None
    finish_reason: str | None = None
    latency_s: float = 0.0
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard a client may be driven."""

    concurrency: int
    """Prompts under way at once."""
    retries: int = 0
    """How often a prompt is put again after a `RetryableError`."""


class VisionClient(Protocol):
    """Puts one prompt to a vision-language model.

    Implementations raise `RateLimited` or another `RetryableError` when asking
    again may help, and a plain `ClientError` when it will not. They never
    parse, retry or cache: those belong to the caller, once, for every client.
    """

    @property
    def model(self) -> str:
        """name@revision of the model that answers."""

    @property
    def parameters(self) -> Mapping[str, object]:
        """What decides a reply beside prompt and model; JSON values."""

    @property
    def pace(self) -> Pace:
        """How many prompts at once, and how patiently."""

    async def ask(self, prompt: Prompt) -> Reply:
        """Put one prompt, once."""

    async def close(self) -> None:
        """Let go of connections, threads and memory."""
