"""Intake: a long table of answers, checked all at once and coded as `Evidence`."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from curate.errors import InputError, Problem
from curate.labels.coding import code, option_table
from curate.labels.evidence import KINDS, Evidence, Instrument

SOURCE = "evidence"
"""Names the table in the head of an error message."""


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
            that many anonymous people). A row without outcome and probs is an
            abstention and says nothing. Several rows of one instrument on one
            clip share one vote, unless they are counted.
        classes: At least two names, lowest first if `ordinal`.
        ordinal: Whether the classes are ordered.
        options: What each instrument can answer. An instrument that is not
            named has the classes if all it answered are classes, else what it
            was seen to answer, sorted. Naming a person here is what allows a
            person to answer in other terms than the classes.
        directions: +1 or -1 for items whose later options speak for higher or
            lower classes.
        clip_ids: Clips to be included even if nothing is said about them.

    Returns:
        The evidence. Empty evidence is allowed: it has the clips of `clip_ids`.

    Raises:
        InputError: With every problem of the table.
    """
    problems = [*_class_problems(classes), *_column_problems(frame)]
    if problems:
        raise InputError(SOURCE, problems)
    answers = _answers(frame)
    known = {name: tuple(listed) for name, listed in (options or {}).items()}
    instruments = _instruments(answers, tuple(classes), known, directions or {})
    problems = _answer_problems(answers, instruments, tuple(classes), known)
    if problems:
        raise InputError(SOURCE, problems)
    ids = sorted({*answers["clip_id"].unique(), *clip_ids})
    return code(answers, instruments, tuple(classes), ordinal, tuple(ids))


def _class_problems(classes: Sequence[str]) -> list[Problem]:
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
    if "probs" in present and not isinstance(frame.schema["probs"], pl.List | pl.Array | pl.Null):
        problems.append(Problem("column probs", f"is {frame.schema['probs']}, a list of numbers expected"))
    if "count" in present and not (frame.schema["count"].is_numeric() or frame.schema["count"] == pl.Null):
        problems.append(Problem("column count", f"is {frame.schema['count']}, a number expected"))
    return problems


def _answers(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with all its columns and types, abstentions left in."""
    present = set(frame.columns)
    guessed = (
        pl.when(pl.col("instrument").cast(pl.String) == "given")
        .then(pl.lit("given"))
        .otherwise(pl.lit("human"))
    )
    kind = pl.coalesce(pl.col("kind").cast(pl.String), guessed) if "kind" in present else guessed
    return frame.with_row_index("row", offset=1).select(
        "row",
        pl.col("clip_id").cast(pl.String),
        pl.col("instrument").cast(pl.String),
        kind.alias("kind"),
        _column(present, "group", pl.String),
        _column(present, "outcome", pl.String),
        _column(present, "probs", pl.List(pl.Float64)),
        _column(present, "count", pl.Float64),
    )


def _column(present: set[str], name: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    column = pl.col(name) if name in present else pl.lit(None)
    return column.cast(dtype).alias(name)


def _instruments(
    answers: pl.DataFrame,
    classes: tuple[str, ...],
    known: Mapping[str, tuple[str, ...]],
    directions: Mapping[str, int],
) -> list[Instrument]:
    """One per name, sorted. What is wrong with them is told by `_answer_problems`."""
    seen = (
        answers.filter(pl.col("instrument").is_not_null())
        .group_by("instrument")
        .agg(
            pl.col("kind").min(),
            pl.col("group").min(),
            pl.col("outcome").drop_nulls().unique().sort(),
            pl.col("probs").is_not_null().any().alias("soft"),
        )
        .sort("instrument")
    )
    return [
        _instrument(name, kind, group, outcomes, soft, classes, known.get(name), directions.get(name, 0))
        for name, kind, group, outcomes, soft in seen.iter_rows()
    ]


def _instrument(
    name: str,
    kind: str,
    group: str | None,
    outcomes: list[str],
    soft: bool,
    classes: tuple[str, ...],
    listed: tuple[str, ...] | None,
    direction: int,
) -> Instrument:
    speaks_classes = soft or kind in ("given", "human") or set(outcomes) <= set(classes)
    options = listed or (classes if speaks_classes else tuple(outcomes))
    group = group or (kind if set(options) == set(classes) else name)
    return Instrument(name, kind, options, group, direction)  # type: ignore[arg-type]  # checked by the caller


def _answer_problems(
    answers: pl.DataFrame,
    instruments: list[Instrument],
    classes: tuple[str, ...],
    known: Mapping[str, tuple[str, ...]],
) -> list[Problem]:
    lengths = option_table(instruments).group_by("instrument").agg(pl.len().alias("length"))
    checked = answers.join(lengths, on="instrument", how="left", maintain_order="left")
    probs = pl.col("probs")
    far_from_one = (probs.list.sum() - 1).abs() > 1e-3
    return [
        *_rows(checked, pl.col("clip_id").is_null(), "has no clip_id", "Fill it in or drop the row"),
        *_rows(checked, pl.col("instrument").is_null(), "has no instrument", "Fill it in or drop the row"),
        *_rows(checked, ~pl.col("kind").is_in(list(KINDS)), f"kind is not one of {', '.join(KINDS)}", ""),
        *_rows(checked, probs.list.len() != pl.col("length"), "probs has not one number per option", ""),
        *_rows(checked, probs.list.min() < 0, "probs holds a negative number", ""),
        *_rows(checked, probs.list.eval(~pl.element().is_finite()).list.any(), "probs is not finite", ""),
        *_rows(checked, far_from_one, "probs does not sum to 1", "Divide it by its sum"),
        *_rows(checked, ~(pl.col("count") >= 0), "count is negative or not a number", ""),
        *_instrument_problems(answers, instruments, classes),
        *_unknown_outcomes(answers, option_table(instruments), classes, known),
    ]


def _instrument_problems(
    answers: pl.DataFrame, instruments: list[Instrument], classes: tuple[str, ...]
) -> list[Problem]:
    kinds = answers.group_by("instrument").agg(pl.col("kind").n_unique().alias("kinds"))
    given = [i for i in instruments if i.kind == "given"]
    names = ", ".join(i.name for i in given)
    return [
        *(
            Problem(f"instrument {name}", "has more than one kind", "Give each kind its own instrument")
            for name in kinds.filter(pl.col("kinds") > 1)["instrument"].sort()
        ),
        *(
            Problem(f"instrument {i.name}", "an option is listed twice", "List each option once")
            for i in instruments
            if len(set(i.options)) < len(i.options)
        ),
        *(
            Problem(
                f"instrument {i.name}",
                f"is given, its options are {', '.join(i.options)}",
                "List the classes",
            )
            for i in given
            if set(i.options) != set(classes)
        ),
        *([Problem("instruments", f"{len(given)} are given: {names}", "Keep one")] if len(given) > 1 else []),
    ]


def _rows(checked: pl.DataFrame, wrong: pl.Expr, what: str, fix: str) -> list[Problem]:
    rows = checked.filter(wrong)["row"]
    if rows.is_empty():
        return []
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    return [Problem(f"row {rows[0]}{more}", what, fix)]


def _unknown_outcomes(
    answers: pl.DataFrame, table: pl.DataFrame, classes: tuple[str, ...], known: Mapping[str, tuple[str, ...]]
) -> list[Problem]:
    """One problem for each outcome that its instrument cannot give."""
    strange = (
        answers.filter(pl.col("outcome").is_not_null(), pl.col("probs").is_null())
        .join(table, on=["instrument", "outcome"], how="anti")
        .group_by("instrument", "outcome")
        .agg(pl.col("row").min(), pl.len())
        .sort("instrument", "outcome")
    )
    return [
        Problem(
            f"row {row}, instrument {name}",
            f"{outcome!r} is not one of {', '.join(known.get(name, classes))}"
            + (f"; {n} rows say it" if n > 1 else ""),
            _did_you_mean(outcome, known.get(name, classes)),
        )
        for name, outcome, row, n in strange.iter_rows()
        if name is not None
    ]


def _did_you_mean(outcome: str, listed: Sequence[str]) -> str:
    folded = {option.casefold(): option for option in listed}
    near = difflib.get_close_matches(outcome.strip().casefold(), folded, n=1)
    return f"Did you mean {folded[near[0]]}?" if near else "Rename it, or leave it empty to abstain"
