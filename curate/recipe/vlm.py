"""Which vision-language model answers, and where it runs."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from curate.recipe.fields import FolderOrId, Text
from curate.sections import Section


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

    concurrency: int = Field(default=8, ge=1, le=1024)
    """Requests under way at once."""

    timeout_s: float = Field(default=120, gt=0)
    """Longest wait for one reply, in seconds."""

    retries: int = Field(default=5, ge=0, le=20)
    """How often a failed request is sent again."""

    temperature: float = Field(default=0, ge=0, le=2)
    """Sampling temperature."""

    seed: int = 0
    """Sampling seed, sent with every request."""

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


class ReplayBackend(Section):
    """Answers recorded by an earlier run; asks nobody."""

    backend: Literal["replay"]
    """replay: from a ledger."""

    ledger: Path
    """ledger.sqlite of the run that recorded them."""


Vlm = Annotated[OpenAIBackend | TransformersBackend | ReplayBackend, Field(discriminator="backend")]
