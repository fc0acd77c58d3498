"""Which vision-language model answers, and where it runs."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from curate.recipe.fields import FolderOrId, Text
from curate.sections import Section


class Price(Section):
    """What tokens cost, in US dollars a million."""

    input: float = Field(ge=0)
    """Prompt tokens."""

    output: float = Field(ge=0)
    """Tokens of the reply."""

    cached: float | None = Field(default=None, ge=0)
    """Prompt tokens that the server had cached; as `input` if left out."""


class OpenAIBackend(Section):
    """Any server that speaks the OpenAI protocol."""

    backend: Literal["openai"]
    """openai: over HTTP."""

    model: Text
    """Name of the model at the server."""

    revision: str = "unknown"
    """Revision of the model, as far as the server's owner tells; part of every call's key."""

    base_url: str = "http://127.0.0.1:8000/v1"
    """Address of the server."""

    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; a local server needs none."""

    concurrency: int = Field(default=64, ge=1, le=1024)
    """Requests under way at once, at most. How many the server bears is found out: eight to begin
    with, twice as many with every round of replies until it balks."""

    timeout_s: float = Field(default=120, gt=0)
    """Longest wait for one reply, in seconds."""

    retries: int = Field(default=5, ge=0, le=20)
    """How often a failed request is sent again."""

    gone_after_s: float = Field(default=60, gt=0)
    """The run stops when requests fail and none was answered for so long, in seconds."""

    temperature: float = Field(default=0, ge=0, le=2)
    """Sampling temperature."""

    seed: int = 0
    """Sampling seed, sent with every request."""

    price: Price | None = None
    """What the server's tokens cost; a cap on cost needs it."""

    @field_validator("api_key_env")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            # Not repeated here: it may be the key itself.
            raise ValueError(
                "is no name of an environment variable in capitals, such as OPENAI_API_KEY. "
                "A key itself must not stand in a recipe"
            )
        return name

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, base_url: str) -> str:
        example = "http://127.0.0.1:8000/v1"
        try:
            parts = urlsplit(base_url)
            sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
        if not sound:
            raise ValueError(f"{base_url!r} is no address of a server, such as {example}")
        if "@" in parts.netloc:
            # Not repeated here: an error's text is seen by others than the recipe is.
            raise ValueError("holds a user or password. Put the key into the variable that api_key_env names")
        return base_url

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, and so may need no key."""
        return urlsplit(self.base_url).hostname in ("127.0.0.1", "localhost", "::1")


class TransformersBackend(Section):
    """A transformers image-text-to-text model in this process (extra: local)."""

    backend: Literal["transformers"]
    """transformers: in this process."""

    model: FolderOrId
    """Folder or Hub id; `demo` is the small model that ships with curate."""

    revision: str | None = None
    """Revision on the Hub."""

    device: str = "cpu"
    """torch device, such as cpu or cuda:0."""

    batch_size: int = Field(default=16, ge=1, le=1024)
    """Prompts that are answered together."""

    threads: int | None = Field(default=None, ge=1)
    """CPU threads; torch's own choice if left out."""


class VllmBackend(Section):
    """vLLM in this process, batching continuously over everything that is asked (extra: vllm)."""

    backend: Literal["vllm"]
    """vllm: in this process."""

    model: FolderOrId
    """Folder or Hub id; `demo` is the small model that ships with curate."""

    revision: str | None = None
    """Revision on the Hub."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Type of the weights; auto is the checkpoint's own."""

    max_model_len: int | None = Field(default=None, ge=64)
    """Longest prompt and reply together, in tokens; the model's own limit if left out."""

    max_num_seqs: int = Field(default=256, ge=1, le=4096)
    """Prompts that are computed at once, at most."""

    gpu_memory_share: float = Field(default=0.9, gt=0, le=1)
    """Share of a GPU's memory that the engine may take."""

    tensor_parallel: int = Field(default=1, ge=1)
    """GPUs over which the model is spread."""

    temperature: float = Field(default=0, ge=0, le=2)
    """Sampling temperature."""

    seed: int = 0
    """Sampling seed."""


class ReplayBackend(Section):
    """Answers recorded by an earlier run; asks nobody."""

    backend: Literal["replay"]
    """replay: from a ledger."""

    ledger: Path
    """ledger.sqlite of the run that recorded them."""


Vlm = Annotated[
    OpenAIBackend | TransformersBackend | VllmBackend | ReplayBackend, Field(discriminator="backend")
]


def price_of(vlm: Vlm) -> Price | None:
    """What a model's tokens cost; None where nothing is paid a token, or nobody said what."""
    return vlm.price if isinstance(vlm, OpenAIBackend) else None
