"""Pictures by the digest of their bytes."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from curate.errors import InputError
from curate.frames.pictures import PictureStore


def test_what_is_put_can_be_had(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "pictures")
    digest = store.put(b"picture")
    assert digest == hashlib.sha256(b"picture").hexdigest()
    assert store.get(digest) == b"picture"
    assert store.path(digest) == tmp_path / "pictures" / digest[:2] / f"{digest}.jpg"


def test_the_same_bytes_are_stored_once_by_many_threads(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(store.put, [b"same"] * 64))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [store.path(digests.pop())]


def test_missing_and_changed_pictures_are_told_apart(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    with pytest.raises(InputError, match="is not there"):
        store.get("0" * 64)
    digest = store.put(b"picture")
    store.path(digest).write_bytes(b"other")
    with pytest.raises(InputError, match="was changed since it was stored"):
        store.get(digest)
