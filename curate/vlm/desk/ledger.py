"""The ledger: every reply that was paid for, durable before it is used."""

import asyncio
import json
import math
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from curate import tables
from curate.errors import ClientError, InputError, Problem
from curate.vlm.client import Reply
from curate.vlm.desk.writer import Row, Writer

VERSION = 2
"""Of the tables below (PRAGMA user_version), and of what a prompt's digest is over."""

_TABLES = """
CREATE TABLE calls (
    key TEXT PRIMARY KEY,
    prompt TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt_version TEXT NOT NULL,
    parameters TEXT NOT NULL,
    reply TEXT NOT NULL,
    tokens_in INTEGER,
    tokens_out INTEGER,
    tokens_cached INTEGER,
    latency_s REAL NOT NULL,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
CREATE INDEX calls_by_prompt ON calls (prompt);
CREATE TABLE errors (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    model TEXT NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
"""

_COLUMNS = (
    "key",
    "model",
    "prompt_version",
    "parameters",
    "reply",
    "tokens_in",
    "tokens_out",
    "tokens_cached",
)


_PUT = (
    "INSERT INTO calls (key, prompt, model, prompt_version, parameters, reply, tokens_in, tokens_out,"
    " tokens_cached, latency_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
)
_PUT_ERROR = "INSERT INTO errors (key, model, kind, message, attempts) VALUES (?, ?, ?, ?, ?)"

_PLAIN_FIELDS = (
    "text",
    "model",
    "logprobs_kind",
    "finish_reason",
    "tokens_in",
    "tokens_out",
    "tokens_cached",
)
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of a call before it is made."""

    key: str
    prompt: str
    """curate.vlm.desk.keys.prompt_digest."""
    model: str
    prompt_version: str
    parameters: str
    """As canonical JSON."""


class Ledger:
    """Replies by key, in one SQLite file.

    Used from one thread, by any number of coroutines. A process killed at any
    moment loses nothing that `put`, or the await of `keep`, returned from. A
    reply is looked up in the file when it is needed, so that a ledger of any
    size is open at once and takes no memory.
    """

    def __init__(self, path: Path) -> None:
        """Open the ledger, or make one.

        Raises:
            InputError: The file is no ledger, or of another version of curate.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._base = sqlite3.connect(path, isolation_level=None)
        try:
            self._base.execute("PRAGMA journal_mode=WAL")
            self._lay_tables()
            self._writer = Writer(path)
        except sqlite3.DatabaseError as error:
            self._base.close()
            raise _no_ledger(path, str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what still waits, and close the file."""
        self._writer.close()
        self._base.close()

    def count(self) -> int:
        """How many replies there are."""
        (found,) = self._base.execute("SELECT count(*) FROM calls").fetchone()
        return int(found)

    def get(self, key: str) -> Reply | None:
        """The reply of a call, or None if it was never made."""
        row = self._base.execute("SELECT reply, latency_s FROM calls WHERE key = ?", [key]).fetchone()
        return reply_from_json(*row) if row else None

    def put(self, facts: CallFacts, reply: Reply) -> None:
        """Keep a reply; on the disk when this returns. The first reply to a key stands.

        Raises:
            InputError: The file cannot be written.
        """
        self._writer.write(_PUT, _call_row(facts, reply)).result()

    async def keep(self, facts: CallFacts, reply: Reply) -> None:
        """As `put`, while others go on. The reply is kept even if the wait for it is cancelled."""
        await asyncio.wrap_future(self._writer.write(_PUT, _call_row(facts, reply)))

    async def keep_error(self, facts: CallFacts, error: ClientError, attempts: int) -> None:
        """Keep an error that ended a call, as `keep`. It never stands in the way of asking again."""
        # A server may say half a surrogate pair, which UTF-8 cannot hold.
        said = str(error).encode(errors="backslashreplace").decode()
        row = (facts.key, facts.model, type(error).__name__, said, attempts)
        await asyncio.wrap_future(self._writer.write(_PUT_ERROR, row))

    def calls(self, keys: Collection[str] | None = None) -> pl.DataFrame:
        """Table `calls`, sorted by key: all of them, or those of `keys` that were made.

        Latency and time of day stay in the file, so that a table made again is
        the same to the byte.
        """
        wanted = None if keys is None else set(keys)
        found = self._base.execute(f"SELECT {', '.join(_COLUMNS)} FROM calls ORDER BY key")  # noqa: S608
        parts = [tables.empty("calls")]
        # A part at a time: rows of Python objects take several times what a table does.
        while some := found.fetchmany(_ROWS_AT_ONCE):
            kept = [row for row in some if wanted is None or row[0] in wanted]
            parts.append(tables.table("calls", [dict(zip(_COLUMNS, row, strict=True)) for row in kept]))
        return pl.concat(parts)

    def _lay_tables(self) -> None:
        # Two processes may open a new ledger at once: the second waits here and then finds the tables.
        self._base.execute("BEGIN IMMEDIATE")
        (version,) = self._base.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _TABLES.split(";")[:-1]:
                self._base.execute(statement)
            self._base.execute(f"PRAGMA user_version = {VERSION}")
        self._base.execute("COMMIT")
        if version not in (0, VERSION):
            self._base.close()
            raise _no_ledger(self.path, f"it has version {version}, and this curate reads version {VERSION}")


def _call_row(facts: CallFacts, reply: Reply) -> Row:
    return (
        facts.key,
        facts.prompt,
        facts.model,
        facts.prompt_version,
        facts.parameters,
        reply_as_json(reply),
        reply.tokens_in,
        reply.tokens_out,
        reply.tokens_cached,
        reply.latency_s,
    )


def reply_as_json(reply: Reply) -> str:
    """A reply as it came, without its latency; a log-probability of -inf is written as null."""
    content = {name: getattr(reply, name) for name in _PLAIN_FIELDS}
    letters = reply.option_logprobs
    fields = reply.field_logprobs
    content["option_logprobs"] = None if letters is None else _written(letters)
    content["field_logprobs"] = (
        None if fields is None else {key: _written(values) for key, values in fields.items()}
    )
    # ASCII: a model may send half a surrogate pair, which UTF-8 cannot hold.
    return json.dumps(content, ensure_ascii=True, allow_nan=False)


def reply_from_json(text: str, latency_s: float) -> Reply:
    """What `reply_as_json` wrote."""
    content: dict[str, Any] = json.loads(text)
    letters, fields = content.pop("option_logprobs"), content.pop("field_logprobs")
    return Reply(
        option_logprobs=None if letters is None else _read(letters),
        field_logprobs=None if fields is None else {key: _read(values) for key, values in fields.items()},
        latency_s=latency_s,
        **content,
    )


def _written(logprobs: Sequence[float]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in logprobs]


def _read(logprobs: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(-math.inf if value is None else value for value in logprobs)


def _no_ledger(path: Path, found: str) -> InputError:
    fix = "Name the ledger.sqlite of a run, or move this file away to start a new one"
    return InputError(str(path), [Problem("ledger", f"cannot be used: {found}", fix)])
