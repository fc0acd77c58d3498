"""From a folder to checked tables: everything is read or set aside, nothing is lost."""

import hashlib
import os
import shutil
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from curate.clips.check import clip_problems
from curate.clips.content import Content
from curate.clips.fingerprint import fingerprint
from curate.clips.folder import folder_clips
from curate.clips.read import ClipTables, read_clips
from curate.errors import InputError
from curate.recipe import ClassifierFile, FolderClips, GoldFile, LabelFile, VoteFile

CLASSES = ("no", "yes", "cannot_tell")


def picture(shade: int) -> bytes:
    written = BytesIO()
    Image.new("L", (8, 6), shade).save(written, "PNG")
    return written.getvalue()


def write(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def said(found: ClipTables) -> list[tuple[str, ...]]:
    return found.problems.select("where", "clip", "kind", "what", "action").rows()


def test_real_clips_with_their_labels(test_data: Path) -> None:
    folder = test_data / "clips"
    labels = LabelFile(file=folder / "labels.csv", label="smiling", group="group")
    found = read_clips(FolderClips(source="folder", path=folder, labels=labels), CLASSES)
    files = sorted(path.name for path in folder.iterdir() if path.suffix not in (".csv", ".md"))
    assert found.clips["name"].to_list() == files
    assert found.clips["label_given"].null_count() == 0
    assert found.clips.filter(name="no_face.mp4")["group"].item() == "caminandes"
    assert found.problems.is_empty()


def test_every_broken_file_is_read_or_set_aside_once(test_data: Path) -> None:
    folder = test_data / "broken"
    found = read_clips(FolderClips(source="folder", path=folder), CLASSES)
    set_aside = found.problems.filter(action="set_aside")["clip"].to_list()
    media = {path.name for path in folder.iterdir() if path.suffix in (".mp4", ".jpg")}
    assert sorted([*found.clips["name"], *set_aside]) == sorted(media)
    assert found.problems.filter(action="read")["what"].to_list() == ["promises 72 frames and holds 33"]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("labels_good.csv", []),
        ("labels_unknown_clip.csv", ["line 7: does_not_exist: no clip is called 'does_not_exist'"]),
        ("labels_trailing_space_header.csv", ["column name 'smiling ' has spaces around it"]),
        ("labels_missing_column.csv", ["no column 'smiling'; found 'clip_id', 'talking'"]),
        (
            "labels_bom_latin1.csv",
            ["it begins with a byte-order mark, and it is not UTF-8; it is read as Windows"],
        ),
        (
            "labels_duplicate_clip.csv",
            ["line 2: single_face.mp4: labels contradict each other", "line 7: single"],
        ),
    ],
)
def test_broken_label_files(test_data: Path, tmp_path: Path, file: str, expected: list[str]) -> None:
    names = [
        f"{stem}.mp4" for stem in ("single_face", "carphone_pristine", "no_face", "chaplin", "test_video")
    ]
    for name in names:
        shutil.copyfile(test_data / "clips" / name, tmp_path / name)
    labels = LabelFile(file=test_data / "broken" / file, clip="clip_id", label="smiling")
    problems = clip_problems(FolderClips(source="folder", path=tmp_path, labels=labels), CLASSES)
    assert len(problems) == len(expected)
    assert all(text in str(problem) for text, problem in zip(expected, problems, strict=True))


def test_ids_come_from_content(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": picture(1), "deep/b.png": picture(2)})
    clips = read_clips(FolderClips(source="folder", path=tmp_path), CLASSES).clips
    assert clips["name"].to_list() == ["a.png", "deep/b.png"]
    assert clips["clip_id"][0] == hashlib.sha256(picture(1)).hexdigest()[:16]


@given(st.binary(), st.binary())
def test_the_same_bytes_have_the_same_id_and_others_another(one: bytes, other: bytes) -> None:
    first, second = (Content(hashlib.sha256(content).hexdigest()).clip_id for content in (one, other))
    assert (first == second) == (one == other)


def test_copies_are_one_clip(tmp_path: Path) -> None:
    labels = "file,label,group\nb,yes,\na,no,\nc,no,p\n"
    votes = "file,annotator,label\nb,ann,yes\na,bob,no\nc,ann,no\n"
    gold = "file,label\nc,no\nb,yes\n"
    write(tmp_path / "clips", {"b.png": picture(1), "a.png": picture(1), "c.png": picture(1)})
    write(tmp_path, {"labels.csv": labels, "votes.csv": votes, "gold.csv": gold})
    clips = FolderClips(
        source="folder",
        path=tmp_path / "clips",
        labels=LabelFile(file=tmp_path / "labels.csv", group="group"),
        votes=VoteFile(file=tmp_path / "votes.csv"),
        gold=GoldFile(file=tmp_path / "gold.csv"),
    )
    found = read_clips(clips, CLASSES)
    assert found.clips.select("name", "label_given", "group").rows() == [("a.png", "no", "p")]
    assert found.votes.select("annotator", "label").rows() == [("ann", "yes"), ("bob", "no"), ("ann", "no")]
    assert found.gold["label"].to_list() == ["yes"]
    same = "has the same content as a.png, which stands for both"
    assert said(found) == [
        ("b.png", "b.png", "media", f"{same}; its label 'yes' gives way to 'no'", "set_aside"),
        ("c.png", "c.png", "media", same, "set_aside"),
    ]


def test_a_label_of_an_unreadable_file_is_no_second_problem(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": picture(1), "b.png": b"", "labels.csv": "file,label\na,yes\nb,yes\n"})
    clips = FolderClips(source="folder", path=tmp_path, labels=LabelFile(file=tmp_path / "labels.csv"))
    assert said(read_clips(clips, CLASSES)) == [
        ("b.png", "b.png", "media", "is empty (0 bytes)", "set_aside")
    ]


def test_truth_and_classifiers(tmp_path: Path) -> None:
    table = "file,no,yes,cannot_tell\nb,0.1,0.9,0\n"
    write(
        tmp_path, {"a.png": picture(1), "b.png": picture(2), "p.csv": table, "t.csv": "file,label\na,yes\n"}
    )
    classifier = ClassifierFile(file=tmp_path / "p.csv", name="resnet")
    clips = FolderClips(source="folder", path=tmp_path, classifiers=(classifier,))
    found = read_clips(clips, CLASSES, truth=GoldFile(file=tmp_path / "t.csv"))
    ids = dict(found.clips.select("name", "clip_id").iter_rows())
    assert found.truth.select("clip_id", "label").rows() == [(ids["a.png"], "yes")]
    assert found.probabilities.rows() == [(ids["b.png"], "resnet", [0.1, 0.9, 0.0])]
    assert found.gold.is_empty()


def test_files_beside_media_are_passed_over(tmp_path: Path) -> None:
    files = {
        "a.png": b"",
        "labels.CSV": "",
        "README.md": "",
        ".hidden": "",
        ".cache/b.png": b"",
        "odd.bin": b"",
    }
    assert [clip.name for clip in folder_clips(write(tmp_path, files))[0]] == ["a.png", "odd.bin"]


def test_pictures_of_a_run_beside_the_media_are_no_clips(tmp_path: Path) -> None:
    run = {"runs/x/manifest.json": "{}", "runs/x/clips.parquet": "", "runs/x/pictures/ab/ab.jpg": picture(2)}
    write(tmp_path, {"a.png": picture(1), "manifest.json": "{}", **run})
    assert [clip.name for clip in folder_clips(tmp_path)[0]] == ["a.png"]


def test_links_within_the_folder_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path, {"z/deep/a.png": picture(1)})
    (tmp_path / "z" / "loop").symlink_to(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "z")
    (tmp_path / "other.png").symlink_to(tmp_path / "z" / "deep" / "a.png")
    clips, findings = folder_clips(tmp_path)
    assert [clip.name for clip in clips] == ["linked/deep/a.png", "other.png"]
    assert findings == []


def test_a_folder_may_itself_be_reached_by_a_link(tmp_path: Path) -> None:
    write(tmp_path / "media", {"a.png": picture(1)})
    (tmp_path / "clips").symlink_to(tmp_path / "media")
    assert [clip.name for clip in folder_clips(tmp_path / "clips")[0]] == ["a.png"]


def test_a_name_that_is_no_text_is_set_aside(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(bytes(tmp_path) + b"/bad\xff.mp4"))
    try:
        odd.write_bytes(picture(1))
    except OSError:
        pytest.skip("this file system takes no name that is not UTF-8")
    clips = FolderClips(source="folder", path=tmp_path)
    with pytest.raises(InputError, match=r"none of 1 files can be read\n  - bad\\xff.mp4: has a name"):
        read_clips(clips, CLASSES)
    write(tmp_path, {"a.png": picture(2)})
    found = read_clips(clips, CLASSES)
    assert found.clips["name"].to_list() == ["a.png"]
    assert said(found) == [
        ("bad\\xff.mp4", "bad\\xff.mp4", "media", "has a name that is not UTF-8", "set_aside")
    ]
    first = fingerprint(clips)
    os.utime(odd, ns=(0, 0))
    assert fingerprint(clips) != first


def test_a_clip_that_no_release_could_hold_is_set_aside(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": picture(1), "long.mp4": b""})
    os.truncate(tmp_path / "long.mp4", 2**31)  # sparse: takes no room on disk
    found = read_clips(FolderClips(source="folder", path=tmp_path), CLASSES)
    assert found.clips["name"].to_list() == ["a.png"]
    what = "is 2147483648 bytes, but a release holds at most 2147483647 a clip: cut it"
    assert said(found) == [("long.mp4", "long.mp4", "media", what, "set_aside")]


def test_progress_is_told_file_by_file(tmp_path: Path) -> None:
    write(tmp_path, {f"{i}.png": picture(i) for i in range(3)})
    told: list[tuple[int, int]] = []
    read_clips(
        FolderClips(source="folder", path=tmp_path), CLASSES, lambda done, total: told.append((done, total))
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path / "clips", {"a.png": picture(1), "b.png": b"no picture"})
    write(tmp_path, {"votes.csv": "file,annotator\na,ann\n", "gold.csv": "file,label\na,perhaps\n"})
    clips = FolderClips(
        source="folder",
        path=tmp_path / "clips",
        labels=LabelFile(file=tmp_path / "none.csv"),
        votes=VoteFile(file=tmp_path / "votes.csv"),
        gold=GoldFile(file=tmp_path / "gold.csv"),
    )
    structural = [
        f"{tmp_path / 'none.csv'}: no such file. Check the path",
        "votes.csv: no column 'label'; found 'file', 'annotator'. Name another column in the recipe",
    ]
    assert [str(problem) for problem in clip_problems(clips, CLASSES)] == [
        *structural,
        "gold.csv, line 2: a.png: label 'perhaps' is none of the classes no, yes, cannot_tell",
        "b.png: is not a video or an image that can be read (an image in name only, or damaged)",
    ]
    with pytest.raises(InputError) as caught:
        read_clips(clips, CLASSES)
    assert [str(problem) for problem in caught.value.problems] == structural


def test_a_missing_folder_does_not_hide_a_missing_column(tmp_path: Path) -> None:
    write(tmp_path, {"labels.csv": "file,lable\na,yes\n"})
    clips = FolderClips(
        source="folder", path=tmp_path / "none", labels=LabelFile(file=tmp_path / "labels.csv")
    )
    assert [str(problem) for problem in clip_problems(clips, CLASSES)] == [
        f"clips.path: {tmp_path / 'none'} does not exist, expected a folder of media",
        "labels.csv: no column 'label'; found 'file', 'lable'. Did you mean 'lable'?",
    ]
    with pytest.raises(InputError, match="does not exist"):
        read_clips(clips, CLASSES)


def test_without_one_readable_file_the_reasons_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.mp4": b"", "b.mp4": b"text"})
    with pytest.raises(InputError, match=r"none of 2 files can be read\n  - a.mp4: is empty"):
        read_clips(FolderClips(source="folder", path=tmp_path), CLASSES)


@given(st.permutations(["a", "b", "c", "d"]))
@settings(max_examples=5, deadline=None)
def test_the_order_of_label_rows_does_not_matter(names: list[str]) -> None:
    with TemporaryDirectory() as place:
        folder = write(Path(place), {f"{name}.png": picture(ord(name)) for name in "abcd"})
        rows = "".join(f"{name},{'yes' if name < 'c' else 'no'}\n" for name in names)
        labels = LabelFile(file=write(folder, {"labels.csv": f"file,label\n{rows}"}) / "labels.csv")
        found = read_clips(FolderClips(source="folder", path=folder, labels=labels), CLASSES)
    assert found.clips.select("name", "label_given").equals(
        pl.DataFrame({"name": [f"{name}.png" for name in "abcd"], "label_given": ["yes", "yes", "no", "no"]})
    )
