from pathlib import Path

import pytest

from curate.clips.sheet import columns_of
from curate.errors import InputError
from curate.show.review.sheet import read_decisions, sheet_text
from curate.show.review.task import Believed, Task

CLASSES = ("calm", "Bored")
CLIP = "a" * 16


def read(tmp_path: Path, text: str, reviewer: str = "ada") -> list[tuple[str, str | None, str, str | None]]:
    path = tmp_path / "review.csv"
    path.write_text(text, encoding="utf-8")
    found, _ = read_decisions(path, CLASSES, reviewer)
    return [(one.verdict, one.label, one.reviewer, one.comment) for one in found]


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    return [str(problem) for problem in caught.value.problems]


def test_a_sheet_hides_what_is_believed_unless_it_may_be_shown() -> None:
    task = Task(1, CLIP, "one.mp4", "video", "/clips/one.mp4")
    assert sheet_text([task]).splitlines() == [
        "rank,clip_id,file,media,label,verdict,comment,reviewer,decided_at",
        f"1,{CLIP},one.mp4,/clips/one.mp4,,,,,",
    ]
    shown = Task(
        1, CLIP, "one.mp4", "video", "/clips/one.mp4", believed=Believed("calm", "Bored", 0.75, "why")
    )
    assert sheet_text([shown]).splitlines()[1] == f"1,{CLIP},one.mp4,/clips/one.mp4,calm,Bored,0.750,why,,,,,"


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1.mp4", "@sum.mp4", "-1.mp4", "+1.mp4"])
def test_no_cell_is_a_formula(name: str) -> None:
    text = sheet_text([Task(1, CLIP, name, "video", "/clips/x.mp4")])
    assert f",'{name},".replace('"', "") in text.replace('"', "")


def test_filled_in(tmp_path: Path) -> None:
    lines = [
        "clip_id,label,verdict,comment,reviewer,decided_at",
        f"{CLIP},BORED,,,,",  # whatever its case
        f"{CLIP},,unsure,dark,bob,2026-01-31 14:05",
        f"{CLIP},,Skip,,,",
        f"{CLIP},,,only a remark,,",  # not decided
        f"{CLIP},unheard,label,,,",  # is for decision_problems to tell
    ]
    assert read(tmp_path, "\n".join(lines)) == [
        ("label", "Bored", "ada", None),
        ("unsure", None, "bob", "dark"),
        ("skip", None, "ada", None),
        ("label", "unheard", "ada", None),
    ]


def test_a_bare_sheet_of_two_columns_is_enough(tmp_path: Path) -> None:
    assert read(tmp_path, f"clip_id,label\n{CLIP},calm\n") == [("label", "calm", "ada", None)]


def test_spreadsheets_in_other_countries_separate_by_semicolons(tmp_path: Path) -> None:
    text = f"\ufeffclip_id;label;reviewer\n{CLIP};calm;Zoë 🙂\n"
    assert read(tmp_path, text) == [("label", "calm", "Zoë 🙂", None)]
    assert columns_of(tmp_path / "review.csv", ("clip_id", "label")) == ["clip_id", "label", "reviewer"]


def test_every_line_that_cannot_be_understood_is_told(tmp_path: Path) -> None:
    lines = [
        "clip_id,label,verdict,decided_at",
        f"{CLIP},,perhaps,",
        f"{CLIP},calm,unsure,",
        f"{CLIP},,label,",
        f"{CLIP},calm,,yesterday",
        f"{CLIP}",
    ]
    assert problems(tmp_path, "\n".join(lines)) == [
        "review.csv, line 2: verdict is 'perhaps'. Write label, unsure or skip",
        "review.csv, line 3: verdict is unsure, and yet there is the label 'calm'. Empty one of the two",
        "review.csv, line 4: verdict is label, and there is none. Fill it in",
        "review.csv, line 5: decided_at is 'yesterday'. Write a time such as 2026-01-31 14:05",
        "review.csv, line 6: 1 values found, expected 4. Quote values that hold a separator",
    ]


def test_no_such_file_and_no_such_column(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_decisions(tmp_path / "none.csv", CLASSES, "")
    assert problems(tmp_path, "file,label\none.mp4,calm\n") == [
        "review.csv: no column 'clip_id'; found 'file', 'label'. Name another column in the recipe"
    ]
