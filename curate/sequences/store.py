"""Arrays that were dear to compute, kept on disk under the digest of what they were computed from."""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.files import replaced

_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class ArrayStore:
    """A folder of arrays, ab/abcd….npy; safe to share between threads and processes.

    A file is NumPy's own format followed by a sha256 over key and content, so
    that `numpy.load` reads it and a bit that flipped, an end that is missing
    or a file under another's name is noticed.
    """

    folder: Path

    def get(self, key: str) -> NDArray[Any] | None:
        """The array kept under a key; None if there is none, or it was damaged since.

        Args:
            key: A sha256 as hex; see `key_of`.

        Raises:
            ValueError: The key is no sha256.
        """
        try:
            content = self.path(key).read_bytes()
        except OSError:
            # Whatever cannot be read is made anew; if the disk is broken, `put` says so.
            return None
        written, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
        if digest != _digest(key, written):
            return None
        array: NDArray[Any] = np.load(io.BytesIO(written), allow_pickle=False)
        return array

    def put(self, key: str, array: NDArray[Any]) -> None:
        """Keep an array, whole or not at all; it takes the place of one that is there.

        Args:
            key: A sha256 as hex; see `key_of`.
            array: Of numbers, texts or records of these; any shape.

        Raises:
            ValueError: The key is no sha256, or the array holds Python objects.
        """
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        written = buffer.getvalue()
        with replaced(self.path(key)) as partial:
            partial.write_bytes(written + _digest(key, written))

    def path(self, key: str) -> Path:
        """Where a key's array is kept."""
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            raise ValueError(f"key must be 64 hex digits, got {key!r}")
        return self.folder / key[:2] / f"{key}.npy"


def key_of(*decided_by: object) -> str:
    """Key of what an array is computed from: sha256 as hex of the arguments as JSON.

    Args:
        decided_by: Texts, numbers, None, and lists and mappings of these;
            1 and "1" are told apart, a list and a tuple are not.
    """
    return hashlib.sha256(json.dumps(decided_by, sort_keys=True).encode()).hexdigest()


def _digest(key: str, written: bytes) -> bytes:
    return hashlib.sha256(bytes.fromhex(key) + written).digest()
