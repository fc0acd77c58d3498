"""The client that a recipe asks for."""

from collections.abc import Mapping

from curate.recipe import OpenAIBackend, TransformersBackend, Vlm
from curate.vlm.client import VisionClient
from curate.vlm.openai import OpenAIClient
from curate.vlm.replay import ReplayClient
from curate.vlm.transformers import TransformersClient


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
        return OpenAIClient(vlm, environ.get(vlm.api_key_env, ""))
    if isinstance(vlm, TransformersBackend):
        return TransformersClient(vlm)
    return ReplayClient(vlm.ledger)
