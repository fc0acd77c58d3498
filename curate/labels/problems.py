"""Problems: everything that is wrong with a table of answers, in few lines however long the table is."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.errors import Problem
from curate.labels.coding import STRANGE, Answers, is_class_valued, option_lists, outcome_places
from curate.labels.evidence import KINDS, Instrument

LIMIT = 10
"""Problems of one sort that are told one by one, and options that are listed in one problem."""


def frame_problems(
    frame: pl.DataFrame, classes: Sequence[str], directions: Mapping[str, int]
) -> list[Problem]:
    """What is wrong before a single answer is read: classes, columns and directions."""
    return [*_class_problems(classes), *_column_problems(frame), *_direction_problems(directions)]


def answer_problems(
    frame: pl.DataFrame,
    answers: Answers,
    instruments: list[Instrument],
    several_kinds: NDArray[np.bool_],
    classes: tuple[str, ...],
) -> list[Problem]:
    """What is wrong with the answers and with those who gave them.

    Args:
        frame: The table; `frame_problems` found nothing in it.
        answers: The same, coded.
        instruments: With their options as listed.
        several_kinds: Whether each instrument was said to be of several kinds: (n_instruments,).
        classes: The classes.

    Returns:
        Rows first, in the order of the checks; of each sort at most `LIMIT`.
    """
    return [
        *_row_problems(frame, answers),
        *_probs_problems(answers, instruments),
        *_count_problems(frame),
        *_instrument_problems(instruments, several_kinds, classes),
        *_unknown_outcomes(answers, instruments, classes),
    ]


def _class_problems(classes: Sequence[str]) -> list[Problem]:
    if isinstance(classes, str):
        return [Problem("classes", f"{classes!r} is one text, a list expected", "List every class")]
    if strange := [name for name in classes if not isinstance(name, str)]:
        return [Problem("classes", f"{strange[0]!r} is not text", "Write every class as text")]
    repeated = sorted({name for name in classes if list(classes).count(name) > 1})
    problems = [Problem("classes", f"{name!r} is listed twice", "List each class once") for name in repeated]
    if len(classes) < 2:
        problems.append(Problem("classes", f"{len(classes)} found, at least 2 expected", "List every class"))
    return problems


def _column_problems(frame: pl.DataFrame) -> list[Problem]:
    present = set(frame.columns)
    problems = [
        Problem(f"column {name}", f"missing; found {', '.join(frame.columns) or 'none'}", "Add it")
        for name in ("clip_id", "instrument")
        if name not in present
    ]
    if not present & {"outcome", "probs"}:
        problems.append(Problem("column outcome", "neither outcome nor probs is there", "Add one of them"))
    if "probs" in present and not _is_list_of_numbers(frame.schema["probs"]):
        problems.append(Problem("column probs", f"is {frame.schema['probs']}, a list of numbers expected"))
    if "count" in present and not (frame.schema["count"].is_numeric() or frame.schema["count"] == pl.Null):
        problems.append(Problem("column count", f"is {frame.schema['count']}, a number expected"))
    return problems


def _is_list_of_numbers(dtype: pl.DataType) -> bool:
    if isinstance(dtype, pl.List | pl.Array):
        dtype = dtype.inner if isinstance(dtype.inner, pl.DataType) else dtype.inner()
        return dtype.is_numeric() or dtype == pl.Null
    return dtype == pl.Null


def _direction_problems(directions: Mapping[str, int]) -> list[Problem]:
    wrong = [(name, value) for name, value in sorted(directions.items()) if value not in (-1, 0, 1)]
    return [Problem(f"direction of {name}", f"is {value}, one of -1, 0, 1 expected") for name, value in wrong]


def _row_problems(frame: pl.DataFrame, answers: Answers) -> list[Problem]:
    problems = [
        *_rows(answers.clip < 0, "has no clip_id", "Fill it in or drop the row"),
        *_rows(answers.instrument < 0, "has no instrument", "Fill it in or drop the row"),
    ]
    if "kind" not in frame.columns:
        return problems
    strange = [kind for kind in frame["kind"].unique().cast(pl.String).drop_nulls() if kind not in KINDS]
    if not strange:
        return problems
    wrong = frame["kind"].cast(pl.String).is_in(strange).fill_null(False).to_numpy()
    return [*problems, *_rows(wrong, f"kind is not one of {', '.join(KINDS)}", "")]


def _rows(
    wrong: NDArray[np.bool_], what: str, fix: str, rows: NDArray[np.int64] | None = None
) -> list[Problem]:
    """One problem that names the first of the rows, if any is `wrong`; `rows` are their places."""
    found = np.flatnonzero(wrong) if rows is None else rows[wrong]
    if not len(found):
        return []
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return [Problem(f"row {found[0] + 1}{more}", what, fix)]


def _probs_problems(answers: Answers, instruments: list[Instrument]) -> list[Problem]:
    soft, probs = answers.soft, answers.probs
    if not len(soft):
        return []
    sizes = np.array([len(instrument.options) for instrument in instruments] + [0])  # 0: no instrument
    expected = sizes[answers.instrument[soft]]
    lengths = probs.list.len().to_numpy()
    negative = (probs.list.min() < 0).fill_null(False).to_numpy()
    sums = probs.list.sum().to_numpy()
    finite = np.isfinite(sums) & (probs.list.drop_nulls().list.len().to_numpy() == lengths)
    off = finite & (np.abs(sums - 1) > 1e-3)
    return [
        *_rows((lengths != expected) & (expected > 0), "probs has not one number per option", "", soft),
        *_rows(negative, "probs holds a negative number", "", soft),
        *_rows(~finite, "probs is not finite", "", soft),
        *_rows(off, "probs does not sum to 1", "Divide it by its sum", soft),
    ]


def _count_problems(frame: pl.DataFrame) -> list[Problem]:
    if "count" not in frame.columns:
        return []
    counts = frame["count"].cast(pl.Float64)
    sound = (counts.is_finite() & (counts >= 0)).fill_null(True).to_numpy()
    return _rows(~sound, "count is negative or not a number", "")


def _instrument_problems(
    instruments: list[Instrument], several_kinds: NDArray[np.bool_], classes: tuple[str, ...]
) -> list[Problem]:
    given = [i for i in instruments if i.kind == "given"]
    kinds = [
        Problem(
            f"instrument {instruments[code].name}",
            "has more than one kind",
            "Give each kind its own instrument",
        )
        for code in np.flatnonzero(several_kinds)
    ]
    repeated = [
        Problem(f"instrument {i.name}", "an option is listed twice", "List each option once")
        for i in instruments
        if i.options != classes and len(set(i.options)) < len(i.options)
    ]
    other = [
        Problem(f"instrument {i.name}", f"is given, its options are {_listed(i.options)}", "List the classes")
        for i in given
        if not is_class_valued(i.options, classes)
    ]
    names = _listed([i.name for i in given])
    several = (
        [Problem("instruments", f"{len(given)} are given: {names}", "Keep one")] if len(given) > 1 else []
    )
    return [*_limited(kinds), *_limited(repeated), *_limited(other), *several]


def _unknown_outcomes(
    answers: Answers, instruments: list[Instrument], classes: tuple[str, ...]
) -> list[Problem]:
    """One problem for each outcome that those who gave it cannot give."""
    rows = np.flatnonzero(outcome_places(answers, instruments, classes) == STRANGE)
    if not len(rows):
        return []
    listed, which = option_lists(instruments)
    codes = answers.instrument[rows]
    strange = pl.DataFrame(
        {"row": rows + 1, "outcome": answers.outcome[rows], "instrument": codes, "options": which[codes]}
    )
    grouped = strange.group_by("outcome", "options").agg(
        pl.col("row").min(),
        pl.len(),
        pl.col("instrument").n_unique().alias("n"),
        pl.col("instrument").first(),
    )
    return _limited(
        _unknown_outcome(answers.outcomes[outcome], listed[options], row, rows, n, instruments[first].name)
        for outcome, options, row, rows, n, first in grouped.sort("row").iter_rows()
    )


def _unknown_outcome(
    outcome: str, options: Sequence[str], row: int, n_rows: int, n_instruments: int, name: str
) -> Problem:
    what = f"{outcome!r} is not one of {_listed(options)}"
    fix = _did_you_mean(outcome, options)
    if n_instruments == 1:
        return Problem(
            f"row {row}, instrument {name}", what + (f"; {n_rows} rows say it" if n_rows > 1 else ""), fix
        )
    return Problem(f"row {row}", f"{what}; said by {n_instruments} instruments in {n_rows} rows", fix)


def _did_you_mean(outcome: str, listed: Sequence[str]) -> str:
    folded = {option.casefold(): option for option in listed}
    near = difflib.get_close_matches(outcome.strip().casefold(), folded, n=1)
    return f"Did you mean {folded[near[0]]}?" if near else "Rename it, or leave it empty to abstain"


def _listed(names: Sequence[str]) -> str:
    """The first `LIMIT` names, and how many more there are."""
    more = len(names) - LIMIT
    return ", ".join(names[:LIMIT]) + (f" and {more} more" if more > 0 else "")


def _limited(problems: Iterable[Problem]) -> list[Problem]:
    """The first `LIMIT` problems, and one that counts the rest."""
    found = list(problems)
    rest = len(found) - LIMIT
    if rest <= 0:
        return found
    return [*found[:LIMIT], Problem("and", f"{rest} more of this sort")]
