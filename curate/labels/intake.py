"""Intake: a long table of answers, checked all at once and coded as `Evidence`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.errors import InputError
from curate.labels.coding import Answers, Codes, code, coded, is_class_valued
from curate.labels.crowd import with_crowds
from curate.labels.evidence import KINDS, MACHINES, UNSEEN, Evidence, Instrument
from curate.labels.problems import answer_problems, frame_problems

SOURCE = "evidence"
"""Names the table in the head of an error message."""


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """Which kinds each instrument was said to be of."""

    names: tuple[str, ...]
    found: NDArray[np.bool_]
    """(n_instruments, n_names)"""


def evidence_from_frame(
    frame: pl.DataFrame,
    classes: Sequence[str],
    *,
    ordinal: bool = False,
    options: Mapping[str, Sequence[str]] | None = None,
    directions: Mapping[str, int] | None = None,
    clip_ids: Iterable[str] = (),
) -> Evidence:
    """Check a long table of answers and code it.

    Args:
        frame: A row is one answer. Columns: clip_id; instrument; outcome
            (nullable) or probs (nullable list, in the order of the instrument's
            options), or both, probs winning where both are present. Optional:
            kind (given, human, vlm, model; without it the instrument "given" is
            given and the others are human); group; count (the row stands for
            that many anonymous people). Text may be text or categories. A row
            without outcome and probs is an abstention and says nothing; so is
            "cannot be seen" from an instrument that answers in classes: that it
            could not tell is taken to have nothing to do with the class. Probs
            are one vote divided, of people as of models. Several rows of one
            instrument on one clip share one vote, unless they are counted.
        classes: At least two names, lowest first if `ordinal`.
        ordinal: Whether the classes are ordered.
        options: What each instrument can answer. An instrument that is not
            named has the classes if all it answered are classes, else what it
            was seen to answer, sorted. Naming a person here is what allows a
            person to answer in other terms than the classes. The classes with
            "cannot be seen" count as the classes, for what is not in probs of it.
        directions: +1 or -1 for items whose later options speak for higher or
            lower classes.
        clip_ids: Clips to be included even if nothing is said about them.

    Returns:
        The evidence. Empty evidence is allowed: it has the clips of `clip_ids`.
        Where there are hundreds of thousands of people, those with few answers
        are counted together, see `with_crowds`.

    Raises:
        InputError: With every problem of the table.
    """
    if problems := frame_problems(frame, classes, directions or {}):
        raise InputError(SOURCE, problems)
    answers = _answers(frame, clip_ids)
    kinds = _kinds(frame, answers)
    instruments = _instruments(frame, answers, kinds, tuple(classes), options or {}, directions or {})
    if problems := answer_problems(frame, answers, instruments, kinds.found.sum(axis=1) > 1, tuple(classes)):
        raise InputError(SOURCE, problems)
    return with_crowds(code(answers, instruments, tuple(classes), ordinal))


def _answers(frame: pl.DataFrame, clip_ids: Iterable[str]) -> Answers:
    clips, clip = coded(frame["clip_id"], clip_ids)
    names, instrument = coded(frame["instrument"])
    soft, probs = _soft(frame)
    outcomes, outcome = _coded(frame, "outcome")
    if len(soft):
        outcome = outcome.copy()
        outcome[soft] = -1
    return Answers(
        clip_ids=clips,
        names=names,
        outcomes=outcomes,
        clip=clip,
        instrument=instrument,
        outcome=outcome,
        count=_counts(frame),
        soft=soft,
        probs=probs,
    )


def _coded(frame: pl.DataFrame, name: str, also: Iterable[str] = ()) -> tuple[pl.Series, Codes]:
    """A column that may be missing, coded; -1 throughout if it is."""
    if name in frame.columns:
        return coded(frame[name], also)
    return coded(pl.Series(dtype=pl.String), also)[0], np.full(frame.height, -1, dtype=np.int32)


def _soft(frame: pl.DataFrame) -> tuple[NDArray[np.int64], pl.Series]:
    """Rows with probabilities, and their lists."""
    if "probs" not in frame.columns:
        return np.empty(0, dtype=np.int64), pl.Series(dtype=pl.List(pl.Float64))
    soft = np.flatnonzero(frame["probs"].is_not_null().to_numpy())
    return soft, frame["probs"].gather(soft).cast(pl.List(pl.Float64))


def _counts(frame: pl.DataFrame) -> NDArray[np.float64]:
    """People behind each row, nan for one instrument's own; nothing if no row has any."""
    if "count" not in frame.columns or frame["count"].null_count() == frame.height:
        return np.empty(0)
    return frame["count"].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _kinds(frame: pl.DataFrame, answers: Answers) -> Kinds:
    """Where no kind is given, the instrument "given" is given and the others are human."""
    names, kind = _coded(frame, "kind", KINDS)
    kinds = tuple(names)
    found = np.zeros((len(answers.names), len(kinds)), dtype=bool)
    told = (kind >= 0) & (answers.instrument >= 0)
    found[answers.instrument[told], kind[told]] = True
    untold = np.zeros(len(answers.names) + 1, dtype=bool)  # one more for -1
    untold[answers.instrument[kind < 0]] = True
    silent = np.flatnonzero(untold[:-1])
    is_given = (answers.names.gather(silent) == "given").to_numpy()
    found[silent, np.where(is_given, kinds.index("given"), kinds.index("human"))] = True
    return Kinds(kinds, found)


def _instruments(
    frame: pl.DataFrame,
    answers: Answers,
    kinds: Kinds,
    classes: tuple[str, ...],
    options: Mapping[str, Sequence[str]],
    directions: Mapping[str, int],
) -> list[Instrument]:
    """One per name, sorted. What is wrong with them is told by `answer_problems`."""
    kind_of = kinds.found.argmax(axis=1)
    machine = np.isin(kind_of, [kinds.names.index(kind) for kind in MACHINES])
    soft = np.zeros(len(answers.names), dtype=bool)
    soft[answers.instrument[answers.soft]] = True
    machine &= ~soft  # who spreads probabilities spreads them over the classes
    known = {name: tuple(listed) for name, listed in options.items() if listed}
    known = {**_seen(answers, np.flatnonzero(machine), classes), **known}
    groups = _groups(frame, answers)
    return [
        _instrument(
            name, kinds.names[kind], known.get(name, classes), classes, group, directions.get(name, 0), spread
        )
        for name, kind, group, spread in zip(
            answers.names, kind_of.tolist(), groups, soft.tolist(), strict=True
        )
    ]


def _seen(answers: Answers, among: NDArray[np.int64], classes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """What some instruments answered, sorted, where that is not classes alone."""
    mine = np.zeros(len(answers.names) + 1, dtype=bool)  # one more for -1
    mine[among] = True
    rows = np.flatnonzero(mine[answers.instrument] & (answers.outcome >= 0))
    pairs = pl.DataFrame({"instrument": answers.instrument[rows], "outcome": answers.outcome[rows]}).unique()
    listed = (
        pairs.with_columns(answers.outcomes.gather(pairs["outcome"]).alias("outcome"))
        .filter((~pl.col("outcome").is_in([*classes, UNSEEN])).any().over("instrument"))
        .group_by("instrument")
        .agg(pl.col("outcome").sort())
    )
    return {answers.names[code]: tuple(outcomes) for code, outcomes in listed.iter_rows()}


def _groups(frame: pl.DataFrame, answers: Answers) -> list[str | None]:
    """The group of each instrument, the first by name if several are told, None without one."""
    groups, group = _coded(frame, "group")
    first = np.full(len(answers.names), len(groups), dtype=np.int32)
    told = (group >= 0) & (answers.instrument >= 0)
    np.minimum.at(first, answers.instrument[told], group[told])
    named = [*groups, None]
    return [named[place] for place in first.tolist()]


def _instrument(
    name: str,
    kind: str,
    options: tuple[str, ...],
    classes: tuple[str, ...],
    group: str | None,
    direction: int,
    soft: bool,
) -> Instrument:
    group = group or (kind if is_class_valued(options, classes) else name)
    return Instrument(name, kind, options, group, direction, soft)  # type: ignore[arg-type]  # checked by the caller
