import hashlib
from pathlib import Path

import pytest

from curate.files import replaced, sha256_of, write_text


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail_halfway() -> None:
        with replaced(path) as partial:
            partial.write_text("half", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_digest_is_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    write_text(path, "grüß")
    assert sha256_of(path) == hashlib.sha256("grüß".encode()).hexdigest()
