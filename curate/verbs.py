"""What the verbs do beyond one call: open, compute, and say what was found in lines."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from curate.clips.gold import read_gold as read_gold_file
from curate.clips.names import clip_names
from curate.errors import InputError, Problem
from curate.evidence_file import gold_columns, read_evidence, read_gold
from curate.files import replaced
from curate.labels.evaluate import accuracy, calibration_error, log_loss, majority_accuracy
from curate.labels.evidence import Evidence
from curate.labels.gold import CERTAIN
from curate.labels.intake import evidence_from_frame
from curate.labels.queue import next_clips, person_confusion
from curate.labels.refine import Labels, refine
from curate.labels.reliability import GOLD
from curate.labels.settings import Drawn, Settings
from curate.manifest import Manifest
from curate.outputs import write_out
from curate.pipeline import execute
from curate.recipe import GoldFile
from curate.release.content import Metrics
from curate.release.load import load_release
from curate.release.truth import against_truth
from curate.run_folder import Progress, Run, open_run, reopen_run, silent

_ESTIMATES = {
    "given": "given labels",
    "refined": "refined labels",
    "high": "given labels, high reliability",
}
QUEUED = 100
"""Clips that are listed for a person to look at next."""

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
    max_calls: int | None = None,
    progress: Progress = silent,
) -> Run:
    """Carry out a recipe, as `curate run` does, and return the finished run.

    Args:
        recipe: The recipe's file.
        folder: The run's folder; runs/NAME beside the recipe if left out.
        environ: Where the key of a model's server is looked up; the process's own if left out.
        limit: Only so many clips, a random sample.
        max_calls: Stop asking after so many new calls.
        progress: Called with a stage's name, how much of it is done, and how much there is.

    Raises:
        CurateError: With what to put right.
    """
    opened = open_run(
        Path(recipe),
        Path(folder) if folder else None,
        environ=os.environ if environ is None else environ,
        limit=limit,
        max_calls=max_calls,
        progress=progress,
    )
    execute(opened)
    return opened


def rebuild(folder: Path) -> Run:
    """Write metrics, release and report of an earlier run again.

    Raises:
        InputError: The folder holds no run.
    """
    reopened = reopen_run(folder)
    write_out(reopened)
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
    asked = Manifest.load(finished.folder).stages["answers"].counts
    if asked["left_out"] or asked["failed"]:
        yield f"{asked['left_out']} questions left out, {asked['failed']} failed: run again to go on"
    yield f"report:  {finished.report}"
    yield f"release: {finished.release}"


def refine_file(
    path: Path,
    gold: Path | None,
    classes: Sequence[str] | None,
    *,
    ordinal: bool,
    out: Path,
    certify: float | None = None,
    drawn: Drawn = "unknown",
    queue: Path | None = None,
) -> Iterator[str]:
    """Refine a CSV file of evidence, write the labels, and say what was found.

    Args:
        path: Columns clip_id, instrument, outcome.
        gold: Columns clip_id and gold (or label): labels known to be right, to learn from.
        classes: Class names; what people answered if left out.
        ordinal: Whether the classes are ordered.
        out: Where the labels go.
        certify: Share of wrong labels up to which the surest labels are to be certified.
        drawn: How clips came to have gold.
        queue: Where to write which clips a person should look at next.

    Raises:
        InputError: A file cannot be read, or says something that it cannot mean.
    """
    _check_names(path, classes, ordinal=ordinal, out=out, certify=certify)
    read = read_evidence(path, classes)
    evidence = evidence_from_frame(read.evidence, read.classes, ordinal=ordinal)
    known = None if gold is None else read_gold(gold).rename({"clip": "clip_id"})
    labels = refine(evidence, read.classes, gold=known, settings=_asked(certify, drawn))
    with replaced(out) as partial:
        labels.table.write_parquet(partial)
    yield f"{evidence.n_items} clips, {len(evidence.instruments)} instruments"
    confidence = float(np.mean(labels.table["confidence"].to_numpy()))
    yield f"classes {', '.join(read.classes)}; mean confidence {confidence:.3f}"
    yield from _estimated(evidence, labels)
    for name, one in (("given labels", labels.certificate), ("labels", labels.pseudo_certificate)):
        if one is not None:
            yield f"{name}: {one.statement}"
    yield from (f"caution: {one.text}" for one in labels.cautions)
    if queue is not None:
        _write_queue(evidence, labels, queue)
        yield f"wrote {queue}"
    yield f"wrote {out}"


def _check_names(
    path: Path, classes: Sequence[str] | None, *, ordinal: bool, out: Path, certify: float | None
) -> None:
    problems = []
    if ordinal and not classes:
        fix = "--classes lowest,…,highest"
        problems.append(Problem("--ordinal", "needs --classes, which say their order", fix))
    if out.suffix != ".parquet":
        problems.append(Problem("--out", f"{out} names no .parquet file", f"--out {out.stem}.parquet"))
    if certify is not None and not 0 < certify < 1:
        problems.append(Problem("--certify", f"got {certify:g}, a share between 0 and 1 expected"))
    if problems:
        raise InputError(str(path), problems)


def _asked(certify: float | None, drawn: Drawn) -> Settings:
    if certify is None:
        return Settings(drawn=drawn)
    return Settings(
        rule="certificate", pseudo_rule="certificate", error=certify, pseudo_error=certify, drawn=drawn
    )


def _estimated(evidence: Evidence, labels: Labels) -> Iterator[str]:
    """What gold tells of the labels: each gold clip is foretold by what the others taught."""
    if labels.learned is None or labels.quality is None:
        return
    learned, quality = labels.learned, labels.quality
    majority = majority_accuracy(evidence.class_votes()[learned.clips], learned.gold)
    refined = accuracy(learned.held_out.argmax(axis=1), learned.gold)
    yield f"on {len(learned.gold)} gold clips: majority {majority:.4f} right, refined {refined:.4f}"
    loss, error = (f(learned.held_out, learned.gold) for f in (log_loss, calibration_error))
    yield f"log-loss {loss:.3f}, calibration error {error:.3f} (each clip foretold without its own gold)"
    for name, one in (("given", quality.given), ("refined", quality.refined)):
        if one.n_clips:
            yield f"{name} labels that are right, of all: {one.value:.3f} ({one.low:.3f} to {one.high:.3f})"
    yield "learned: " + ", ".join(f"{way} {share:.0%}" for way, share in learned.shares.items())


def _write_queue(evidence: Evidence, labels: Labels, path: Path) -> None:
    """The clips that are worth a person's look, best first, as CSV."""
    posterior = np.array(labels.table["posterior"].to_list()).reshape(evidence.n_items, -1)
    ranked = next_clips(
        posterior, person_confusion(evidence, posterior), evidence.classes, min(QUEUED, evidence.n_items)
    )
    named = ranked.with_columns(clip_id=pl.Series(evidence.clip_ids).gather(ranked["clip"]))
    with replaced(path) as partial:
        named.select("rank", "clip_id", "expected_gain", "reason").write_csv(partial)


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
    """Clips whose label is as sure as only their own gold makes it."""
    by_gold = pl.col("why").list.eval(pl.element().struct.field("instrument") == GOLD).list.any()
    return labels.filter(by_gold & (pl.col("confidence") >= CERTAIN))["clip_id"].to_list()


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
