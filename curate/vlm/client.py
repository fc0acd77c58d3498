"""What is put to a vision-language model, what comes back, and the protocol between."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

LogprobsKind = Literal["after_mask", "before_mask"]
"""Whether log-probabilities are over the allowed tokens only, or over all tokens."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture, by the digest of its bytes.

    The bytes are fetched when they are sent: a call whose reply the ledger
    holds never reads a file.
    """

    sha256: str
    read: Callable[[str], bytes] = field(compare=False, repr=False)
    """Gives the bytes of a digest."""
    mime: str = "image/jpeg"

    @property
    def data(self) -> bytes:
        """The encoded bytes."""
        return self.read(self.sha256)


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter of several is asked for; its probabilities are those of the next token."""

    letters: tuple[str, ...]
    """In the order of the options as they are listed in the prompt."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A JSON object is asked for."""

    schema: str
    """Its JSON schema, as canonical JSON."""
    max_tokens: int
    letters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Keys of the object that hold one letter of several, with the letters."""


@dataclass(frozen=True, slots=True)
class Words:
    """Free text is asked for."""

    max_tokens: int


Form = Letter | Sheet | Words


@dataclass(frozen=True, slots=True)
class Prompt:
    """Pictures and words in the order in which they are sent, and what is asked for."""

    parts: tuple[Picture | str, ...]
    form: Form
    draw: int = 0
    """Which independent draw of the reply: added to the seed."""
    warm: bool = False
    """Whether the reply is drawn at temperature 1, whatever the recipe's temperature: a sample
    of what the model believes."""
    again: str = ""
    """Tells apart calls that send the same on purpose, such as a control. It is not sent."""

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures, in order."""
        return tuple(part for part in self.parts if isinstance(part, Picture))

    @property
    def text(self) -> str:
        """The words, a line a part."""
        return "\n".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, before anybody reads a meaning into it."""

    text: str
    """Verbatim."""
    model: str
    """name@revision."""
    option_logprobs: tuple[float, ...] | None = None
    """Of a `Letter`: natural-log probability of each letter as the next token;
    -inf for a letter that the server did not list. None if nothing was told."""
    field_logprobs: Mapping[str, tuple[float, ...]] | None = None
    """Of a `Sheet`: the same for each key that holds a letter, where the reply names it."""
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
    """Prompts under way at once, at most."""
    retries: int = 0
    """How often a prompt is put again after a `RetryableError`."""
    gone_after_s: float = 60.0
    """The model counts as gone when nothing was answered for so long and calls fail."""
    queues: bool = False
    """Whether the client takes whatever it is put and batches it itself, as a model in this
    process does: nothing is then held back, and a clip's prompts are put as a whole."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a model was found to be able to tell, before anything is asked of it."""

    server: str
    """What answers, such as "vllm 0.32.0", as far as it says so."""
    logprobs: LogprobsKind | None
    """Which log-probabilities of letters it gives, if any."""
    structured: bool
    """Whether it keeps to a JSON schema."""


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """Prompt tokens looked up in, and found in, a server's prefix cache since it started."""

    queries: int
    hits: int


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
        """What decides a reply beside prompt and model; JSON values. Known once prepared."""

    @property
    def pace(self) -> Pace:
        """How many prompts at once, and how patiently."""

    async def prepare(self) -> Abilities:
        """Find out what the model can tell. Awaited once, before the first prompt."""

    async def ask(self, prompt: Prompt) -> Reply:
        """Put one prompt, once."""

    async def cache_counts(self) -> CacheCounts | None:
        """What the prefix cache has done so far; None where that is not told."""

    async def close(self) -> None:
        """Let go of connections, threads and memory."""
