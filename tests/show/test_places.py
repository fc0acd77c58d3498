import hashlib
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from curate.errors import MediaError
from curate.release.compare.edition import Edition
from curate.release.dataset import write_release
from curate.show.places import media_places


def released(synthetic: ModuleType, folder: Path, mode: str) -> Edition:
    write_release(folder, synthetic.make(12, release={"media": mode}).content)
    return Edition(folder)


def clips(release: Edition) -> pl.DataFrame:
    return release.clips(["clip_id", "name", "sha256"]).sort("clip_id")


def gone(clip_id: str) -> Path:
    raise MediaError(f"{clip_id} is gone")


@pytest.mark.parametrize("mode", ["embed", "files"])
def test_what_a_release_holds_stands_in_for_originals_that_are_gone(
    synthetic: ModuleType, tmp_path: Path, mode: str
) -> None:
    release = released(synthetic, tmp_path / "release", mode)
    found = media_places(clips(release), release, tmp_path / "kept", gone)
    assert not found.missing
    for clip_id, name, sha256 in clips(release).iter_rows():
        place = found.files[clip_id]
        assert hashlib.sha256(place.read_bytes()).hexdigest() == sha256
        assert place.suffix == Path(name).suffix.lower()
    # Files of a release are shown where they lie; bytes are written once, and found again.
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").glob("*")}
    assert bool(written) == (mode == "embed")
    assert media_places(clips(release), release, tmp_path / "kept", gone).files == found.files
    assert written == {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").glob("*")}


def test_a_release_without_media_says_which_are_missing(synthetic: ModuleType, tmp_path: Path) -> None:
    release = released(synthetic, tmp_path / "release", "none")
    found = media_places(clips(release), release, tmp_path / "kept", gone)
    assert found.files == {}
    assert list(found.missing) == clips(release)["clip_id"].to_list()


def test_originals_come_first_and_bytes_become_files(synthetic: ModuleType, tmp_path: Path) -> None:
    release = released(synthetic, tmp_path / "release", "embed")
    first, second = clips(release)["clip_id"].head(2)
    (tmp_path / "one.mp4").write_bytes(b"original")

    def original(clip_id: str) -> Path | bytes:
        return (
            tmp_path / "one.mp4"
            if clip_id == first
            else b"of a dataset"
            if clip_id == second
            else gone(clip_id)
        )

    found = media_places(clips(release), release, tmp_path / "kept", original)
    assert found.files[first] == (tmp_path / "one.mp4").resolve()
    assert found.files[second].read_bytes() == b"of a dataset"
    assert len(found.files) == 12
