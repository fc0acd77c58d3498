"""What was taken of each clip while the table of frames is in the making: a line a clip.

A run that is stopped half-way goes on from there instead of decoding again.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from curate.clips.finding import Finding
from curate.files import write_text

Row = dict[str, object]
"""Of table frames."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one clip."""

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]


class ProgressLog:
    """Lines of what was taken, each by clip id; used from one thread.

    The file begins with what decides its content. One that began otherwise, or
    whose last line was cut short, is read as far as it holds.
    """

    def __init__(self, path: Path, decided_by: str) -> None:
        """Read what an earlier run left, and go on with the file.

        Args:
            path: The file.
            decided_by: Everything that the pictures of a clip depend on beside
                its content; other settings than the file's begin it anew.
        """
        self._taken = dict(_read(path, decided_by))
        # Written anew before it is added to: a line that was cut short is then no part of the next.
        kept = [{"decided_by": decided_by}, *(_line(*each) for each in self._taken.items())]
        write_text(path, "".join(map(_written, kept)))
        self._file: TextIO = path.open("a", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def get(self, clip_id: str) -> Taken | None:
        """What was taken of a clip, if anything was."""
        return self._taken.get(clip_id)

    def put(self, clip_id: str, taken: Taken) -> None:
        """Keep what was taken of a clip."""
        if clip_id not in self._taken:
            self._file.write(_written(_line(clip_id, taken)))
            self._file.flush()


def _written(content: dict[str, Any]) -> str:
    return json.dumps(content) + "\n"


def _line(clip_id: str, taken: Taken) -> dict[str, Any]:
    findings = [asdict(finding) for finding in taken.findings]
    return {"clip_id": clip_id, "rows": list(taken.rows), "findings": findings}


def _read(path: Path, decided_by: str) -> Iterator[tuple[str, Taken]]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        if _parsed(next(lines, "")).get("decided_by") != decided_by:
            return
        for content in map(_parsed, lines):
            if not content:
                return
            findings = tuple(Finding(**finding) for finding in content["findings"])
            yield content["clip_id"], Taken(tuple(content["rows"]), findings)


def _parsed(line: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return content
