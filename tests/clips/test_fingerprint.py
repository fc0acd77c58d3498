import os
from pathlib import Path

from curate.clips.fingerprint import fingerprint
from curate.recipe import FolderClips, GoldFile, LabelFile


def test_a_changed_file_changes_the_fingerprint_and_nothing_else_does(tmp_path: Path) -> None:
    media, sheet, truth = tmp_path / "clips" / "a.mp4", tmp_path / "labels.csv", tmp_path / "truth.csv"
    media.parent.mkdir()
    for path in (media, sheet, truth):
        path.write_text("one", encoding="utf-8")
    clips = FolderClips(source="folder", path=media.parent, labels=LabelFile(file=sheet))
    first = fingerprint(clips, GoldFile(file=truth))
    assert fingerprint(clips, GoldFile(file=truth)) == first

    seen = {first}
    for path in (media, sheet, truth):
        path.write_text("other", encoding="utf-8")
        seen.add(fingerprint(clips, GoldFile(file=truth)))
    (media.parent / "b.mp4").touch()
    seen.add(fingerprint(clips, GoldFile(file=truth)))
    os.utime(media, ns=(0, 0))
    seen.add(fingerprint(clips, GoldFile(file=truth)))
    assert len(seen) == 6, "each of the five changes is noticed"


def test_files_that_are_not_there_are_no_error(tmp_path: Path) -> None:
    clips = FolderClips(source="folder", path=tmp_path / "none", labels=LabelFile(file=tmp_path / "none.csv"))
    assert fingerprint(clips)
