"""CSV files as found in the wild."""

from pathlib import Path

import pytest

from curate.clips.sheet import Sheet, read_sheet
from curate.errors import InputError


def sheet_of(folder: Path, raw: bytes, *columns: str) -> Sheet:
    file = folder / "labels.csv"
    file.write_bytes(raw)
    return read_sheet(file, columns or ("clip", "label"), "label")


def values(sheet: Sheet) -> list[tuple[str, ...]]:
    return [tuple(row.values.values()) for row in sheet.rows]


def said(sheet: Sheet) -> list[tuple[str, str]]:
    return [(finding.what, finding.action) for finding in sheet.findings]


def test_a_sound_file_is_read_without_a_word(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, b"clip,label\n00012,1\n00013,\n")
    assert values(sheet) == [("00012", "1"), ("00013", "")]
    assert said(sheet) == []


@pytest.mark.parametrize(
    ("raw", "remark"),
    [
        (b"\xef\xbb\xbfclip,label\na,caf\xc3\xa9\n", "it begins with a byte-order mark"),
        (b"clip,label\na,caf\xe9\n", "it is not UTF-8; it is read as Windows-1252"),
        ("clip,label\na,café\n".encode("utf-16"), "it is written in UTF-16, expected UTF-8"),
        (b"clip;label\na;caf\xc3\xa9\n", "columns are separated by semicolons, expected commas"),
        (b"clip\tlabel\na\tcaf\xc3\xa9\n", "columns are separated by tabs, expected commas"),
        (b"clip,label \na,caf\xc3\xa9\n", "column name 'label ' has spaces around it"),
        (b"clip,label\na,caf\xc3\xa9 \n", "column 'label': 1 values have spaces around them, from line 2"),
    ],
)
def test_what_is_plain_is_read_and_told(tmp_path: Path, raw: bytes, remark: str) -> None:
    sheet = sheet_of(tmp_path, raw)
    assert values(sheet) == [("a", "café")]
    assert said(sheet) == [(remark, "read")]


def test_bytes_that_windows_1252_leaves_open(tmp_path: Path) -> None:
    assert values(sheet_of(tmp_path, b"clip,label\na,\x81\n")) == [("a", "\x81")]


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, b'\nclip,label\n"a\nb",x\n\n,\nc,y\n')
    assert [row.line for row in sheet.rows] == [3, 7]
    assert sheet.where(sheet.rows[1]) == "labels.csv, line 7"


def test_a_comma_in_a_value_is_not_taken_for_a_semicolon_file(tmp_path: Path) -> None:
    assert values(sheet_of(tmp_path, b'clip,label\n"a;b",x\n')) == [("a;b", "x")]


def test_rows_of_another_length_are_set_aside(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, b"clip,label,note\na,x,\nb\nc,y,well, yes\nd,z\ne,w,,,\n")
    assert values(sheet) == [("a", "x"), ("d", "z"), ("e", "w")]
    assert [(finding.where, finding.what, finding.action) for finding in sheet.findings] == [
        ("labels.csv, line 3", "1 values found, expected 3", "set_aside"),
        ("labels.csv, line 4", "4 values found, expected 3", "set_aside"),
    ]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "labels.csv: it is empty, expected a line of column names and a line a clip"),
        (b"clip,labels\n", "labels.csv: no column 'label'; found 'clip', 'labels'. Did you mean 'labels'?"),
        (b"clip,label,label \n", "labels.csv: 2 columns are called 'label', expected one"),
        (
            b'clip,label\na,x\nb,"y\nc,z\n',
            "labels.csv, line 3: cannot be read as CSV: unexpected end of data",
        ),
        (
            b"x" * 200_000,
            "labels.csv, line 1: cannot be read as CSV: field larger than field limit (131072)",
        ),
    ],
)
def test_what_is_not_plain_is_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        sheet_of(tmp_path, raw)
    assert str(caught.value.problems[0]).startswith(message)


def test_a_header_longer_than_a_value_may_be(tmp_path: Path) -> None:
    # By semicolons, tabs or bars this line would be one value, longer than the limit of 131072.
    header = ",".join(["clip", "label", *(f"column {i}" for i in range(20_000))])
    assert values(sheet_of(tmp_path, f"{header}\na,x{',' * 20_000}\n".encode())) == [("a", "x")]


def test_all_missing_columns_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        sheet_of(tmp_path, b"a,b\n")
    assert len(caught.value.problems) == 2


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: no such file\. Check the path"):
        read_sheet(tmp_path / "none.csv", ["clip"], "label")
