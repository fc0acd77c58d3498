"""The clips of a recipe as checked tables: every file is read, or set aside with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import polars as pl

from curate import tables
from curate.clips.content import Content, kept_positions, media_findings, read_contents
from curate.clips.finding import problem_table
from curate.clips.gold import Gold
from curate.clips.notes import Notes, read_notes
from curate.clips.pool import Progress
from curate.clips.raw import Given, RawClip
from curate.clips.source import Source, open_source
from curate.errors import InputError, Problem
from curate.recipe import Clips, GoldFile

_PROBED = ("media", "duration_s", "fps", "n_frames", "width", "height")


@dataclass(frozen=True, slots=True)
class ClipTables:
    """What a recipe's clips section holds; each table keeps its contract in schemas/."""

    clips: pl.DataFrame
    """Sorted by name."""
    votes: pl.DataFrame
    gold: pl.DataFrame
    truth: pl.DataFrame
    """A table `gold` that is only measured against."""
    probabilities: pl.DataFrame
    problems: pl.DataFrame
    """Everything that was set aside, or read though it was not as it should be."""


def read_clips(
    clips: Clips,
    classes: Sequence[str],
    progress: Progress | None = None,
    *,
    truth: GoldFile | None = None,
) -> ClipTables:
    """Read the clips of a recipe with their labels, votes, gold and classifiers' probabilities.

    A clip's id is the beginning of the sha256 of its bytes: files of the same
    bytes are one clip under the first of their names, with the votes for all of
    them, and the other values of the first that has any.

    Args:
        clips: The recipe's section; its paths are absolute.
        classes: The recipe's classes.
        progress: Told (done, total) after each file.
        truth: Labels to measure against.

    Returns:
        Tables sorted by clip (clips by name), the same for the same files.

    Raises:
        InputError: The folder, dataset, a label file or a column is not there,
            or not a single clip can be read.
    """
    source = open_source(clips, classes)
    notes = read_notes(clips, source.raw, classes, truth)
    if notes.broken:
        raise InputError("clips", notes.broken)
    contents = read_contents(source, progress)
    if not any(content.probe for content in contents):
        found = [*source.findings, *(content.finding for content in contents if content.finding)]
        reasons = [finding.problem() for finding in found if finding.kind == "media"]
        nothing = Problem("clips.path", f"none of {len(reasons)} files can be read")
        raise InputError("clips", [nothing, *reasons])
    return _tables(source, notes, contents)


def _tables(source: Source, notes: Notes, contents: Sequence[Content]) -> ClipTables:
    kept = kept_positions(source, contents)
    ids = {position: contents[position].clip_id for position in kept}
    findings = [*source.findings, *notes.findings, *media_findings(source, notes, contents)]
    return ClipTables(
        clips=tables.validate("clips", _clip_table(source, notes, contents, kept)),
        votes=tables.validate("votes", _vote_table(notes, ids)),
        gold=tables.validate("gold", _gold_table(notes.gold, ids)),
        truth=tables.validate("gold", _gold_table(notes.truth, ids)),
        probabilities=tables.validate("probabilities", _probability_table(notes, ids)),
        problems=tables.validate("problems", problem_table(findings)),
    )


def _clip_table(
    source: Source, notes: Notes, contents: Sequence[Content], kept: Mapping[int, int]
) -> pl.DataFrame:
    given: dict[int, Given] = {}
    for position, kept_as in kept.items():
        given[kept_as] = _filled(given.get(kept_as, Given()), notes.given.get(position, Given()))
    rows = [_clip_row(source.raw[position], contents[position], values) for position, values in given.items()]
    return tables.table("clips", rows).sort("name", "clip_id")


def _filled(first: Given, second: Given) -> Given:
    """The first's values, and the second's where the first has none."""
    pairs = ((getattr(first, column.name), getattr(second, column.name)) for column in fields(Given))
    return Given(*(mine if mine is not None else theirs for mine, theirs in pairs))


def _clip_row(clip: RawClip, content: Content, given: Given) -> dict[str, object]:
    return {
        "clip_id": content.clip_id,
        "name": clip.name,
        "uri": clip.uri,
        "sha256": content.sha256,
        "label_given": given.label,
        "split": given.split or "train",
        "group": given.group,
        "recording": given.recording,
        "start_s": given.start_s,
        "end_s": given.end_s,
        "recorded_at": given.recorded_at,
        "transcript": given.transcript,
        **{name: getattr(content.probe, name) for name in _PROBED},
    }


def _vote_table(notes: Notes, ids: Mapping[int, str]) -> pl.DataFrame:
    """Votes by clip, those of a clip in the file's order."""
    rows: list[dict[str, object]] = [
        {
            "clip_id": ids[vote.position],
            "annotator": vote.annotator,
            "label": vote.label,
            "asked_at": vote.asked_at,
        }
        for vote in notes.votes
        if vote.position in ids
    ]
    return tables.table("votes", rows).sort("clip_id", maintain_order=True)


def _gold_table(gold: Mapping[int, Gold], ids: Mapping[int, str]) -> pl.DataFrame:
    """Gold by clip; of copies the first by name that has gold counts."""
    rows: dict[str, dict[str, object]] = {}
    for position, clip_id in ids.items():
        if position in gold:
            row: dict[str, object] = {"label": gold[position].label, "by": gold[position].by}
            rows.setdefault(clip_id, {"clip_id": clip_id, **row})
    return tables.table("gold", list(rows.values())).sort("clip_id")


def _probability_table(notes: Notes, ids: Mapping[int, str]) -> pl.DataFrame:
    """Probabilities by clip and classifier; of copies the first by name that has any counts."""
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for model, said in notes.classifiers.items():
        for position, clip_id in ids.items():
            if position in said:
                row: dict[str, object] = {"clip_id": clip_id, "model": model, "probs": list(said[position])}
                rows.setdefault((clip_id, model), row)
    return tables.table("probabilities", list(rows.values())).sort("clip_id", "model")
