"""From table clips to table frames."""

import shutil
from pathlib import Path

from curate.clips.media import media_store
from curate.clips.read import read_clips
from curate.frames.pictures import PictureStore
from curate.frames.take import FrameTables, take_frames
from curate.recipe import FolderClips, Frames

NAMES = ("single_face.mp4", "carphone_distorted.mp4", "justin.jpg", "test_video.mp4")


def copied(test_data: Path, folder: Path) -> FolderClips:
    folder.mkdir()
    for name in NAMES:
        shutil.copyfile(test_data / "clips" / name, folder / name)
    return FolderClips(source="folder", path=folder)


def test_every_clip_gives_its_pictures(test_data: Path, tmp_path: Path) -> None:
    recipe = copied(test_data, tmp_path / "clips")
    clips = read_clips(recipe, ("a", "b")).clips
    pictures = PictureStore(tmp_path / "pictures")
    told: list[tuple[int, int]] = []

    def take() -> FrameTables:
        return take_frames(
            clips,
            media_store(recipe),
            Frames(count=2),
            pictures,
            lambda done, total: told.append((done, total)),
        )

    found = take()
    assert found.frames.height == 2 + 2 + 1 + 2  # a still image gives one
    assert found.frames.equals(found.frames.sort("clip_id", "index"))
    assert all(pictures.get(digest) for digest in found.frames["sha256"])
    assert found.problems.is_empty()
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert take().frames.equals(found.frames)


def test_frames_between_have_their_own_role(test_data: Path, tmp_path: Path) -> None:
    recipe = copied(test_data, tmp_path / "clips")
    clips = read_clips(recipe, ("a", "b")).clips
    pictures = PictureStore(tmp_path / "pictures")
    plain = take_frames(clips, media_store(recipe), Frames(count=2), pictures).frames
    found = take_frames(clips, media_store(recipe), Frames(count=2), pictures, between=3).frames
    assert found.filter(role="key").equals(plain)
    # A gap in each of three videos, none in the still image.
    assert found.filter(role="between").group_by("clip_id").len()["len"].to_list() == [3, 3, 3]


def test_media_that_is_gone_or_damaged_is_set_aside(test_data: Path, tmp_path: Path) -> None:
    recipe = copied(test_data, tmp_path / "clips")
    clips = read_clips(recipe, ("a", "b")).clips
    (recipe.path / "single_face.mp4").unlink()
    (recipe.path / "test_video.mp4").write_bytes(b"text")
    found = take_frames(clips, media_store(recipe), Frames(), PictureStore(tmp_path / "pictures"))
    assert found.frames["clip_id"].n_unique() == 2
    problems = found.problems.sort("clip").select("clip", "kind", "what", "action").rows()
    unreadable = "is not a video or an image that can be read (Invalid data found when processing input)"
    assert problems == [
        ("single_face.mp4", "media", f"is no longer in {recipe.path}", "set_aside"),
        ("test_video.mp4", "media", unreadable, "set_aside"),
    ]
