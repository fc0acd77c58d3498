"""Cross-check: what cleanlab finds wrong in the same labels, beside what we find.

Importing this takes seconds, because cleanlab loads pandas and more: import it
where it is used.
"""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from cleanlab.filter import find_label_issues
from cleanlab.multiannotator import get_label_quality_multiannotator
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray

from curate.labels.evidence import Evidence, Floats, Ints, Kind
from curate.labels.model import fit
from curate.labels.reliability import refined_codes

MOST_CELLS = 2_000_000
"""Clips times annotators up to which CROWDLAB is run: it fills the whole table and loops over it."""

JUDGES: tuple[Kind, ...] = ("given", "human")
"""Kinds of instrument that CROWDLAB takes as annotators; models may be the classifier's own kin."""

FOLDS = 5
"""Parts in which given labels are hidden in turn where they alone tell what the classes mean."""

Source = Literal[
    "classifier", "posterior without given labels", "posterior without the clip's given label", "nothing"
]
Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many given labels are called wrong by both, by one, by neither."""

    both: int
    only_ours: int
    only_cleanlab: int
    neither: int


@dataclass(frozen=True, slots=True, eq=False)
class CrossCheck:
    """cleanlab's findings."""

    table: pl.DataFrame
    """One row a clip: clip_id, ours_issue, confident_learning_issue, confident_learning_quality,
    crowdlab_issue, crowdlab_label, crowdlab_quality, crowdlab_given_quality; null where a method
    says nothing. An issue is a given label called wrong; a quality is between 0 and 1, low is
    suspicious: of the given label, or (crowdlab_quality) of the label that CROWDLAB prefers."""
    probabilities_from: Source
    """Whose probabilities confident learning compares the given labels with."""
    confident_learning: Overlap | None
    """Against ours, over clips that it judged; None if it was not run."""
    crowdlab: Overlap | None
    """The same for CROWDLAB."""
    notes: tuple[str, ...]
    """Why a method was not run."""


@dataclass(frozen=True, slots=True, eq=False)
class _Findings:
    """What one method says; every array (n_judged,)."""

    judged: Ints
    """Indices of the clips that it speaks about."""
    issue: Marks
    columns: dict[str, pl.Series]


def cross_check(
    evidence: Evidence, probabilities: Floats, given: Ints, classifier: Floats | None = None
) -> CrossCheck:
    """Run confident learning and CROWDLAB on what our posterior was fitted to.

    Confident learning compares each given label with a classifier's
    probabilities; without one, with our posterior fitted anew without given
    labels, over clips of which something else is known. Where only the given
    labels tell what the classes mean, they are hidden in turn, a fifth of the
    clips at a time, and a clip is judged while its own is hidden. CROWDLAB
    needs a classifier, two votes (the given label is one) on some clip, and
    people who can be told apart.

    Args:
        evidence: The answers.
        probabilities: Our posterior, (n_clips, n_classes).
        given: Class of the given label, -1 without: (n_clips,).
        classifier: Its out-of-fold probabilities, (n_clips, n_classes), rows
            sum to 1; a row with a nan is a clip that it did not judge.

    Returns:
        The findings. A method that cannot be run is left out, with a note.

    Source:
        Northcutt et al. (2021), Confident Learning, https://arxiv.org/abs/1911.00068;
        Goh et al. (2022), CROWDLAB, https://arxiv.org/abs/2210.06812; both as in
        cleanlab, with its defaults.
    """
    ours = (given >= 0) & (refined_codes(probabilities, given) != given)
    source, theirs = _probabilities(evidence, classifier)
    learned = _confident_learning(theirs, given)
    crowd = _crowdlab(evidence, classifier, given)
    table = pl.DataFrame(
        {"clip_id": pl.Series(evidence.clip_ids, dtype=pl.String), "ours_issue": ours}
    ).with_columns(pl.when(pl.Series(given >= 0)).then(pl.col("ours_issue")))
    for found in (learned, crowd):
        table = table.with_columns(_columns(found, evidence) if isinstance(found, _Findings) else [])
    return CrossCheck(
        table=table.select(_filled(table)),
        probabilities_from=source,
        confident_learning=_overlap(learned, ours, given),
        crowdlab=_overlap(crowd, ours, given),
        notes=tuple(found for found in (learned, crowd) if isinstance(found, str)),
    )


def without_given(evidence: Evidence, hidden: Marks | None = None) -> Evidence:
    """The evidence less the given labels of the `hidden` clips (n_clips,), or of all.

    The instrument stays, even if it has nothing left to say.
    """
    from_given = np.isin(evidence.instrument, evidence.find("given"))
    kept = ~from_given if hidden is None else ~(from_given & hidden[evidence.item])
    return evidence.of_rows(kept)


def _probabilities(evidence: Evidence, classifier: Floats | None) -> tuple[Source, Floats]:
    """Probabilities for confident learning, and whose they are; rows of nan where there are none."""
    if classifier is not None:
        return "classifier", classifier
    rest = without_given(evidence)
    silent = np.bincount(rest.item, minlength=evidence.n_items) == 0
    if silent.all():
        return "nothing", np.full((evidence.n_items, evidence.n_classes), np.nan)
    if rest.class_votes().any():
        source: Source = "posterior without given labels"
        theirs = fit(rest).probabilities
    else:
        source, theirs = "posterior without the clip's given label", _hidden_in_turn(evidence)
    return source, np.where(silent[:, None], np.nan, theirs)


def _hidden_in_turn(evidence: Evidence) -> Floats:
    """Posterior of each clip from a fit to which its own given label was hidden: (n_clips, n_classes)."""
    theirs = np.full((evidence.n_items, evidence.n_classes), np.nan)
    part = np.arange(evidence.n_items) % FOLDS
    for number in range(FOLDS):
        rest = without_given(evidence, part == number)
        if rest.class_votes().any():
            theirs[part == number] = fit(rest).probabilities[part == number]
    return theirs


def _confident_learning(probabilities: Floats, given: Ints) -> _Findings | str:
    judged = np.flatnonzero((given >= 0) & ~np.isnan(probabilities).any(axis=1))
    if not len(judged):
        return "confident learning was not run: no given label has anything to be compared with"
    labels, theirs = given[judged], probabilities[judged]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of every class with few clips
        issue = np.asarray(find_label_issues(labels, theirs, n_jobs=1), dtype=bool)
        quality = get_label_quality_scores(labels, theirs)
    return _Findings(
        judged,
        issue,
        {"confident_learning_issue": pl.Series(issue), "confident_learning_quality": pl.Series(quality)},
    )


def _crowdlab(evidence: Evidence, classifier: Floats | None, given: Ints) -> _Findings | str:
    if classifier is None:
        return "CROWDLAB was not run: it needs a classifier's probabilities"
    clips, voters, option = _hard_votes(evidence, np.flatnonzero(~np.isnan(classifier).any(axis=1)))
    judged, row = np.unique(clips, return_inverse=True)
    people, column = np.unique(voters, return_inverse=True)
    if not len(judged) or np.bincount(row).max() < 2:
        return "CROWDLAB was not run: no clip has two votes by people who can be told apart"
    if len(judged) * len(people) > MOST_CELLS:
        return f"CROWDLAB was not run: {len(judged)} clips times {len(people)} people are too many for it"
    labels = np.full((len(judged), len(people)), np.nan)
    labels[row, column] = option
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns if nobody agrees
        found = get_label_quality_multiannotator(
            labels, classifier[judged], verbose=False, return_annotator_stats=False
        )
    preferred = found["label_quality"]["consensus_label"].to_numpy().astype(np.int64)
    mine = np.flatnonzero(np.isin(people, evidence.find("given")))
    detailed = found["detailed_label_quality"].to_numpy()
    quality = detailed[:, mine[0]] if len(mine) else np.full(len(judged), np.nan)
    issue = (given[judged] >= 0) & (preferred != given[judged])
    return _Findings(
        judged,
        issue,
        {
            "crowdlab_issue": pl.select(
                pl.when(pl.Series(given[judged] >= 0)).then(pl.Series(issue))
            ).to_series(),
            "crowdlab_label": pl.Series(evidence.classes, dtype=pl.String).gather(preferred),
            "crowdlab_quality": pl.Series(found["label_quality"]["consensus_quality_score"].to_numpy()),
            "crowdlab_given_quality": pl.Series(quality).fill_nan(None),
        },
    )


def _hard_votes(evidence: Evidence, clips: Ints) -> tuple[Ints, Ints, Ints]:
    """Clip, person and class of each person's vote on some clips.

    A vote spread over several classes counts for the likeliest, the first of
    equals. Tallies are left out: nobody knows who gave which.
    """
    rows = pl.DataFrame(
        {
            "clip": evidence.item,
            "voter": evidence.instrument,
            "option": evidence.option,
            "weight": evidence.weight,
        }
    )
    judges = [index for kind in JUDGES for index in evidence.find(kind) if evidence.is_class_valued[index]]
    votes = (
        rows.filter(pl.Series(np.isin(evidence.item, clips)), pl.col("voter").is_in(judges))
        .group_by("clip", "voter", maintain_order=True)
        .agg(pl.col("option").get(pl.col("weight").arg_max()), pl.col("weight").sum())
    )
    tallies = votes.filter(pl.col("weight") > 1 + 1e-9)["voter"].unique()
    kept = votes.filter(~pl.col("voter").is_in(tallies.implode()))
    return kept["clip"].to_numpy(), kept["voter"].to_numpy(), kept["option"].to_numpy()


def _columns(found: _Findings, evidence: Evidence) -> list[pl.Series]:
    """The method's columns over all clips, null where it does not speak."""
    place = np.full(evidence.n_items, -1, dtype=np.int64)
    place[found.judged] = np.arange(len(found.judged))
    codes = pl.Series(place).replace(-1, None)
    return [values.gather(codes).alias(name) for name, values in found.columns.items()]


_SCHEMA: dict[str, type[pl.DataType]] = {
    "clip_id": pl.String,
    "ours_issue": pl.Boolean,
    "confident_learning_issue": pl.Boolean,
    "confident_learning_quality": pl.Float64,
    "crowdlab_issue": pl.Boolean,
    "crowdlab_label": pl.String,
    "crowdlab_quality": pl.Float64,
    "crowdlab_given_quality": pl.Float64,
}


def _filled(table: pl.DataFrame) -> list[pl.Expr]:
    """All columns in order, null throughout where a method was not run."""
    return [
        (pl.col(name) if name in table.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in _SCHEMA.items()
    ]


def _overlap(found: _Findings | str, ours: Marks, given: Ints) -> Overlap | None:
    if isinstance(found, str):
        return None
    labelled = given[found.judged] >= 0
    mine, theirs = ours[found.judged][labelled], found.issue[labelled]
    return Overlap(
        both=int((mine & theirs).sum()),
        only_ours=int((mine & ~theirs).sum()),
        only_cleanlab=int((~mine & theirs).sum()),
        neither=int((~mine & ~theirs).sum()),
    )
