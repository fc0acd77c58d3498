"""Answers that an earlier run recorded; asks nobody."""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from curate.errors import ClientError
from curate.vlm.client import Abilities, Pace, Prompt, Reply
from curate.vlm.desk.keys import prompt_digest
from curate.vlm.desk.ledger import reply_from_json


class ReplayClient:
    """Looks prompts up in a ledger by their digest: what was sent, what was asked for, which draw.

    It bears the recorded model's name, parameters and abilities, so that a
    replayed run makes the calls of the recorded one, under the same keys.
    """

    def __init__(self, path: Path) -> None:
        """Open the ledger for reading.

        Raises:
            ClientError: There is no such ledger, it is empty, or several models answered in it.
        """
        self._path = path
        if not path.is_file():
            raise ClientError(
                f"{path}: no such ledger. Set vlm.ledger to the ledger.sqlite of an earlier run"
            )
        self._base = sqlite3.connect(_address(path), uri=True)
        try:
            self.model, self.parameters = self._recorded()
        except (sqlite3.DatabaseError, ClientError) as error:
            self._base.close()
            raise ClientError(str(error) if isinstance(error, ClientError) else f"{path}: {error}") from error

    model: str
    parameters: Mapping[str, object]

    @property
    def pace(self) -> Pace:
        """One at a time: nothing is waited for."""
        return Pace(concurrency=1)

    async def prepare(self) -> Abilities:
        """What the recorded model could, as its parameters tell."""
        told = self.parameters.get("logprobs")
        return Abilities(
            server=f"replay of {self.model}",
            logprobs=told if told in ("after_mask", "before_mask") else None,
            structured=self.parameters.get("structured") is True,
        )

    async def ask(self, prompt: Prompt) -> Reply:
        """The recorded reply.

        Raises:
            ClientError: Nothing like this prompt was recorded.
        """
        row = self._base.execute(
            "SELECT reply, latency_s FROM calls WHERE prompt = ? ORDER BY key LIMIT 1",
            [prompt_digest(prompt)],
        ).fetchone()
        if row is None:
            question = " ".join(prompt.text.split())[:80]
            raise ClientError(
                f"{self._path}: no reply was recorded for {len(prompt.pictures)} pictures and {question!r}. "
                "Replay the run with the same clips, frames and questionnaire, or ask a model"
            )
        return reply_from_json(*row)

    async def cache_counts(self) -> None:
        """Nothing is computed."""

    async def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _recorded(self) -> tuple[str, Mapping[str, object]]:
        found = self._base.execute("SELECT DISTINCT model, parameters FROM calls ORDER BY 1, 2").fetchall()
        if len(found) != 1:
            names = ", ".join(f"{model} {parameters}" for model, parameters in found) or "nothing"
            raise ClientError(f"{self._path}: expected the replies of one model, found {names}")
        model, parameters = found[0]
        return model, cast(Mapping[str, object], json.loads(parameters))


def _address(path: Path) -> str:
    # A ledger may lie in a folder that cannot be written to, where SQLite can open it only when told
    # that nobody changes it; that is true unless a write-ahead log lies beside it.
    log = path.with_name(f"{path.name}-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    return f"{path.resolve().as_uri()}?{mode}"
