"""The stages that turn evidence into labels, and hold cleanlab's findings beside them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate import tables
from curate.answers.reasons.reason import contradicted
from curate.clips.finding import Finding, problem_table
from curate.errors import InputError
from curate.further import directions_of, options_of
from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.judge import clip_vectors, embedding_probabilities
from curate.labels.refine import refine
from curate.labels.reliability import given_codes
from curate.labels.settings import Settings
from curate.labels.statements import caution_table, certificate_table, quality_table
from curate.recipe import AgreementSplit, CertificateSplit, Labels, QuotaSplit, ThresholdSplit
from curate.run_folder import Run
from curate.sequences.parts import read_parts

Frames = Mapping[str, pl.DataFrame]
"""Tables by file stem."""
Counts = Mapping[str, int]


def judge(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """Judge: a classifier on the embeddings, taught by the labels and votes of other groups.

    Reads tables clips and votes, and the parts of table embeddings; writes
    probabilities-judge, and problems-judge where too little is labelled.
    """
    asked = run.recipe.embeddings
    wanted = asked is not None and asked.judge
    looks = clip_vectors(read_parts(run.parts("embeddings"), "embeddings") if wanted else ())
    probabilities, findings = tables.empty("probabilities"), list[Finding]()
    if looks.clip_ids:
        try:
            probabilities = embedding_probabilities(looks, read["clips"], read["votes"], run.classes)
        except InputError as error:
            findings = [_no_judge(problem.what) for problem in error.problems]
    written = {"probabilities-judge": probabilities, "problems-judge": problem_table(findings)}
    return written, {"clips": probabilities.height}


def _no_judge(why: str) -> Finding:
    what = f"no classifier was trained on the embeddings: {why}"
    return Finding("embeddings.judge", None, "embeddings", what, "read")


def label(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """Refine: labels, what each instrument is worth, and what is proven, doubted and estimated of them."""
    named = read["clips"].filter(pl.col("group").is_not_null()).select("clip_id", "group")
    refined = refine(
        _coded(run, read),
        run.classes,
        gold=read["gold"].select("clip_id", "label", "at_random"),
        groups=dict(named.iter_rows()),
        barred=dict(contradicted(read["reasons"]).iter_rows()),
        settings=_settings(run.recipe.labels),
    )
    written = {
        "labels": refined.table,
        "instruments": refined.instruments,
        "confusions": refined.confusions,
        "cautions": caution_table(refined.cautions),
        "certificates": certificate_table(refined.certificate, refined.pseudo_certificate, run.classes),
        "quality": quality_table(refined.quality, run.classes),
    }
    return written, {"clips": refined.table.height, "gold": read["gold"].height}


def _settings(labels: Labels) -> Settings:
    """What the recipe asks of labels, as the statistics know it."""
    asked = Settings(
        pseudo_rule=labels.pseudo.rule,
        pseudo_threshold=labels.pseudo.threshold,
        pseudo_error=labels.pseudo.error,
        pseudo_risk=labels.pseudo.risk,
        drawn=labels.gold_drawn,
        soft=labels.soft,
        soft_votes=labels.soft_votes,
    )
    match labels.split:
        case ThresholdSplit(threshold=threshold):
            return replace(asked, rule="threshold", threshold=threshold)
        case QuotaSplit(quota=quota):
            return replace(asked, rule="quota", quota=quota)
        case AgreementSplit(share=share):
            return replace(asked, rule="agreement", agreement=share)
        case CertificateSplit(error=error, risk=risk, per_class=per_class):
            return replace(asked, rule="certificate", error=error, risk=risk, per_class=per_class)


def _coded(run: Run, read: Frames) -> Evidence:
    return evidence_from_frame(
        read["evidence"],
        run.classes,
        ordinal=run.recipe.task.ordinal,
        options=options_of(run),
        directions=directions_of(run),
        clip_ids=read["clips"]["clip_id"].to_list(),
    )


def all_probabilities(read: Frames) -> pl.DataFrame:
    """Table probabilities: of classifiers that came with the clips, and of the one on embeddings."""
    return pl.concat([read["probabilities"], read["probabilities-judge"]])


def check_labels(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """Cross-check: what cleanlab finds wrong in the same given labels."""
    # cleanlab takes seconds to load: only a run needs it.
    from curate.labels.cross_check import cross_check

    evidence = _coded(run, read)
    posterior = np.array(read["labels"]["posterior"].to_list()).reshape(evidence.n_items, -1)
    found = cross_check(evidence, posterior, given_codes(evidence), _classifier(run, evidence, read))
    return {"cross_check": found.table}, {"clips": found.table.height}


def _classifier(run: Run, evidence: Evidence, read: Frames) -> NDArray[np.float64] | None:
    """Mean probabilities of the classifiers, nan where none judged: (n_clips, n_classes)."""
    said = all_probabilities(read)
    if said.is_empty():
        return None
    place = {clip_id: row for row, clip_id in enumerate(evidence.clip_ids)}
    rows = [place[clip_id] for clip_id in said["clip_id"]]
    total, count = np.zeros((len(place), len(run.classes))), np.zeros(len(place))
    np.add.at(total, rows, np.array(said["probs"].to_list()))
    np.add.at(count, rows, 1)
    return np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], np.nan)
