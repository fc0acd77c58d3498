import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from curate.errors import InputError
from curate.recipe import OpenAIBackend, TransformersBackend, VllmBackend
from curate.vlm.client import Reply
from curate.vlm.desk.earlier import Asker, last_asker, pace_reached
from curate.vlm.desk.keys import canonical
from curate.vlm.desk.ledger import CallFacts, Ledger

SERVER = OpenAIBackend(backend="openai", model="m", revision="1", temperature=0, seed=3)
COLD = canonical({"temperature": 0, "seed": 3, "logprobs": None})


def keep(path: Path, key: str, model: str = "m@1", parameters: str = COLD, latency_s: float = 1.0) -> None:
    with Ledger(path) as ledger:
        ledger.put(CallFacts(key, key, model, "v", parameters), Reply("A", model, latency_s=latency_s))


def set_times(path: Path, times: list[str]) -> None:
    with closing(sqlite3.connect(path)) as base, base:
        for row, time in enumerate(times, start=1):
            base.execute("UPDATE calls SET at = ? WHERE rowid = ?", [f"2026-01-01T{time}Z", row])


def test_nobody_answered_where_there_is_no_ledger(tmp_path: Path) -> None:
    assert last_asker(tmp_path / "ledger.sqlite", SERVER) is None
    assert not (tmp_path / "ledger.sqlite").exists()


def test_a_file_that_is_no_ledger_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("nothing of the kind " * 100, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be used"):
        last_asker(tmp_path / "ledger.sqlite", SERVER)


def test_the_last_one_counts_who_was_asked_as_the_recipe_asks(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    older, newer = COLD, canonical({"temperature": 0, "seed": 3, "logprobs": "after_mask"})
    keep(path, "1", parameters=older)
    keep(path, "2", parameters=newer)
    keep(path, "3", parameters=canonical({"temperature": 1, "seed": 3, "logprobs": None}))
    keep(path, "4", model="another@1")
    keep(path, "5", model="m@2")
    assert last_asker(path, SERVER) == Asker("m@1", newer)


def test_a_folder_is_known_by_its_name(tmp_path: Path) -> None:
    path, parameters = tmp_path / "ledger.sqlite", canonical({"temperature": 0, "logprobs": "before_mask"})
    keep(path, "1", "tiny@sha256:abc", parameters)
    folder = str(tmp_path / "models" / "tiny")
    asker = last_asker(path, TransformersBackend(backend="transformers", model=folder))
    assert asker == Asker("tiny@sha256:abc", parameters)
    assert asker.told["logprobs"] == "before_mask"
    assert last_asker(path, VllmBackend(backend="vllm", model=folder)) is None, "another backend, other keys"


def test_pauses_between_runs_are_no_part_of_asking(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    for key in "12345":
        keep(path, key, latency_s=2.0)
    # Two replies a second apart; an hour later three, a second apart each.
    set_times(path, ["10:00:02.000", "10:00:03.000", "11:00:02.000", "11:00:03.000", "11:00:04.000"])
    pace = pace_reached(path, Asker("m@1", COLD))
    assert pace is not None
    # Two runs: 2 s for the first reply and 1 s to the next; 2 s and 2 s.
    assert pace.asking_s == pytest.approx(3 + 4, abs=1e-3)
    assert pace.waited_s == 10
    assert pace.at_once == pytest.approx(10 / 7, abs=1e-3)


def test_replies_of_another_tell_nothing(tmp_path: Path) -> None:
    keep(tmp_path / "ledger.sqlite", "1")
    assert pace_reached(tmp_path / "ledger.sqlite", Asker("m@1", "{}")) is None
