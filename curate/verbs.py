"""What the verbs do beyond one call: open, compute, and say what was found in lines."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curate.clips.gold import read_gold as read_gold_file
from curate.clips.names import clip_names
from curate.errors import InputError, Problem
from curate.evidence_file import gold_columns
from curate.labels.gold import CERTAIN
from curate.labels.reliability import GOLD, PRIOR
from curate.manifest import Manifest
from curate.outputs import write_report_again
from curate.pipeline import execute
from curate.recipe import GoldFile
from curate.release.asking_words import media_sentence
from curate.release.content import Metrics
from curate.release.load import load_release
from curate.release.outcome_words import cost_in_short, unusable
from curate.release.truth import against_truth
from curate.run_folder import Caps, Progress, Run, open_run, reopen_run, silent

_ESTIMATES = {
    "given": "given labels",
    "refined": "refined labels",
    "high": "given labels, high reliability",
}
_HEADLINES = (
    ("given labels", "accuracy_given"),
    ("majority of votes and given label", "accuracy_majority"),
    ("refined labels", "accuracy_refined"),
    ("refined labels, high reliability", "accuracy_high"),
    ("refined labels, low reliability", "accuracy_low"),
    ("pseudo-labels", "accuracy_pseudo"),
    ("pseudo-labels, accepted", "accuracy_pseudo_accepted"),
)


def run(
    recipe: Path | str,
    folder: Path | str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    limit: int | None = None,
    caps: Caps = Caps(),  # noqa: B008 frozen, and so shared safely
    progress: Progress = silent,
) -> Run:
    """Carry out a recipe, as `curate run` does, and return the finished run.

    Args:
        recipe: The recipe's file.
        folder: The run's folder; runs/NAME beside the recipe if left out.
        environ: Where the key of a model's server is looked up; the process's own if left out.
        limit: Only so many clips, a random sample.
        caps: Stop asking when so much is newly spent.
        progress: Called with a stage's name, how much of it is done, and how much there is.

    Raises:
        CurateError: With what to put right.
    """
    opened = open_run(
        Path(recipe),
        Path(folder) if folder else None,
        environ=os.environ if environ is None else environ,
        limit=limit,
        caps=caps,
        progress=progress,
    )
    execute(opened)
    return opened


def rebuild(folder: Path) -> Run:
    """Write metrics and report of an earlier run again; its release stays as it is.

    Raises:
        InputError: The folder holds no run.
    """
    reopened = reopen_run(folder)
    write_report_again(reopened)
    return reopened


def findings(finished: Run) -> Iterator[str]:
    """What a run found, in a few lines for the terminal."""
    metrics = finished.metrics
    counts, given, pseudo = metrics["counts"], metrics["given"], metrics["pseudo"]
    aside = sum(counts["set_aside"].values())
    yield f"{counts['clips']} clips, {counts['labelled']} with a label; {aside} files or rows set aside"
    if given["changed"]["n"]:
        changed, high = given["changed"]["value"], given["high"]["value"]
        yield f"{changed:.0%} of given labels changed, {high:.0%} are of high reliability"
    if pseudo["made"]:
        yield f"{pseudo['accepted']} of {pseudo['made']} pseudo-labels accepted"
    yield from _measured(metrics)
    if lost := unusable(metrics["answers"]):
        yield f"warning: {lost}"
    yield from _asked(metrics["asking"])
    asked = Manifest.load(finished.folder).stages["answers"].counts
    if asked["left_out"] or asked["failed"]:
        yield f"{asked['left_out']} questions left out, {asked['failed']} failed: run again to go on"
    yield f"report:  {finished.report}"
    yield f"release: {finished.release}"


def _asked(asking: Metrics) -> Iterator[str]:
    """What the controls say, where they do not plainly say that all is well, and what the calls took."""
    if asking["verdict"]["verdict"] not in ("sound", "not_asked"):
        yield f"warning: {media_sentence(asking['verdict'])}"
    yield f"asked:   {cost_in_short(asking['cost'])}"


def evaluate_folder(folder: Path, gold: Path) -> Iterator[str]:
    """Measure a run or a release against labels known to be right, and say it in lines.

    Args:
        folder: Of a run or of a release.
        gold: Names each clip by its id, its path, its file name or its stem.

    Raises:
        InputError: No clip of the folder has a label in the gold file.
    """
    refined = _refined(folder)
    known, notes = _known(gold, refined)
    if learned := known.filter(pl.col("clip_id").is_in(refined.learned)).height:
        yield f"note: {learned} of these labels took part in the refining and are left out"
        known = known.filter(~pl.col("clip_id").is_in(refined.learned))
    yield from (f"note: {note}" for note in notes)
    found = against_truth(
        refined.labels, refined.votes, refined.classes, known, ordinal=refined.ordinal, source="gold"
    )
    if found is None:
        raise InputError(str(gold), [Problem("rows", f"none of them tells of a clip of {folder}")])
    yield from _against(found)


@dataclass(frozen=True, slots=True)
class _Refined:
    """What of a run or a release is measured."""

    clips: pl.DataFrame
    labels: pl.DataFrame
    votes: pl.DataFrame
    classes: tuple[str, ...]
    ordinal: bool
    learned: list[str]
    """Clips whose gold took part in the refining."""
    source: str = ""
    """Name of the folder that the clips came from, which a file beside it may put before their names."""


def _refined(folder: Path) -> _Refined:
    if (folder / "recipe.json").is_file():
        run = reopen_run(folder)
        clips, labels, votes = (run.read(name) for name in ("clips", "labels", "votes"))
        source = Path(run.recipe.clips.path).name
        learned = run.read("gold")["clip_id"].to_list()
        return _Refined(clips, labels, votes, run.classes, run.recipe.task.ordinal, learned, source)
    release = load_release(folder)
    ordinal = bool(release.metrics["ordinal"])
    learned = _explained_by_gold(release.labels)
    return _Refined(release.clips, release.labels, release.votes, release.classes, ordinal, learned)


def _explained_by_gold(labels: pl.DataFrame) -> list[str]:
    """Clips of whose label gold is the only reason, and which are as sure as that makes them."""
    reasons = pl.col("why").list.eval(pl.element().struct.field("instrument").is_in([GOLD, PRIOR]))
    certain = (pl.col("confidence") - CERTAIN).abs() < 1e-9
    named = pl.col("why").list.eval(pl.element().struct.field("instrument") == GOLD).list.any()
    return labels.filter(named & reasons.list.all() & certain)["clip_id"].to_list()


def _known(path: Path, refined: _Refined) -> tuple[pl.DataFrame, list[Problem]]:
    """Gold with columns clip_id and label, and what is odd about the file's rows."""
    clip, label = gold_columns(path)
    ids = refined.clips["clip_id"].to_list()
    names = clip_names(ids) if clip == "clip_id" else clip_names(refined.clips["name"], refined.source)
    gold, findings = read_gold_file(GoldFile(file=path, clip=clip, label=label), names, refined.classes)
    rows = {"clip_id": [ids[position] for position in gold], "label": [one.label for one in gold.values()]}
    schema = {"clip_id": pl.String, "label": pl.String}
    return pl.DataFrame(rows, schema=schema), [finding.problem() for finding in findings]


def _measured(metrics: Metrics) -> Iterator[str]:
    """How right the labels are, by a truth that is known, else as gold tells."""
    if metrics["truth"] is not None:
        yield from _against(metrics["truth"])
    for one in metrics["quality"] if metrics["truth"] is None else []:
        if one["class"] is None and one["n_clips"] and one["value"] is not None:
            name = f"{_ESTIMATES[one['measure']]}, by gold"
            yield f"{name:34} {one['value']:.3f} right ({one['low']:.3f} to {one['high']:.3f})"
    if metrics["truth"] is None and not metrics["quality"]:
        yield "how right the labels are is unknown: no label is known to be right"
    for one in metrics["certificates"]:
        if one["class"] is None:
            yield f"{one['labels']} labels: {one['statement']}"


def _against(truth: Metrics) -> Iterator[str]:
    for name, key in _HEADLINES:
        share = truth[key]
        if share["n"]:
            interval = f"{share['low']:.3f} to {share['high']:.3f}, {share['n']} clips"
            yield f"{name:34} {share['value']:.3f} right ({interval})"
    auroc = truth["reliability_auroc"]
    ranks = "" if auroc is None else f"reliability AUROC {auroc:.3f}, "
    yield f"{ranks}log-loss {truth['log_loss']:.3f}, calibration error {truth['ece']:.3f}"
