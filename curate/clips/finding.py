"""What could not be read as it was, and what became of it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import polars as pl

from curate import tables
from curate.errors import MediaError, Problem

Kind = Literal[
    "media", "label", "votes", "gold", "classifier", "keypoints", "features", "embeddings", "faces", "review"
]
Action = Literal["set_aside", "read"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of table problems, with the advice that `curate check` gives about it."""

    where: str
    """File, or file and line."""
    clip: str | None
    """Name of the clip concerned."""
    kind: Kind
    what: str
    """What was found and what was expected, as a sentence without a full stop."""
    action: Action = "set_aside"
    fix: str = ""

    def problem(self) -> Problem:
        """The same for a person who can still put it right."""
        clip = f"{self.clip}: " if self.clip and self.clip != self.where else ""
        became = "It is read all the same" if self.action == "read" else self.fix
        return Problem(self.where, clip + self.what, became, mends_itself=self.action == "read")


def unreadable(uri: str, name: str, error: MediaError) -> Finding:
    """A clip that is set aside; what the error says, without the name that it begins with."""
    what = str(error).removeprefix(f"{uri} ").removeprefix(f"{name} ")
    return Finding(uri, name, "media", what)


def problem_table(findings: Iterable[Finding]) -> pl.DataFrame:
    """Findings as table problems, in their order."""
    rows: list[dict[str, object]] = [asdict(finding) for finding in findings]
    columns = tables.dtypes("problems")
    return tables.table("problems", [{name: row[name] for name in columns} for row in rows])
