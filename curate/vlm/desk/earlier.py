"""What the ledger of an earlier run tells of the next one."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curate.recipe import OpenAIBackend, ReplayBackend, TransformersBackend, Vlm
from curate.vlm.desk.ledger import Ledger

_PAUSE_S = 5.0
"""A wait for the next reply that is longer than this, and than any reply took, is no part of asking."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Under which name and parameters a model answered."""

    model: str
    """name@revision."""
    parameters: str
    """As canonical JSON."""

    @property
    def told(self) -> Mapping[str, Any]:
        """The parameters, read."""
        found: dict[str, Any] = json.loads(self.parameters)
        return found


@dataclass(frozen=True, slots=True)
class PaceReached:
    """How fast replies came."""

    replies: int
    asking_s: float
    """Without the pauses between runs."""
    waited_s: float
    """What the replies took, one after the other."""

    @property
    def at_once(self) -> float:
        """Calls under way, on average."""
        return self.waited_s / self.asking_s


def last_asker(ledger: Path, vlm: Vlm) -> Asker | None:
    """Who answered last as this recipe asks; None where nobody did, or there is no ledger.

    Name, temperature and seed are compared, and nothing is asked for it: of a
    local checkpoint whose weights were changed since, the earlier ones are
    taken for it.

    Raises:
        InputError: The file is no ledger, or of another version of curate.
    """
    if not ledger.is_file():
        return None
    Ledger(ledger).close()  # says what is wrong with it
    with closing(sqlite3.connect(ledger)) as base:
        rows = base.execute("SELECT model, parameters FROM calls GROUP BY 1, 2 ORDER BY max(rowid) DESC")
        return next((asker for asker in (Asker(*row) for row in rows) if _is_asked(asker, vlm)), None)


def pace_reached(ledger: Path, asker: Asker) -> PaceReached | None:
    """How fast this one's replies were kept; None where there are none.

    Replies come in runs, with pauses between them that nobody waited for. A run
    lasts from when its first call was made to when its last reply was kept.
    """
    with closing(sqlite3.connect(ledger)) as base:
        rows = base.execute(
            "SELECT 86400 * julianday(at), latency_s FROM calls"
            " WHERE model = ? AND parameters = ? ORDER BY 1",
            [asker.model, asker.parameters],
        ).fetchall()
    if not rows:
        return None
    at_s, latency_s = np.array(rows, dtype=np.float64).T  # (n_replies,) each
    gaps_s = np.diff(at_s)
    is_pause = gaps_s > max(_PAUSE_S, 2 * float(latency_s.max()))
    begun_s = latency_s[0] + latency_s[1:][is_pause].sum()
    asking_s = float(gaps_s[~is_pause].sum() + begun_s)
    # A reply that took no time at all tells nothing of pace.
    return PaceReached(len(rows), asking_s, float(latency_s.sum())) if asking_s > 0 else None


def _is_asked(asker: Asker, vlm: Vlm) -> bool:
    if isinstance(vlm, ReplayBackend):
        return True
    name, _, revision = asker.model.rpartition("@")
    if isinstance(vlm, OpenAIBackend):
        return (name, revision) == (vlm.model, vlm.revision) and _samples(asker, vlm.temperature, vlm.seed)
    if name not in (vlm.model, Path(vlm.model).resolve().name):
        return False
    if isinstance(vlm, TransformersBackend):
        return "seed" not in asker.told
    return asker.told.get("dtype") == vlm.dtype and _samples(asker, vlm.temperature, vlm.seed)


def _samples(asker: Asker, temperature: float, seed: int) -> bool:
    return (asker.told.get("temperature"), asker.told.get("seed")) == (temperature, seed)
