"""The name of a call: a digest of everything that decides its reply."""

import hashlib
import json
from collections.abc import Mapping

from curate.vlm.client import Prompt, VisionClient


def call_key(prompt: Prompt, client: VisionClient, *, prompt_version: str, receipt: str, form: str) -> str:
    """sha256, as hex, over prompt, model, parameters, prompt version, receipt and form.

    Args:
        prompt: Pictures count by their digests, in order.
        client: Whose `model` and `parameters` decide the reply.
        prompt_version: Version of the words around the question.
        receipt: Of the pictures (curate.frames.receipt).
        form: What the answer must look like: a letter, or the digest of a schema.
    """
    return digest_of(
        {
            "prompt": prompt_digest(prompt),
            "model": client.model,
            "parameters": canonical(client.parameters),
            "prompt_version": prompt_version,
            "receipt": receipt,
            "form": form,
        }
    )


def prompt_digest(prompt: Prompt) -> str:
    """sha256, as hex, of what is sent: pictures, words and letters, whoever is asked."""
    pictures = [[picture.sha256, picture.mime] for picture in prompt.pictures]
    return digest_of({"pictures": pictures, "text": prompt.text, "options": list(prompt.options)})


def digest_of(parts: Mapping[str, object]) -> str:
    """sha256 of the canonical JSON of `parts`, as hex."""
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def canonical(parts: Mapping[str, object]) -> str:
    """JSON with sorted keys and no spaces: the same parts give the same text."""
    return json.dumps(dict(parts), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
