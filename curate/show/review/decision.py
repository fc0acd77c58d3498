"""What one person decided about one clip, and what is amiss with decisions that a file brings."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from curate.errors import Problem
from curate.printable import printable

Verdict = Literal["label", "unsure", "skip"]
Tool = Literal["fiftyone", "label-studio", "csv"]
Kept = Literal["gold", "votes"]
NO_REVIEWER = "nobody is named who decided"
MOST_NAMED = 20
"""Problems of one sort that are told one by one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, as a tool tells it."""

    where: str
    """Its place in what was brought, for a person."""
    clip_id: str
    reviewer: str
    verdict: Verdict
    label: str | None = None
    """Of the classes; None unless the verdict is label."""
    comment: str | None = None
    decided_at: str | None = None
    """ISO 8601 in UTC; None where the tool does not tell."""
    took_s: float | None = None

    @property
    def said(self) -> tuple[str, str | None, str | None]:
        """What was decided, whenever it was."""
        return self.verdict, self.label, self.comment


def class_meant(text: str, classes: Sequence[str]) -> str:
    """The class that a person means, whatever its case, also as it is shown; the text where there is none."""
    written = {name.casefold(): name for name in classes}
    shown = {printable(name, keep="\n").casefold(): name for name in classes}
    return (written | shown).get(text.casefold(), text)


def as_utc(text: str) -> str | None:
    """A time as the table keeps it; None where the text is no time.

    A time without a zone counts as UTC.
    """
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return utc_text(read if read.tzinfo else read.replace(tzinfo=UTC))


def utc_text(time: datetime) -> str:
    """A time that has a zone, as the table keeps it."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def decision_problems(
    decisions: Sequence[Decision], clip_ids: Collection[str], classes: Sequence[str]
) -> list[Problem]:
    """Everything that keeps decisions from being brought in.

    Args:
        decisions: All that a file brings.
        clip_ids: Clips of the run.
        classes: Its classes.
    """
    known, named = set(clip_ids), ", ".join(classes)
    strangers = [one for one in decisions if one.clip_id not in known]
    outside = [one for one in decisions if one.verdict == "label" and one.label not in classes]
    nobody = [one for one in decisions if not one.reviewer]
    return [
        *_listed(
            strangers,
            lambda one: f"no clip of this run has the id {one.clip_id!r}",
            "Take the line out, or import into the run that it was exported from",
        ),
        *_listed(outside, lambda one: f"{one.label!r} is none of the classes: {named}", "Name one of them"),
        *_listed(nobody, lambda one: NO_REVIEWER, "Fill it in, or name them with --reviewer"),
        *_contradictions(decisions),
    ]


def _listed(found: Sequence[Decision], what: Callable[[Decision], str], fix: str) -> Iterator[Problem]:
    yield from (Problem(one.where, what(one), fix) for one in found[:MOST_NAMED])
    if len(found) > MOST_NAMED:
        yield Problem("…", f"{len(found) - MOST_NAMED} more like the last", fix)


def _contradictions(decisions: Iterable[Decision]) -> Iterator[Problem]:
    """Two different decisions of one person about one clip, where no time tells which came last."""
    first: dict[tuple[str, str, str | None], Decision] = {}
    for one in decisions:
        before = first.setdefault((one.clip_id, one.reviewer, one.decided_at), one)
        if before.said != one.said:
            what = f"{one.reviewer} decides otherwise about the same clip at {before.where}"
            yield Problem(one.where, what, "Keep one of them, or give each its time in decided_at")
