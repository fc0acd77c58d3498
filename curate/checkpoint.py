"""What a checkpoint of a model is called, and where it is computed."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curate.files import sha256_of

_DIGITS = 16


def model_name(model: str, config: Any) -> str:
    """name@revision: the Hub's commit, or a digest of the weights in a folder.

    Args:
        model: Hub id or folder.
        config: transformers' configuration of the loaded model.
    """
    folder = Path(model)
    if not folder.is_dir():
        return f"{model}@{config._commit_hash}"
    # The folder's own name: where it lies on this machine decides no number.
    return f"{folder.resolve().name}@sha256:{weights_digest(folder)}"


def weights_digest(folder: Path) -> str:
    """First 16 hex digits of the sha256 over the safetensors files, in order of their names."""
    digests = (bytes.fromhex(sha256_of(path)) for path in sorted(folder.glob("*.safetensors")))
    return hashlib.sha256(b"".join(digests)).hexdigest()[:_DIGITS]


def placeless(config: Mapping[str, Any]) -> dict[str, object]:
    """A configuration without the folder that it was read from, nor the version that read it."""
    return {
        key: placeless(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if key not in {"_name_or_path", "transformers_version"}
    }


def chosen_device(asked: str) -> str:
    """The torch device of a recipe's `device`; auto takes what computes fastest here.

    Raises:
        ImportError: torch is not installed.
    """
    if asked != "auto":
        return asked
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
