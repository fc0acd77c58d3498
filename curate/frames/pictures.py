"""Pictures as they are sent to a model, stored under the digest of their bytes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from curate.errors import InputError, Problem
from curate.files import replaced


@dataclass(frozen=True, slots=True)
class PictureStore:
    """A folder of JPEG files, ab/abcd….jpg; safe to share between threads and processes."""

    folder: Path

    def put(self, picture: bytes) -> str:
        """Keep a picture, whole or not at all.

        Returns:
            sha256 of the bytes as hex. The same bytes are stored once.
        """
        digest = hashlib.sha256(picture).hexdigest()
        path = self.path(digest)
        if not path.exists():
            with replaced(path) as partial:
                partial.write_bytes(picture)
        return digest

    def get(self, sha256: str) -> bytes:
        """The picture of a digest.

        Raises:
            InputError: It is not there, or the file was changed since.
        """
        path = self.path(sha256)
        picture = path.read_bytes() if path.is_file() else None
        if picture is None or hashlib.sha256(picture).hexdigest() != sha256:
            found = "is not there" if picture is None else "was changed since it was stored"
            fix = "Delete the table of frames and run again"
            raise InputError(str(self.folder), [Problem(f"picture {sha256}", found, fix)])
        return picture

    def path(self, sha256: str) -> Path:
        """Where a digest's picture is stored."""
        return self.folder / sha256[:2] / f"{sha256}.jpg"
