"""What the verbs of review do beyond one call: hand clips out, bring decisions back, cut the next version."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from curate.candidates import Asked, choose_next
from curate.clips.finding import Finding
from curate.earlier import keep_release
from curate.errors import InputError, Problem
from curate.files import write_text
from curate.pipeline import execute
from curate.publishing import release_folder
from curate.recipe import FolderClips
from curate.release.compare.difference import difference
from curate.release.compare.edition import Edition
from curate.release.compare.words import difference_lines
from curate.run_folder import Caps, Progress, Run, reopen_run, silent
from curate.run_media import seen_media
from curate.show.places import media_places
from curate.show.review import label_studio, sheet
from curate.show.review.choose import Choice
from curate.show.review.decision import Decision, Kept, Tool, decision_problems, utc_text
from curate.show.review.exports import Export, keep_export, read_exports
from curate.show.review.ledger import Added, add
from curate.show.review.task import Believed, Task

_MOST_TOLD = 10
_MINUTE_S = 60


def export_review(
    folder: Path, to: Tool, asked: Asked, *, out: Path | None = None, address: str = label_studio.LOCAL_FILES
) -> Iterator[str]:
    """Hand out the clips that a person's look is worth most about, and say in lines where they are.

    Args:
        folder: A finished run's.
        to: Where people will look at them.
        asked: How many of them, and how chosen.
        out: The file; in the run's reviews/ if left out. For fiftyone there is none.
        address: What Label Studio fetches media by, see `label_studio.tasks_json`.

    Raises:
        InputError: The run is not finished, or nothing is left to look at.
    """
    run = reopen_run(folder)
    release = Edition(release_folder(folder))
    choice = choose_next(run, asked)
    if choice.table.is_empty():
        raise InputError(str(folder), [Problem("clips", "every clip has gold or a decision: none is left")])
    handed = read_exports(folder)
    number = len(handed.exports) + 1
    match to:
        case "csv":
            path = out or folder / "reviews" / f"review-{number:03d}.csv"
            tasks, notes, _ = _tasks(run, release, choice, asked)
            write_text(path, sheet.sheet_text(tasks))
            told = [*notes, f"wrote {path}: fill in label (or verdict unsure, skip), reviewer, comment"]
        case "label-studio":
            path = out or folder / "reviews" / f"review-{number:03d}.json"
            tasks, notes, root = _tasks(run, release, choice, asked)
            told = [*notes, *_to_label_studio(run, tasks, path, root, address)]
        case "fiftyone":
            # FiftyOne takes seconds to load: only who asks for it waits.
            from curate.viewing import mark_for_review

            told = list(mark_for_review(folder, choice.table))
    keep_export(
        folder,
        Export(at=utc_text(datetime.now(UTC)), to=to, clip_ids=tuple(choice.table["clip_id"])),
        choice.drawn_through,
    )
    yield from _chosen_lines(choice, asked)
    yield from told


def import_review(
    folder: Path,
    tool: Tool,
    path: Path | None,
    *,
    reviewer: str = "",
    kept_as: Kept = "gold",
    progress: Progress = silent,
    environ: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Bring decisions back, say what they change, and cut the next version of the release.

    The ledger is written before anything is computed: killed at any moment, the same command goes on.

    Args:
        folder: The run's.
        tool: Where the decisions were made.
        path: The file that it wrote; None for fiftyone.
        reviewer: Who decided where the tool does not tell.
        kept_as: Whether labels are gold, or votes.
        progress: Told of every step.
        environ: The process's own if left out.

    Raises:
        InputError: With everything that is wrong with the decisions; then none is brought in.
    """
    environ = os.environ if environ is None else environ
    run = replace(reopen_run(folder), environ=environ, caps=Caps(max_calls=0), progress=progress)
    decisions, findings = _decisions(run, tool, path, reviewer)
    clips = run.read("clips")
    if problems := decision_problems(decisions, clips["clip_id"].to_list(), run.classes):
        raise InputError(str(path or tool), problems)
    added = add(folder, decisions, run.classes, tool=tool, kept_as=kept_as, now=utc_text(datetime.now(UTC)))
    names = dict(clips.select("clip_id", "name").iter_rows())
    yield from (f"note: {finding.problem()}" for finding in findings)
    yield from _added_lines(added, decisions, names)
    yield from _next_version(run, folder)


def _next_version(run: Run, folder: Path) -> Iterator[str]:
    """Carry the run on with its new decisions; what it said before is kept, and held against what it says."""
    before = keep_release(folder) if (folder / "release").is_dir() else None
    execute(run)
    for finding in run.read("problems-reviews").head(_MOST_TOLD).iter_rows(named=True):
        yield f"conflict: {finding['clip']}: {finding['what']}"
    after = Edition(run.release)
    if before is not None:
        yield from difference_lines(difference(before, after))
    yield f"release: {run.release}, version {after.version}"
    yield f"report:  {run.report}"


def _decisions(
    run: Run, tool: Tool, path: Path | None, reviewer: str
) -> tuple[list[Decision], list[Finding]]:
    if tool == "fiftyone":
        from curate.viewing import decisions_in_fiftyone

        return decisions_in_fiftyone(run.folder, reviewer), []
    if path is None:
        raise InputError("review import", [Problem("FILE", "none is named", f"Name what {tool} exported")])
    if tool == "csv":
        return sheet.read_decisions(path, run.classes, reviewer)
    return label_studio.read_decisions(path, reviewer), []


def _tasks(run: Run, release: Edition, choice: Choice, asked: Asked) -> tuple[list[Task], list[str], Path]:
    """The tasks, what is to be said of them, and the folder that their media lie in."""
    clips = run.read("clips").join(choice.table, on="clip_id")
    clips = clips.join(run.read("labels").drop("label_given"), on="clip_id").sort("rank")
    folder = run.folder / "reviews" / "media"
    places = media_places(clips, release, folder, seen_media(run, clips))
    tasks = [
        Task(
            rank=row["rank"],
            clip_id=row["clip_id"],
            name=row["name"],
            media=row["media"],
            place=str(places.files[row["clip_id"]]),
            transcript=row["transcript"] or "",
            believed=_believed(row) if asked.show_labels else None,
        )
        for row in clips.iter_rows(named=True)
        if row["clip_id"] in places.files
    ]
    notes = [
        f"note: {clip_id} is left out: its media are gone, and the release holds none"
        for clip_id in places.missing[:_MOST_TOLD]
    ]
    if not tasks:
        problem = Problem("clips", "the media of all that were chosen are gone", "Put them back")
        raise InputError(str(run.folder), [problem])
    return tasks, notes, _root(run, [Path(task.place) for task in tasks])


def _root(run: Run, places: list[Path]) -> Path:
    """The clips' own folder where all lie in it, else the nearest that holds all."""
    own = run.recipe.clips.path.resolve() if isinstance(run.recipe.clips, FolderClips) else None
    if own is not None and all(place.is_relative_to(own) for place in places):
        return own
    return Path(os.path.commonpath([place.parent for place in places]))


def _believed(row: dict[str, object]) -> Believed:
    given = row["label_given"]
    return Believed(
        given=None if given is None else str(given),
        refined=str(row["label_refined"]),
        confidence=float(str(row["confidence"])),
        reason=str(row["reason"]),
    )


def _to_label_studio(run: Run, tasks: list[Task], path: Path, root: Path, address: str) -> Iterator[str]:
    kinds = sorted({task.media for task in tasks})
    question = run.recipe.task.question
    for kind in kinds:
        # A project has one interface: videos and images are reviewed in projects of their own.
        mine = path if len(kinds) == 1 else path.with_name(f"{path.stem}-{kind}s{path.suffix}")
        chosen = [task for task in tasks if task.media == kind]
        write_text(mine, label_studio.tasks_json(chosen, root, address))
        write_text(mine.with_suffix(".xml"), label_studio.interface_xml(run.classes, question, kind))
        yield f"wrote {mine}: {len(chosen)} tasks to import; {mine.with_suffix('.xml').name}: the interface"
    if address == label_studio.LOCAL_FILES:
        yield (
            "start Label Studio with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
            f"LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={root}"
        )


def _chosen_lines(choice: Choice, asked: Asked) -> Iterator[str]:
    table = choice.table
    controls = int((table["purpose"] == "control").sum())
    minutes = table["look_s"].sum() / _MINUTE_S
    yield (
        f"{table.height} clips, about {minutes:.0f} minutes of looking: {table.height - controls} where a "
        f"look is worth most, {controls} drawn at random"
    )
    if table.height < asked.size:
        yield f"note: {asked.size} were asked for, and no more are worth a look"


def _added_lines(added: Added, decisions: list[Decision], names: Mapping[str, str]) -> Iterator[str]:
    new = added.new
    counts = {verdict: int((new["verdict"] == verdict).sum()) for verdict in ("label", "unsure", "skip")}
    told = ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n)
    yield f"{len(decisions)} decisions read, {new.height} new{f' ({told})' if told else ''}"
    if added.n_known:
        yield f"{added.n_known} were known already"
    for row in added.replaced.head(_MOST_TOLD).iter_rows(named=True):
        said = row["label"] or row["verdict"]
        yield f"note: {row['reviewer']} said {said!r} of {names[row['clip_id']]} before; the last word counts"
    if added.replaced.height > _MOST_TOLD:
        yield f"note: {added.replaced.height - _MOST_TOLD} more took back what they said before"
