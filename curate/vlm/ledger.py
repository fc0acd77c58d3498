"""The ledger: every reply that was paid for, durable before it is used."""

import json
import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from curate import tables
from curate.errors import ClientError, InputError, Problem
from curate.vlm.client import Reply

VERSION = 1
"""Of the tables below (PRAGMA user_version)."""

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


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of a call before it is made."""

    key: str
    prompt: str
    """curate.vlm.keys.prompt_digest."""
    model: str
    prompt_version: str
    parameters: str
    """As canonical JSON."""


class Ledger:
    """Replies by key, in one SQLite file.

    Used from one thread, by any number of coroutines: no method awaits, so
    none is interrupted. A process killed at any moment loses nothing that
    `put` returned from.
    """

    def __init__(self, path: Path) -> None:
        """Open the ledger, or make one.

        Raises:
            InputError: The file is no ledger, or of a newer curate.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._base = sqlite3.connect(path, isolation_level=None)
        try:
            self._base.execute("PRAGMA journal_mode=WAL")
            # FULL: a reply is on the disk when put returns, so that losing power loses no money either.
            self._base.execute("PRAGMA synchronous=FULL")
            self._lay_tables()
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
        """Close the file."""
        self._base.close()

    def get(self, key: str) -> Reply | None:
        """The reply of a call, or None if it was never made."""
        row = self._base.execute("SELECT reply, latency_s FROM calls WHERE key = ?", [key]).fetchone()
        return reply_from_json(*row) if row else None

    def put(self, facts: CallFacts, reply: Reply) -> None:
        """Keep a reply; on the disk when this returns. The first reply to a key stands."""
        self._base.execute(
            "INSERT INTO calls (key, prompt, model, prompt_version, parameters, reply, tokens_in, tokens_out,"
            " tokens_cached, latency_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            [
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
            ],
        )

    def put_error(self, facts: CallFacts, error: ClientError, attempts: int) -> None:
        """Keep an error that ended a call. It never stands in the way of asking again."""
        self._base.execute(
            "INSERT INTO errors (key, model, kind, message, attempts) VALUES (?, ?, ?, ?, ?)",
            [facts.key, facts.model, type(error).__name__, str(error), attempts],
        )

    def calls(self, keys: Sequence[str] | None = None) -> pl.DataFrame:
        """Table `calls`, sorted by key: all of them, or those of `keys` that were made.

        Latency and time of day stay in the file, so that a table made again is
        the same to the byte.
        """
        wanted = None if keys is None else set(keys)
        found = self._base.execute(f"SELECT {', '.join(_COLUMNS)} FROM calls ORDER BY key")  # noqa: S608
        rows = [dict(zip(_COLUMNS, row, strict=True)) for row in found if wanted is None or row[0] in wanted]
        return tables.table("calls", rows)

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


def reply_as_json(reply: Reply) -> str:
    """A reply as it came, without its latency; -inf is written as null."""
    logprobs = reply.option_logprobs
    told = None if logprobs is None else [value if math.isfinite(value) else None for value in logprobs]
    content = {
        "text": reply.text,
        "model": reply.model,
        "option_logprobs": told,
        "logprobs_kind": reply.logprobs_kind,
        "finish_reason": reply.finish_reason,
        "tokens_in": reply.tokens_in,
        "tokens_out": reply.tokens_out,
        "tokens_cached": reply.tokens_cached,
    }
    # ASCII: a model may send half a surrogate pair, which UTF-8 cannot hold.
    return json.dumps(content, ensure_ascii=True, allow_nan=False)


def reply_from_json(text: str, latency_s: float) -> Reply:
    """What `reply_as_json` wrote."""
    content: dict[str, Any] = json.loads(text)
    told = content.pop("option_logprobs")
    logprobs = None if told is None else tuple(-math.inf if value is None else value for value in told)
    return Reply(option_logprobs=logprobs, latency_s=latency_s, **content)


def _no_ledger(path: Path, found: str) -> InputError:
    fix = "Name the ledger.sqlite of a run, or move this file away to start a new one"
    return InputError(str(path), [Problem("ledger", f"cannot be used: {found}", fix)])
