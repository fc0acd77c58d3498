from pathlib import Path

import pytest

from curate.clips.finding import Finding
from curate.frames.progress_log import ProgressLog, Taken

ROW = {"clip_id": "a", "role": "key", "index": 0, "t_s": 0.1 + 0.2, "sha256": "0" * 64, "box": None}
TAKEN = Taken((ROW,), (Finding("a.mp4", "a", "media", "frame 3 is damaged", "read"),))
NOTHING = Taken((), (Finding("b.mp4", "b", "media", "is empty"),))


def test_what_was_put_is_there_next_time(tmp_path: Path) -> None:
    path = tmp_path / "run" / "log.jsonl"
    with ProgressLog(path, "settings") as log:
        assert log.get("a") is None
        log.put("a", TAKEN)
        log.put("b", NOTHING)
    for _ in range(2):
        with ProgressLog(path, "settings") as log:
            assert log.get("a") == TAKEN
            assert log.get("b") == NOTHING


def test_other_settings_begin_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with ProgressLog(path, "settings") as log:
        log.put("a", TAKEN)
    with ProgressLog(path, "others") as log:
        assert log.get("a") is None
    with ProgressLog(path, "settings") as log:
        assert log.get("a") is None


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_line_that_was_cut_short_is_left_out(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "log.jsonl"
    with ProgressLog(path, "settings") as log:
        log.put("a", TAKEN)
        log.put("b", NOTHING)
    whole = path.read_text()
    second = whole.rindex("\n", 0, len(whole) - 1) + 1
    path.write_text(whole[: second + min(cut, len(whole) - second - 2)])
    with ProgressLog(path, "settings") as log:
        assert log.get("a") == TAKEN
        assert log.get("b") is None
        log.put("b", NOTHING)
    with ProgressLog(path, "settings") as log:
        assert log.get("b") == NOTHING
