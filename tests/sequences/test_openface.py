from pathlib import Path

import numpy as np
import pytest

from curate.errors import MediaError
from curate.sequences.openface import openface_table

HEAD = "frame, face_id, timestamp, confidence, success, gaze_0_x, x_0, x_1, x_10, X_0, AU01_r"
ROW = "1, 0, 0.000, 0.98, 1, 0.1, 10, 11, 12, 13, 2.5"


def text(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def test_a_real_table_keeps_every_number(test_data: Path) -> None:
    content = (test_data / "features" / "openface.csv").read_bytes()
    table = openface_table(content)
    # 431 columns but for frame and timestamp; a hundred rows.
    assert table.values.shape == (100, 429)
    assert table.names[:4] == ("confidence", "success", "gaze_0_x", "gaze_0_y")
    assert {"x_0", "X_0", "AU45_c"} <= set(table.names)
    first = [float(cell) for cell in content.decode().splitlines()[1].split(",")]
    assert table.values[0].tolist() == np.array(first[2:], np.float32).tolist()
    assert table.frames is not None
    assert table.frames[:3].tolist() == [1, 2, 3]


def test_spaces_do_not_count_and_case_does() -> None:
    table = openface_table(text(HEAD, ROW))
    assert table.names == ("confidence", "success", "gaze_0_x", "x_0", "x_1", "x_10", "X_0", "AU01_r")
    assert table.values.tolist() == [[np.float32(0.98), 1, np.float32(0.1), 10, 11, 12, 13, 2.5]]
    assert table.times_s is not None
    assert table.times_s.tolist() == [0]


@pytest.mark.parametrize(
    ("columns", "kept"),
    [
        (("gaze",), ["gaze_0_x"]),
        (("x_1",), ["x_1"]),  # a column of that name: x_10 is another
        (("x_",), ["x_0", "x_1", "x_10"]),
        (("X", "AU"), ["X_0", "AU01_r"]),
        (("success",), []),
    ],
)
def test_columns_by_name_or_beginning_and_always_those_that_tell_of_failure(
    columns: tuple[str, ...], kept: list[str]
) -> None:
    assert list(openface_table(text(HEAD, ROW), columns).names) == ["confidence", "success", *kept]


def test_frames_that_failed_are_kept_and_values_that_are_missing_are_nan() -> None:
    table = openface_table(text("success, gaze_0_x, AU01_r", "0, 0, 0", "1, -nan(ind), ", "1, nan, 1"))
    assert table.values[:, 0].tolist() == [0, 1, 1]
    assert np.isnan(table.values[:, 1]).tolist() == [False, True, True]
    assert np.isnan(table.values[:, 2]).tolist() == [False, True, False]
    assert table.frames is None
    assert table.times_s is None


def test_of_several_faces_the_one_found_most_surely_is_kept() -> None:
    head = "frame, face_id, confidence, AU01_r"
    table = openface_table(text(head, "1, 0, 0.3, 1", "1, 1, 0.9, 2", "2, 0, 0.3, 3", "2, 1, 0.9, 4"))
    assert table.values.tolist() == [[np.float32(0.9), 2], [np.float32(0.9), 4]]
    assert table.n_faces == 2


def test_a_byte_order_mark_and_empty_lines_do_no_harm() -> None:
    assert openface_table("\ufeffsuccess,AU01_r\r\n1,2\r\n\r\n".encode()).values.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((), "has no column"),
        (("frame, timestamp",), "has no column"),
        (("success, AU01_r",), "has no frame"),
        (("success, AU01_r", "1"), "has 1 values in line 2, expected 2"),
        (("success, AU01_r", "1, 2, 3"), "has 3 values in line 2, expected 2"),
        (("success, AU01_r", "1, 2", "1, high"), "has 'high' in line 3, column AU01_r, expected a number"),
        (("success, AU01_r", "1, inf"), "has a number in line 2 that is infinite, or too large"),
        (("success, AU01_r", "1, 1e300"), "has a number in line 2 that is infinite, or too large"),
        (("AU01_r,  AU01_r", "1, 2"), "has more than one column 'AU01_r'"),
        (("success, AU01_r", '1, "2'), "has|is no CSV"),
    ],
)
def test_what_is_no_table_says_so(lines: tuple[str, ...], told: str) -> None:
    with pytest.raises(MediaError, match=told):
        openface_table(text(*lines))


def test_columns_that_are_not_there() -> None:
    with pytest.raises(MediaError, match="has no column that is called or begins with AU1, smile"):
        openface_table(text(HEAD, ROW), ("AU1", "smile"))
