"""A checkpoint's name: what a number can be traced back to."""

import hashlib
from pathlib import Path
from typing import Any

from curate.files import sha256_of


def model_name(model: str, config: Any) -> str:
    """name@revision: the Hub's commit, or a digest of the weights in a folder.

    Args:
        model: Hub id or folder.
        config: transformers' configuration of the loaded model.
    """
    folder = Path(model)
    if not folder.is_dir():
        return f"{model}@{config._commit_hash}"
    digests = (bytes.fromhex(sha256_of(path)) for path in sorted(folder.glob("*.safetensors")))
    # The folder's own name: where it lies on this machine decides no number.
    return f"{folder.resolve().name}@sha256:{hashlib.sha256(b''.join(digests)).hexdigest()[:16]}"
