"""What lies in a folder beside ordinary files."""

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from curate.clips.fingerprint import fingerprint
from curate.clips.folder import folder_clips
from curate.clips.listing import listing
from curate.clips.media import FolderStore, media_bytes
from curate.clips.probe import probe
from curate.errors import MediaError
from curate.recipe import FolderClips

NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that other users can reach, unlike pytest's own."""
    with TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made).resolve()


@contextmanager
def unprivileged() -> Iterator[None]:
    """The block is run as a user who may not read everything, also where tests are run by root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def reasons(folder: Path) -> dict[str, str]:
    return {one.name: one.what for one in listing(folder).refused}


def test_what_is_no_file_is_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe.mp4")
    os.mknod(folder / "socket", 0o600 | stat.S_IFSOCK)
    (folder / "empty.mov").mkdir()
    (folder / "empty").mkdir()
    assert reasons(folder) == {
        "empty.mov": "is an empty folder, and no file",
        "pipe.mp4": "is a named pipe, and no file",
        "socket": "is a socket, and no file",
    }
    assert listing(folder).names == ()
    with pytest.raises(MediaError):
        FolderStore(folder).open("pipe.mp4")
    # Only what is read decides whether it has changed.
    clips = FolderClips(source="folder", path=folder)
    before = fingerprint(clips)
    (folder / "pipe.mp4").unlink()
    assert fingerprint(clips) == before


def test_a_folder_of_that_name_is_a_folder(folder: Path) -> None:
    (folder / "clip.mp4").mkdir()
    (folder / "clip.mp4" / "a.mp4").touch()
    assert listing(folder).names == ("clip.mp4/a.mp4",)
    assert reasons(folder) == {}


def test_links_that_lead_out_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "private.mp4").touch()
    (tmp_path / folder.name).mkdir()  # another folder of the same name
    (folder / "file.mp4").symlink_to(tmp_path / "private.mp4")
    (folder / "all").symlink_to(tmp_path)
    (folder / "up").symlink_to("..")
    (folder / "same").symlink_to(tmp_path / folder.name)
    (folder / "beside.mp4").symlink_to(f"{folder}.mp4")
    found = reasons(folder)
    assert found.keys() == {"file.mp4", "all", "up", "same", "beside.mp4"}
    assert found["file.mp4"] == f"is a link to {tmp_path / 'private.mp4'}, which is outside of {folder}"
    assert all(what.endswith(f", which is outside of {folder}") for what in found.values())
    assert listing(folder).names == ()


def test_links_that_lead_nowhere_or_to_themselves(folder: Path) -> None:
    (folder / "lost.mp4").symlink_to(folder / "nowhere")
    (folder / "self.mp4").symlink_to(folder / "self.mp4")
    (folder / "a.mp4").symlink_to(folder / "b.mp4")
    (folder / "b.mp4").symlink_to(folder / "a.mp4")
    assert reasons(folder) == dict.fromkeys(
        ["a.mp4", "b.mp4", "lost.mp4", "self.mp4"], "is a link that leads nowhere"
    )


def test_what_may_not_be_read_is_told(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0)
    (folder / "secret.mp4").write_bytes(b"x")
    (folder / "secret.mp4").chmod(0)
    with unprivileged():
        assert reasons(folder) == {"closed": "cannot be opened (Permission denied)"}
        (clip,), (finding,) = folder_clips(folder)
        assert finding.fix == "Allow reading it"
        place = FolderStore(folder).open(clip.uri)
        with pytest.raises(MediaError, match=r"^secret.mp4 cannot be opened \(Permission denied\)$"):
            probe(place, clip.name)
        with pytest.raises(MediaError, match="Permission denied"):
            media_bytes(place)
        with pytest.raises(MediaError, match=r"^a.mp4 cannot be opened \(Permission denied\)$"):
            FolderStore(folder / "closed").open("a.mp4")
    (folder / "closed").chmod(0o700)


def test_folders_nested_deeper_than_functions_can_be(folder: Path) -> None:
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    (folder / "a.mp4").touch()
    assert listing(folder).names == ("a.mp4",)
    # Python's own way to take folders away calls itself.
    subprocess.run(["rm", "-rf", folder / "d"], check=True)


@pytest.mark.parametrize(
    "name", ["-rf.mp4", "a\nb.mp4", "\N{GRINNING FACE}.mp4", " .mp4", "%d.mp4", "x" * 250]
)
def test_any_name_will_do(folder: Path, name: str) -> None:
    (folder / name).touch()
    assert listing(folder).names == (name,)


def test_a_link_s_target_that_is_no_text_can_be_told(folder: Path, tmp_path: Path) -> None:
    (folder / "a.mp4").symlink_to(os.fsdecode(bytes(tmp_path) + b"/\xff"))
    (_,) = folder_clips(folder)[1]
    assert reasons(folder)["a.mp4"].startswith(f"is a link to {tmp_path}/\\xff, which")
