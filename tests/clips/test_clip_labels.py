"""Label files, each row used or set aside."""

from pathlib import Path

import pytest

from curate.clips.gold import Gold, read_gold
from curate.clips.labels import read_labels
from curate.clips.names import clip_names
from curate.clips.probabilities import read_probabilities
from curate.clips.raw import Given
from curate.clips.votes import Vote, read_votes
from curate.errors import InputError
from curate.recipe import ClassifierFile, GoldFile, LabelFile, VoteFile

NAMES = clip_names(["a.mp4", "b.mp4", "c.mp4"])
CLASSES = ("no", "yes")


def written(folder: Path, *lines: str) -> Path:
    file = folder / "table.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_given_values(tmp_path: Path) -> None:
    file = written(tmp_path, "file,label,who,part,text", "a,yes,p,Val,hello", "b,none,,,", "c,no,q,holdout,")
    recipe = LabelFile(file=file, group="who", split="part", transcript="text", unlabelled=("none",))
    given, findings = read_labels(recipe, NAMES, CLASSES)
    assert given == {0: Given("yes", "p", "validation", "hello"), 1: Given(), 2: Given("no", "q", None, None)}
    assert [str(finding.problem()) for finding in findings] == [
        "table.csv, line 4: c.mp4: split 'holdout' is none of train, validation and test; "
        "it counts as train. It is read all the same"
    ]


def test_rows_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    file = written(tmp_path, "file,label", "a,Yess", "d,yes", ",yes", "b,yes", "b,no", "c,no", "c,no")
    given, findings = read_labels(LabelFile(file=file), NAMES, CLASSES)
    assert {position: values.label for position, values in given.items()} == {0: None, 1: None, 2: "no"}
    contradiction = "b.mp4: labels contradict each other: 'yes' (line 5), 'no' (line 6); none of them is used"
    assert sorted(str(finding.problem()) for finding in findings) == [
        "table.csv, line 2: a.mp4: label 'Yess' is none of the classes no, yes. Did you mean yes?",
        "table.csv, line 3: d: no clip is called 'd'",
        "table.csv, line 4: column file is empty, expected a clip's name",
        f"table.csv, line 5: {contradiction}. Keep one of them",
        f"table.csv, line 6: {contradiction}. Keep one of them",
        "table.csv, line 8: c.mp4: the clip is labelled more than once with the same label (also line 7). "
        "It is read all the same",
    ]


def test_an_unknown_class_does_not_take_the_known_one_with_it(tmp_path: Path) -> None:
    file = written(tmp_path, "file,label", "a,maybe", "a,yes")
    given, findings = read_labels(LabelFile(file=file), NAMES, CLASSES)
    assert given[0].label == "yes"
    assert [finding.where for finding in findings] == ["table.csv, line 2"]


def test_the_first_group_counts_and_others_are_told(tmp_path: Path) -> None:
    file = written(tmp_path, "file,who", "a,p", "a,q")
    given, findings = read_labels(LabelFile(file=file, label=None, group="who"), NAMES, CLASSES)
    assert given[0].group == "p"
    assert [(finding.what, finding.action) for finding in findings] == [
        ("who is 'q', but 'p' in line 2, which is kept", "read")
    ]


def test_without_classes_any_label_will_do(tmp_path: Path) -> None:
    given, findings = read_labels(LabelFile(file=written(tmp_path, "file,label", "a,perhaps")), NAMES, None)
    assert (given[0].label, findings) == ("perhaps", [])


def test_a_file_that_names_no_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="none of its 2 rows names a clip: column 'file' holds '1', the clips are"
    ):
        read_labels(LabelFile(file=written(tmp_path, "file,label", "1,yes", "2,no")), NAMES, CLASSES)


def test_votes(tmp_path: Path) -> None:
    lines = (
        "file,annotator,label,when",
        "a,ann,yes,Monday",
        "a,ann,yes,",
        "a,bob,,",
        "b,,yes,",
        "b,bob,perhaps,",
    )
    votes, findings = read_votes(VoteFile(file=written(tmp_path, *lines), asked_at="when"), NAMES, CLASSES)
    assert votes == [Vote(0, "ann", "yes", "Monday"), Vote(0, "ann", "yes", None)]
    assert [(finding.where, finding.kind, finding.what) for finding in findings] == [
        ("table.csv, line 5", "votes", "column annotator is empty, expected who voted"),
        ("table.csv, line 6", "votes", "label 'perhaps' is none of the classes no, yes"),
    ]


def test_gold(tmp_path: Path) -> None:
    file = written(tmp_path, "file,label,by", "a,yes,", "a,yes,panel", "b,,", "c,yes,x", "c,no,y")
    gold, findings = read_gold(GoldFile(file=file, by="by"), NAMES, CLASSES)
    assert gold == {0: Gold("yes", "panel")}
    assert [(finding.where, finding.kind, finding.action) for finding in findings] == [
        ("table.csv, line 3", "gold", "read"),
        ("table.csv, line 5", "gold", "set_aside"),
        ("table.csv, line 6", "gold", "set_aside"),
    ]


def test_probabilities(tmp_path: Path) -> None:
    # 0.33 + 0.66 = 0.99 is 1 as rounded; 0.5 + 0.2 is not.
    file = written(tmp_path, "file,yes,no", "a,0.66,0.33", "b,0.5,0.2", "c,nan,1")
    found, findings = read_probabilities(ClassifierFile(file=file), NAMES, CLASSES)
    assert found == {0: pytest.approx((1 / 3, 2 / 3))}  # in the order of the classes, not of the file
    assert [(finding.where, finding.kind, finding.what) for finding in findings] == [
        ("table.csv, line 3", "classifier", "found no 0.2, yes 0.5, expected probabilities that sum to 1"),
        ("table.csv, line 4", "classifier", "found no 1, yes nan, expected probabilities that sum to 1"),
    ]


def test_probabilities_that_contradict_each_other(tmp_path: Path) -> None:
    file = written(tmp_path, "file,yes,no", "a,1,0", "a,0,1", "b,1,0", "b,1,0")
    found, findings = read_probabilities(ClassifierFile(file=file), NAMES, CLASSES)
    assert found == {1: (0.0, 1.0)}
    assert [finding.what for finding in findings] == ["2 rows contradict each other (lines 2, 3)"] * 2
