import os
import zipfile
from pathlib import Path

import pytest

from curate.errors import InputError, MediaError
from curate.sequences.archive import open_archive

FILES = {"b/2.json": b"two", "b/10.json": b"ten", "a.json": b"a"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    (tmp_path / "in" / ".hidden").mkdir()
    (tmp_path / "in" / ".hidden" / "x.json").write_bytes(b"x")
    (tmp_path / "in" / ".y.json").write_bytes(b"y")
    return tmp_path / "in"


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return path


def test_a_folder_and_a_zip_file_hold_the_same(folder: Path, tmp_path: Path) -> None:
    junk = {"__MACOSX/b/._2.json": b"", ".y.json": b"y"}
    packed = zipped(tmp_path / "in.zip", FILES | junk)
    for place in (folder, packed):
        with open_archive(place, "key") as archive:
            assert archive.names() == ["a.json", "b/10.json", "b/2.json"]
            assert {name: archive.read(name, 100) for name in archive.names()} == FILES


def test_a_file_that_is_too_long_is_not_unpacked(folder: Path, tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.zip", {"a.json": b"0" * 50_000_000})
    assert bomb.stat().st_size < 100_000
    for place in (folder, bomb):
        with open_archive(place, "key") as archive, pytest.raises(MediaError, match="is longer than"):
            archive.read("a.json" if place == bomb else "b/10.json", 2)


def test_a_name_that_leads_out_is_only_a_name(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "evil.zip", {"../../out.json": b"1", "/etc/out.json": b"2"})
    with open_archive(packed, "key") as archive:
        read = {name: archive.read(name, 9) for name in archive.names()}
    assert set(read.values()) <= {b"1", b"2"}
    assert [path.name for path in tmp_path.iterdir()] == ["evil.zip"]


def test_a_link_that_leads_out_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_bytes(b"secret")
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "inside.json").symlink_to(folder / "a.json")
    with open_archive(folder, "key") as archive:
        assert archive.read("inside.json", 9) == b"a"
        with pytest.raises(MediaError, match="leads out of the folder"):
            archive.read("link.json", 9)


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.json")
    with open_archive(folder, "key") as archive, pytest.raises(MediaError, match="is no file"):
        archive.read("pipe.json", 9)


def test_a_damaged_member(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "cut.zip", {"a.json": bytes(range(256)) * 40})
    raw = bytearray(packed.read_bytes())
    raw[60:80] = b"\xff" * 20
    packed.write_bytes(raw)
    with open_archive(packed, "key") as archive, pytest.raises(MediaError, match="cannot be unpacked"):
        archive.read("a.json", 100_000)


@pytest.mark.parametrize(
    ("name", "told"), [("none", "no such folder or file"), ("text", "neither a folder nor a ZIP file")]
)
def test_what_is_no_folder(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "text").write_text("hello", encoding="utf-8")
    with pytest.raises(InputError, match=told), open_archive(tmp_path / name, "clips.keypoints.path"):
        pass
