"""Writes to the ledger in a thread of its own, so that nobody waits for the disk but who must."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from curate.errors import InputError, Problem

Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class _Entry:
    statement: str
    row: Row
    written: Future[None] = field(default_factory=Future)


class Writer:
    """Makes everything that waits durable with one sync, while the next replies arrive.

    A disk syncs some hundred times a second at best: a sync for every reply
    would hold back all the calls under way.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; the thread starts with the first row.

        Raises:
            sqlite3.Error: It cannot be opened.
        """
        self._path = path
        self._base = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
        # FULL: a reply is on the disk when its future is done, so that losing power loses no money either.
        self._base.execute("PRAGMA synchronous=FULL")
        self._waiting: SimpleQueue[_Entry | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def write(self, statement: str, row: Row) -> Future[None]:
        """Have a row written. The future is done once it is on the disk; cancelling it changes nothing.

        It fails with an `InputError` where the file cannot be written.
        """
        if self._thread is None:
            # A daemon: a program that ends without closing must not wait for rows that will never come.
            self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
            self._thread.start()
        entry = _Entry(statement, row)
        self._waiting.put(entry)
        return entry.written

    def close(self) -> None:
        """Write what still waits, then close the file."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None
        self._base.close()

    def _run(self) -> None:
        while (entries := self._next()) is not None:
            _settle(entries, self._written(entries))

    def _next(self) -> list[_Entry] | None:
        """All that waits, at least one; None when nothing more will come."""
        entries = []
        entry = self._waiting.get()
        while entry is not None:
            entries.append(entry)
            try:
                entry = self._waiting.get_nowait()
            except Empty:
                return entries
        if not entries:
            return None
        self._waiting.put(None)  # taken too early: it ends the next round
        return entries

    def _written(self, entries: Sequence[_Entry]) -> Exception | None:
        """Write all or none."""
        try:
            with _transaction(self._base):
                for entry in entries:
                    self._base.execute(entry.statement, entry.row)
        except sqlite3.Error as error:
            found = f"no reply can be kept: {error}"
            fix = "Make it writable, then run the same command again: it goes on from what is kept"
            return InputError(str(self._path), [Problem("ledger", found, fix)])
        except Exception as error:
            # A fault of the program: it belongs to those who wait, who would else wait for ever.
            return error
        return None


@contextmanager
def _transaction(base: sqlite3.Connection) -> Iterator[None]:
    base.execute("BEGIN IMMEDIATE")
    try:
        yield
        base.execute("COMMIT")
    finally:
        if base.in_transaction:
            base.execute("ROLLBACK")


def _settle(entries: Sequence[_Entry], error: Exception | None) -> None:
    """Tell those who wait. One who waits no longer has cancelled the future."""
    for entry in entries:
        if not entry.written.set_running_or_notify_cancel():
            continue
        if error is None:
            entry.written.set_result(None)
        else:
            entry.written.set_exception(error)
