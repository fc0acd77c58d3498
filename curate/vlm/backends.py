"""The client that a recipe asks for."""

from collections.abc import Mapping
from pathlib import Path

from curate.errors import ClientError, Problem
from curate.recipe import OpenAIBackend, ReplayBackend, TransformersBackend, Vlm
from curate.resources import resource
from curate.vlm.client import VisionClient
from curate.vlm.local.processor import DEMO
from curate.vlm.local.transformers import TransformersClient
from curate.vlm.local.vllm import VllmClient
from curate.vlm.replay import ReplayClient
from curate.vlm.server.openai import OpenAIClient


def open_client(vlm: Vlm, environ: Mapping[str, str]) -> VisionClient:
    """Open the client of a recipe's `vlm` section.

    Args:
        vlm: Which backend, and its settings.
        environ: Where the key of a server is looked up; nothing else is.

    Raises:
        MissingPartError: A package that the backend needs is not installed.
        ClientError: The model or the ledger cannot be opened.
    """
    if isinstance(vlm, OpenAIBackend):
        if missing := missing_key(vlm, environ):
            raise ClientError(f"{missing}")
        return OpenAIClient(vlm, environ.get(vlm.api_key_env, ""))
    if isinstance(vlm, TransformersBackend):
        return TransformersClient(vlm)
    return ReplayClient(vlm.ledger) if isinstance(vlm, ReplayBackend) else VllmClient(vlm)


def missing_key(vlm: OpenAIBackend, environ: Mapping[str, str]) -> Problem | None:
    """What to do where a server that is not on this machine has no key in the environment."""
    if vlm.is_local or environ.get(vlm.api_key_env):
        return None
    what = f"{vlm.api_key_env} is not set, and {vlm.base_url} is not this machine"
    fix = (
        f"export {vlm.api_key_env}=…, any word if the server wants none, or name another variable in "
        "vlm.api_key_env"
    )
    return Problem("vlm.api_key_env", what, fix)


def vlm_files(vlm: Vlm) -> list[tuple[str, int, int]]:
    """Name, size and time of change of the files that answer: a model's folder, or a ledger to replay.

    Empty for a server and for a model on the Hub, which say by their revision
    what they are.
    """
    if isinstance(vlm, OpenAIBackend):
        return []
    if isinstance(vlm, ReplayBackend):
        files = [vlm.ledger] if vlm.ledger.is_file() else []
    else:
        folder = resource("demo/model") if vlm.model == DEMO else Path(vlm.model)
        files = sorted(folder.glob("*.safetensors"))
    seen = [(path.name, path.stat()) for path in files]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in seen]
