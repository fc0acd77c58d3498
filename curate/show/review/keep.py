"""Decisions among votes and gold: what each becomes, and where people or sources contradict each other."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import polars as pl

from curate import tables
from curate.clips.finding import Finding
from curate.show.review.ledger import standing


@dataclass(frozen=True, slots=True, eq=False)
class Reviewed:
    """Votes and gold with what was decided."""

    votes: pl.DataFrame
    """Table votes."""
    gold: pl.DataFrame
    """Table gold."""
    findings: tuple[Finding, ...]
    """Contradictions, in words."""


def keep_decisions(
    clips: pl.DataFrame, votes: pl.DataFrame, gold: pl.DataFrame, ledger: pl.DataFrame, drawn: Collection[str]
) -> Reviewed:
    """Put decisions among the votes and gold that came with the data.

    A label that is kept as gold becomes gold, unless another person's gold, or gold that came with the
    data, says otherwise: then it becomes a vote, as does theirs, what came with the data stays as it
    was, and the contradiction is told. A label kept as a vote becomes one. Who is unsure, or skips,
    becomes neither.

    Args:
        clips: Table clips of the run.
        votes: Table votes as it came with the data.
        gold: Table gold as it came with the data.
        ledger: Table decisions.
        drawn: Clips that were drawn at random to be looked at.
    """
    names = dict(clips.select("clip_id", "name").iter_rows())
    labelled = standing(ledger).filter((pl.col("verdict") == "label") & pl.col("clip_id").is_in(list(names)))
    by_clip = labelled.filter(pl.col("kept_as") == "gold").partition_by("clip_id", maintain_order=True)
    given = dict(gold.select("clip_id", "label").iter_rows())
    agreed, told, findings = list[dict[str, object]](), list[pl.DataFrame](), list[Finding]()
    for rows in by_clip:
        clip_id = rows["clip_id"][0]
        if findings_here := list(_contradictions(rows, given.get(clip_id), names[clip_id])):
            findings += findings_here
            told.append(rows)
        elif clip_id not in given:
            agreed.append(_gold(rows, at_random=clip_id in drawn))
    cast = _votes(pl.concat([*told, labelled.filter(pl.col("kept_as") == "votes")]))
    # Gold that came with the data may have been drawn as well: then nobody was asked again.
    drawn_too = pl.when(pl.col("clip_id").is_in(list(drawn))).then(True).otherwise(pl.col("at_random"))
    return Reviewed(
        votes=votes if cast.is_empty() else pl.concat([votes, cast]).sort("clip_id", maintain_order=True),
        gold=pl.concat([gold.with_columns(at_random=drawn_too), tables.table("gold", agreed)]).sort(
            "clip_id"
        ),
        findings=tuple(findings),
    )


def _contradictions(rows: pl.DataFrame, given: str | None, name: str) -> Iterator[Finding]:
    if rows["label"].n_unique() > 1:
        said = "; ".join(f"{who!r}: {label}" for who, label in rows.select("reviewer", "label").iter_rows())
        what = f"reviewers disagree ({said}), so that each counts as a vote and none as gold"
        yield Finding("reviews", name, "review", what, "read")
    if given is not None and (rows["label"] != given).any():
        said = "; ".join(f"{who!r}: {label}" for who, label in rows.select("reviewer", "label").iter_rows())
        what = f"the gold that came with the data says {given!r}, and stays; {said} counts as a vote"
        yield Finding("reviews", name, "review", what, "read")


def _gold(rows: pl.DataFrame, *, at_random: bool) -> dict[str, object]:
    return {
        "clip_id": rows["clip_id"][0],
        "label": rows["label"][0],
        "by": ", ".join(rows["reviewer"].sort()),
        "at_random": at_random,
    }


def _votes(labelled: pl.DataFrame) -> pl.DataFrame:
    return labelled.select("clip_id", annotator="reviewer", label="label", asked_at="decided_at")
