"""Selection: which given labels are high, and which pseudo-labels are accepted."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.labels.adaptive import adaptive_thresholds
from curate.labels.agreement import agreement_share
from curate.labels.certificate import Certificate, certify, kept
from curate.labels.evidence import Evidence, Floats, Ints
from curate.labels.gold_sample import draw_at_random
from curate.labels.posterior import Posterior
from curate.labels.pseudo import PseudoLabels, pseudo_labels
from curate.labels.reliability import reliability
from curate.labels.settings import Settings
from curate.labels.split import HIGH, named, split_by_quota, split_by_threshold


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of some clips."""

    gold: Ints
    """Class of the gold label, -1 without: (n_items,)."""
    proof: Ints
    """The same of the clips that came to have gold by a draw: they alone measure and prove, (n_items,)."""
    groups: Ints
    """Subject or source of each clip: (n_items,)."""
    barred: Ints
    """Class that must not be accepted as a clip's pseudo-label, -1 without: (n_items,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What was selected."""

    split: pl.Series
    """high, low, or null without a given label: (n_items,)."""
    pseudo: PseudoLabels
    certificate: Certificate | None
    """Of the high split, if the rule is certificate."""
    pseudo_certificate: Certificate | None
    """Of the accepted pseudo-labels, if their rule is certificate."""
    foretold_high: NDArray[np.bool_]
    """Clips that would be high if their own gold were not known, for measuring: (n_items,)."""


def select(
    evidence: Evidence,
    before: Posterior,
    posterior: Posterior,
    unseen: Posterior,
    given: Ints,
    known: Known,
    settings: Settings,
) -> Selection:
    """Split given labels and accept pseudo-labels by the rules of the settings.

    A certificate is about the ranking and the labels of `before`: what gold is
    to prove must not have been chosen by looking at it. Clips whose gold label
    refutes the given one are never high, which can only make the error smaller.

    Args:
        evidence: What was said.
        before: Posterior without gold.
        posterior: With gold, where there is some.
        unseen: The same with what was believed of each gold clip before its own gold.
        given: Class of each given label, -1 without: (n_items,).
        known: Gold and groups.
        settings: The rules.
    """
    certificate = pseudo_certificate = None
    if settings.rule == "certificate" and (given >= 0).any():
        certificate, foretold = _certified(before, given, known, settings)
        refuted = (known.gold >= 0) & (known.gold != given)
        split = named(foretold & ~refuted, given >= 0)
    elif settings.rule == "certificate":
        split, foretold = _split(evidence, posterior, given, settings), given >= 0
    else:
        split = _split(evidence, posterior, given, settings)
        foretold = _is_high(_split(evidence, unseen, given, settings))
    if settings.pseudo_rule == "certificate" and (given < 0).any():
        pseudo, pseudo_certificate = _certified_pseudo(evidence, before, given, known, settings)
    else:
        pseudo = _pseudo(evidence, posterior, given, known, settings)
    return Selection(split, pseudo, certificate, pseudo_certificate, foretold)


def _split(evidence: Evidence, posterior: Posterior, given: Ints, settings: Settings) -> pl.Series:
    sure = reliability(posterior.probabilities, given)
    if settings.rule == "quota":
        return split_by_quota(sure, given, evidence.clip_ids, settings.quota)
    if settings.rule == "agreement":
        support = np.nan_to_num(agreement_share(evidence, given))
        return split_by_threshold(np.where(given >= 0, support, np.nan), settings.agreement)
    return split_by_threshold(sure, settings.threshold)


def _is_high(split: pl.Series) -> NDArray[np.bool_]:
    high: NDArray[np.bool_] = (split == HIGH).fill_null(value=False).to_numpy()
    return high


def _certified(
    before: Posterior, given: Ints, known: Known, settings: Settings
) -> tuple[Certificate, NDArray[np.bool_]]:
    score = reliability(before.probabilities, given)
    return _certify(score, given, known, settings, settings.error, settings.risk)


def _certified_pseudo(
    evidence: Evidence, before: Posterior, given: Ints, known: Known, settings: Settings
) -> tuple[PseudoLabels, Certificate]:
    found = pseudo_labels(before.probabilities, given, _spoken(evidence), 0.0)
    # Barred before anything is certified: the certificate is about what is accepted.
    score = np.where(_spoken(evidence) & (found.label != known.barred), found.confidence, np.nan)
    bounds = (settings.pseudo_error, settings.pseudo_risk)
    certificate, inside = _certify(score, found.label, known, settings, *bounds)
    checked = (known.gold >= 0) & (given < 0)
    return PseudoLabels(np.where(checked, known.gold, found.label), found.confidence, inside), certificate


def _certify(
    score: Floats, labels: Ints, known: Known, settings: Settings, error: float, risk: float
) -> tuple[Certificate, NDArray[np.bool_]]:
    """A certificate for labels ranked by a score, and the clips in it."""
    wrong = np.where((known.proof >= 0) & np.isfinite(score), (known.proof != labels).astype(np.int64), -1)
    draw = draw_at_random(
        score,
        wrong,
        error,
        risk,
        np.random.default_rng(settings.seed),
        groups=known.groups if settings.drawn == "by group" else None,
        assumed=settings.drawn == "unknown",
    )
    by_class = labels if settings.per_class else None
    certificate = certify(draw, wrong, error, risk, labels=by_class)
    return certificate, kept(draw, certificate)


def _pseudo(
    evidence: Evidence, posterior: Posterior, given: Ints, known: Known, settings: Settings
) -> PseudoLabels:
    spoken = _spoken(evidence)
    thresholds: float | Floats = settings.pseudo_threshold
    if settings.pseudo_rule == "adaptive":
        asked = posterior.probabilities[(given < 0) & spoken]
        thresholds = adaptive_thresholds(asked, settings.pseudo_threshold)
    found = pseudo_labels(posterior.probabilities, given, spoken, thresholds)
    return replace(found, accepted=found.accepted & (found.label != known.barred))


def _spoken(evidence: Evidence) -> NDArray[np.bool_]:
    """Whether anything was said about each clip: (n_items,)."""
    spoken: NDArray[np.bool_] = np.bincount(evidence.item, minlength=evidence.n_items) > 0
    return spoken
