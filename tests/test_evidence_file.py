from pathlib import Path

import pytest

from curate.errors import InputError
from curate.evidence_file import read_evidence, read_gold


def csv(folder: Path, text: str) -> Path:
    path = folder / "votes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_stays_text_and_classes_are_the_outcomes(tmp_path: Path) -> None:
    read = read_evidence(csv(tmp_path, "clip_id,instrument,outcome\n00012,ann,1\n00012,bob,0\n"))
    assert read.classes == ("0", "1")
    assert read.evidence["clip_id"].to_list() == ["00012", "00012"]
    assert read.evidence["kind"].to_list() == ["human", "human"]


def test_of_a_ranked_list_only_the_first_answer_counts(tmp_path: Path) -> None:
    text = "clip_id,instrument,outcome,rank\na,vlm,joy,1\na,vlm,fear,2\n"
    assert read_evidence(csv(tmp_path, text)).evidence["outcome"].to_list() == ["joy"]


def test_the_given_label_is_known_by_its_name_and_other_kinds_by_their_column(tmp_path: Path) -> None:
    text = "clip_id,instrument,outcome,kind\na,given,x,\na,net,y,vlm\na,ann,x,\n"
    read = read_evidence(csv(tmp_path, text))
    assert read.evidence["kind"].to_list() == ["given", "vlm", "human"]
    assert read.classes == ("x",), "classes are named by given labels and people, not by machines"


def test_a_missing_column_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found \['clip', 'outcome'\], expected a column clip_id"):
        read_evidence(csv(tmp_path, "clip,outcome\na,x\n"))
    with pytest.raises(InputError, match="expected gold or label"):
        read_gold(csv(tmp_path, "clip_id,truth\na,x\n"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_evidence(tmp_path / "none.csv")
