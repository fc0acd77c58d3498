import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from curate.errors import InputError
from curate.vlm.desk.writer import Writer

INSERT = "INSERT INTO numbers (number) VALUES (?)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "numbers.sqlite"
    with closing(sqlite3.connect(found)) as base:
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("CREATE TABLE numbers (number INTEGER) STRICT")
    return found


def numbers(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as base:
        return [row[0] for row in base.execute("SELECT number FROM numbers ORDER BY rowid")]


def test_what_waits_is_written_together_and_in_order(path: Path) -> None:
    commits: list[str] = []
    writer = Writer(path)
    writer._base.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # nothing can be written meanwhile
        waiting = [writer.write(INSERT, [number]) for number in range(100)]
        assert not any(future.done() for future in waiting)
        other.execute("COMMIT")
    for future in waiting:
        future.result(30)
    assert numbers(path) == list(range(100))
    writer.close()
    assert len(commits) <= 2  # the first row alone, perhaps, and then all the others


def test_closing_writes_what_waits(path: Path) -> None:
    writer = Writer(path)
    waiting = [writer.write(INSERT, [number]) for number in range(1000)]
    writer.close()
    assert all(future.done() for future in waiting)
    assert numbers(path) == list(range(1000))


def test_who_waits_no_longer_does_not_undo(path: Path) -> None:
    writer = Writer(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        kept = [writer.write(INSERT, [number]) for number in range(3)]
        assert kept[1].cancel()
        other.execute("COMMIT")
    writer.close()
    assert numbers(path) == [0, 1, 2]


@pytest.mark.parametrize(("value", "kind"), [("no number", InputError), ("\ud83d", UnicodeEncodeError)])
def test_a_row_that_cannot_be_written_stops_nobody_later(
    path: Path, value: str, kind: type[Exception]
) -> None:
    writer = Writer(path)
    assert type(writer.write(INSERT, [value]).exception(30)) is kind
    writer.write(INSERT, [7]).result(30)
    writer.close()
    assert numbers(path) == [7]


def test_a_writer_that_wrote_nothing_starts_no_thread(path: Path) -> None:
    writer = Writer(path)
    assert writer._thread is None
    writer.close()
