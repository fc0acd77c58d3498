"""The statistics alone: a CSV file of evidence in, a file of labels out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from curate.errors import InputError, Problem
from curate.evidence_file import read_evidence, read_gold
from curate.files import replaced
from curate.labels.evaluate import accuracy, calibration_error, log_loss, majority_accuracy
from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.queue import next_clips, person_confusion
from curate.labels.refine import Labels, refine
from curate.labels.settings import Drawn, Settings

QUEUED = 100
"""Clips that are listed for a person to look at next."""


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
    _check_names(classes, gold, ordinal=ordinal, out=out, certify=certify)
    read = read_evidence(path, classes)
    evidence = evidence_from_frame(read.evidence, read.classes, ordinal=ordinal)
    known = None if gold is None else read_gold(gold).rename({"clip": "clip_id"})
    labels = refine(evidence, read.classes, gold=known, settings=_asked(certify, drawn))
    n_learned = 0 if labels.learned is None else len(labels.learned.clips)
    if known is not None and not n_learned:
        problem = Problem("clip_id", f"names no clip of {path}", "Use the ids of its column clip_id")
        raise InputError(str(gold), [problem])
    with replaced(out) as partial:
        labels.table.write_parquet(partial)
    yield f"{evidence.n_items} clips, {len(evidence.instruments)} instruments"
    if known is not None and known.height > n_learned:
        yield f"note: {known.height - n_learned} gold labels are of no clip of {path}"
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
    classes: Sequence[str] | None,
    gold: Path | None,
    *,
    ordinal: bool,
    out: Path,
    certify: float | None,
) -> None:
    problems = []
    if ordinal and not classes:
        fix = "--classes lowest,…,highest"
        problems.append(Problem("--ordinal", "needs --classes, which say their order", fix))
    if out.suffix != ".parquet":
        problems.append(Problem("--out", f"{out} names no .parquet file", f"--out {out.stem}.parquet"))
    if certify is not None and not 0 < certify < 1:
        problems.append(Problem("--certify", f"got {certify:g}, a share between 0 and 1 expected"))
    if certify is not None and gold is None:
        problems.append(Problem("--certify", "needs --gold, which is the proof", "--gold GOLD.csv"))
    if problems:
        raise InputError("curate refine", problems)


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
    yield "learned: " + "; ".join(f"{way} {share:.0%}" for way, share in learned.shares.items())


def _write_queue(evidence: Evidence, labels: Labels, path: Path) -> None:
    """The clips that are worth a person's look, best first, as CSV."""
    posterior = np.array(labels.table["posterior"].to_list()).reshape(evidence.n_items, -1)
    known = np.zeros(evidence.n_items, dtype=bool)
    if labels.learned is not None:
        known[labels.learned.clips] = True
    people = person_confusion(evidence, posterior)
    ranked = next_clips(posterior, people, evidence.classes, QUEUED, already=known)
    named = ranked.with_columns(clip_id=pl.Series(evidence.clip_ids).gather(ranked["clip"]))
    with replaced(path) as partial:
        named.select("rank", "clip_id", "expected_gain", "reason").write_csv(partial)
