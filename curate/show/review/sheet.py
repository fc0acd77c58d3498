"""Review by a spreadsheet: a CSV file with a line a clip, and empty cells to be filled in."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from curate.clips.finding import Finding
from curate.clips.sheet import Row, Sheet, columns_of, read_sheet
from curate.errors import InputError, Problem
from curate.show.review.decision import Decision, Verdict, as_utc, class_meant
from curate.show.review.task import Believed, Task

TO_FILL = ("label", "verdict", "comment", "reviewer", "decided_at")
_TOLD = ("rank", "clip_id", "file", "media")
_SHOWN = ("given", "refined", "confidence", "reason")
_WITHOUT_LABEL: Mapping[str, Verdict] = {"unsure": "unsure", "skip": "skip"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sheet_text(tasks: Sequence[Task]) -> str:
    """The file: what to look at, what is believed where it may be shown, and the cells to fill in."""
    shown = _SHOWN if any(task.believed for task in tasks) else ()
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_TOLD, *shown, *TO_FILL])
    for task in tasks:
        told = (str(task.rank), task.clip_id, task.name, task.place, *_believed(task.believed))
        writer.writerow([*map(_harmless, told), *[""] * len(TO_FILL)])
    return out.getvalue()


def read_decisions(path: Path, classes: Sequence[str], reviewer: str) -> tuple[list[Decision], list[Finding]]:
    """Decisions of a filled-in sheet; a line with neither label nor verdict is not decided.

    Needs columns clip_id and label; verdict, comment, reviewer and decided_at are read where they are.

    Args:
        path: The file.
        classes: The run's classes; a label is read as one whatever its case.
        reviewer: Who decided where the file does not say.

    Returns:
        The decisions, and what was put right in reading.

    Raises:
        InputError: It is no such file, or a line cannot be understood.
    """
    there = columns_of(path, ("clip_id", *TO_FILL))
    sheet = read_sheet(path, ["clip_id", "label", *(name for name in TO_FILL[1:] if name in there)], "review")
    problems = list(_problems(sheet))
    if problems:
        raise InputError(str(path), problems)
    decided = [_decision(sheet, row, classes, reviewer) for row in sheet.rows if _is_decided(row)]
    return decided, list(sheet.findings)


def _believed(believed: Believed | None) -> tuple[str, ...]:
    if believed is None:
        return ()
    return believed.given or "", believed.refined, f"{believed.confidence:.3f}", believed.reason


def _is_decided(row: Row) -> bool:
    return bool(row.values["label"] or row.values.get("verdict"))


def _problems(sheet: Sheet) -> Iterator[Problem]:
    for row in sheet.rows:
        label, verdict = row.values["label"], row.values.get("verdict", "").casefold()
        if verdict not in ("", "label", *_WITHOUT_LABEL):
            yield Problem(sheet.where(row), f"verdict is {verdict!r}", "Write label, unsure or skip")
        elif verdict in _WITHOUT_LABEL and label:
            what = f"verdict is {verdict}, and yet there is the label {label!r}"
            yield Problem(sheet.where(row), what, "Empty one of the two")
        elif verdict == "label" and not label:
            yield Problem(sheet.where(row), "verdict is label, and there is none", "Fill it in")
        if (time := row.values.get("decided_at", "")) and as_utc(time) is None:
            yield Problem(
                sheet.where(row), f"decided_at is {time!r}", "Write a time such as 2026-01-31 14:05"
            )
    for finding in sheet.findings:
        if finding.action == "set_aside":
            yield finding.problem()


def _decision(sheet: Sheet, row: Row, classes: Sequence[str], reviewer: str) -> Decision:
    values = row.values
    return Decision(
        where=sheet.where(row),
        clip_id=values["clip_id"],
        reviewer=values.get("reviewer") or reviewer,
        verdict=_WITHOUT_LABEL.get(values.get("verdict", "").casefold(), "label"),
        label=class_meant(values["label"], classes) or None,
        comment=values.get("comment") or None,
        decided_at=as_utc(values.get("decided_at", "")),
    )


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet program takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
