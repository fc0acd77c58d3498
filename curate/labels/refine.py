"""Refine: evidence in, labels out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from curate.errors import InputError, Problem
from curate.labels.carry import Earlier
from curate.labels.caution import Caution, cautions
from curate.labels.certificate import Certificate
from curate.labels.evidence import Evidence, Floats, Ints
from curate.labels.gold import Learned, learn_from_gold
from curate.labels.intake import evidence_from_frame
from curate.labels.known import barred_codes, drawn_as_told, gold_codes, group_codes, is_drawn
from curate.labels.label_table import label_table
from curate.labels.model import fit
from curate.labels.posterior import Posterior
from curate.labels.quality import Quality, dataset_quality
from curate.labels.reliability import given_codes
from curate.labels.selection import Known, Selection, select
from curate.labels.settings import Settings
from curate.labels.share import Design
from curate.labels.worth import confusion_table, instrument_table


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What came of the evidence."""

    classes: tuple[str, ...]
    ordinal: bool
    table: pl.DataFrame
    """One row a clip, sorted by clip_id: see `label_table`."""
    instruments: pl.DataFrame
    """One row an instrument: see `instrument_table`."""
    confusions: pl.DataFrame
    """P(outcome | class) of every instrument: instrument, class, outcome, probability."""
    cautions: tuple[Caution, ...]
    """Reasons not to trust the labels, serious ones first."""
    certificate: Certificate | None
    """Of the high split, if that was the rule."""
    pseudo_certificate: Certificate | None
    """Of the accepted pseudo-labels, if that was the rule."""
    quality: Quality | None
    """How right the labels are by gold, with intervals; None without gold."""
    learned: Learned | None
    """What gold taught, and what was believed of each gold clip before its own gold; None without."""
    fitted: Earlier
    """The fit before gold, to go on from when more evidence has come."""


def refine(
    evidence: pl.DataFrame | Evidence,
    classes: Sequence[str],
    *,
    ordinal: bool = False,
    options: Mapping[str, Sequence[str]] | None = None,
    directions: Mapping[str, int] | None = None,
    clip_ids: Iterable[str] = (),
    gold: pl.DataFrame | Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    barred: Mapping[str, str] | None = None,
    earlier: Earlier | None = None,
    settings: Settings | None = None,
) -> Labels:
    """Weigh everything that was said about each clip, and label it.

    Args:
        evidence: A long table as `evidence_from_frame` reads it, or what it made
            of one; with the latter, the keyword arguments up to `clip_ids` must
            be left out.
        classes: At least two names, lowest first if `ordinal`.
        ordinal: Whether the classes are ordered.
        options: What each instrument can answer, by name.
        directions: +1 or -1 for items whose later options speak for higher or
            lower classes. Needed only where no answer is a class.
        clip_ids: Clips to be listed even if nothing is said about them: they get
            the share of the classes as posterior and "prior" as only reason.
        gold: Labels known to be right, by clip; or a table with columns clip_id,
            label and perhaps at_random, which tells of each whether the clip was
            drawn at random (null: as `settings.drawn` says). All of them teach; where
            some are known to be drawn, those alone measure and prove. Clips that are
            not in the evidence are left out.
        groups: Subject or source of a clip, by clip; a clip that is not named is
            a group of its own.
        barred: Class that must not be accepted as a clip's pseudo-label, by clip:
            something outside the evidence speaks against it.
        earlier: `fitted` of labels made of less evidence, to be quicker.
        settings: How to split and what to accept.

    Returns:
        The labels.

    Raises:
        InputError: With every problem of the evidence or the gold, or because
            nothing tells what the classes mean.
    """
    settings = settings or Settings()
    if not isinstance(evidence, pl.DataFrame | Evidence):
        what = f"is a {type(evidence).__name__}, a polars DataFrame expected"
        raise InputError(
            "evidence", [Problem("table", what, "polars.from_pandas(table) makes one of pandas'")]
        )
    if isinstance(evidence, pl.DataFrame):
        evidence = evidence_from_frame(
            evidence, classes, ordinal=ordinal, options=options, directions=directions, clip_ids=clip_ids
        )
    elif problems := _coded_otherwise(evidence, classes, ordinal, options, directions, clip_ids):
        raise InputError("evidence", problems)
    codes = gold_codes(evidence, gold)
    known = Known(
        gold=codes,
        proof=np.where(is_drawn(evidence, gold, settings), codes, -1),
        groups=group_codes(evidence, groups),
        barred=barred_codes(evidence, barred or {}),
    )
    settings = drawn_as_told(settings, gold)
    before = fit(evidence, settings.fit, earlier)
    learned = learn_from_gold(evidence, before, known.gold, known.groups) if (known.gold >= 0).any() else None
    posterior = learned.posterior if learned else before
    given = given_codes(evidence)
    unseen = _unseen(posterior, learned)
    selection = select(evidence, before, posterior, unseen, given, known, settings)
    return Labels(
        classes=evidence.classes,
        ordinal=evidence.ordinal,
        table=label_table(evidence, posterior, selection, settings),
        instruments=instrument_table(evidence, posterior),
        confusions=confusion_table(evidence, posterior),
        cautions=cautions(evidence, posterior.probabilities, int((known.gold >= 0).sum())),
        certificate=selection.certificate,
        pseudo_certificate=selection.pseudo_certificate,
        quality=_quality(unseen, given, selection, known, settings) if learned else None,
        learned=learned,
        fitted=Earlier(evidence, before),
    )


def _coded_otherwise(
    evidence: Evidence,
    classes: Sequence[str],
    ordinal: bool,
    options: Mapping[str, Sequence[str]] | None,
    directions: Mapping[str, int] | None,
    clip_ids: Iterable[str],
) -> list[Problem]:
    """What is asked for in vain, because the evidence was coded before."""
    asked = {
        "ordinal": ordinal and not evidence.ordinal,
        "options": bool(options),
        "directions": bool(directions),
        "clip_ids": bool(list(clip_ids)),
    }
    problems = [
        Problem(name, "the evidence is coded already", "Leave it out") for name in asked if asked[name]
    ]
    if tuple(classes) != evidence.classes:
        listed = ", ".join(evidence.classes)
        problems.append(Problem("classes", f"the evidence was coded for {listed}", "Pass these"))
    return problems


def _unseen(posterior: Posterior, learned: Learned | None) -> Posterior:
    """The posterior with what was believed of each gold clip before its own gold was seen."""
    if learned is None:
        return posterior
    probabilities: Floats = posterior.probabilities.copy()
    probabilities[learned.clips] = learned.held_out
    return replace(posterior, probabilities=probabilities)


def _quality(
    unseen: Posterior, given: Ints, selection: Selection, known: Known, settings: Settings
) -> Quality:
    """Estimates of labels and split as they would be without each clip's own gold."""
    grouped = len(np.unique(known.groups)) < len(known.groups)
    by_group = settings.drawn == "by group" or (settings.drawn == "unknown" and grouped)
    design = Design(groups=known.groups if by_group else None)
    likeliest = unseen.probabilities.argmax(axis=1)
    return dataset_quality(
        unseen.probabilities, given, likeliest, selection.foretold_high, known.proof, design
    )
