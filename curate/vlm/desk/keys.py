"""The name of a call: a digest of everything that decides its reply."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields

from curate.vlm.client import Form, Picture, Prompt

_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
"""Made once: making one takes as long as writing a prompt does."""


def call_key(prompt: str, *, model: str, parameters: str, prompt_version: str, receipt: str) -> str:
    """sha256, as hex, over prompt, model, parameters, prompt version and receipt.

    Args:
        prompt: `prompt_digest`.
        model: name@revision of the model that answers.
        parameters: What decides a reply beside prompt and model, as `canonical` JSON.
        prompt_version: Version of the words around the question.
        receipt: Of the pictures (curate.frames.receipt).
    """
    return digest_of(
        {
            "prompt": prompt,
            "model": model,
            "parameters": parameters,
            "prompt_version": prompt_version,
            "receipt": receipt,
        }
    )


def prompt_digest(prompt: Prompt) -> str:
    """sha256, as hex, of a whole prompt, whoever is asked.

    Counted are the parts in their order (pictures by their digests), the form
    of the reply with all its fields, the draw, the temperature that the
    prompt itself asks for, and what tells it apart on purpose.
    """
    return digest_of(
        {
            "parts": [_part(part) for part in prompt.parts],
            "form": _form(prompt.form),
            "draw": prompt.draw,
            "warm": prompt.warm,
            "again": prompt.again,
        }
    )


def digest_of(parts: Mapping[str, object]) -> str:
    """sha256 of the canonical JSON of `parts`, as hex."""
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def canonical(parts: Mapping[str, object]) -> str:
    """JSON with sorted keys and no spaces: the same parts give the same text."""
    return _WRITER.encode(dict(parts))


def _part(part: Picture | str) -> str | list[str]:
    """Words as they are; a picture as a list, which no words can look like."""
    return part if isinstance(part, str) else [part.sha256, part.mime]


def _form(form: Form) -> list[object]:
    """The kind, then each field's value in the order of the class: tuples become lists."""
    return [type(form).__name__, *(getattr(form, field.name) for field in fields(form))]
