"""Reads and checks what a release knows of its clips' labels."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from train_reference.data.clips import NO_LABEL, Clips
from train_reference.data.release import Release, class_names, read
from train_reference.errors import Problem, TrainError

_COLUMNS = (
    "clip_id",
    "label_given",
    "label",
    "soft_label",
    "reliability",
    "reliability_split",
    "pseudo_label",
    "pseudo_confidence",
    "pseudo_accepted",
    "split",
    "group",
    "transcript",
)
_SPLITS = ("train", "validation", "test")
_SUM_OFF = 1e-3


def read_clips(release: Release, config: str = "default") -> Clips:
    """Labelled clips of a config, and those with pseudo-labels.

    Args:
        release: An open one.
        config: default, high_reliability or low_reliability.

    Raises:
        TrainError: Everything that is wrong with it, with column or file and what to do.
    """
    if config not in release.configs:
        what = f"the release has no config {config}; it has {', '.join(release.configs)}"
        raise TrainError(release.name, [Problem("config", what)])
    configs = [config, *(["pseudo_labeled"] if "pseudo_labeled" in release.configs else [])]
    paths = [path for one in configs for _, path in release.files(one)]
    classes = class_names(paths[0], "label")
    table = pl.concat([read(path, _COLUMNS) for path in paths], how="vertical_relaxed")
    problems = list(_problems(table, classes))
    if problems:
        raise TrainError(release.name, problems)
    return _clips(table, classes, is_ordinal=bool(release.task.get("ordinal", False)))


def _clips(table: pl.DataFrame, classes: tuple[str, ...], *, is_ordinal: bool) -> Clips:
    nothing = [float("nan")] * len(classes)
    pseudo = _labels(table["pseudo_label"])
    soft = [row if row is not None else nothing for row in table["soft_label"].to_list()]
    return Clips(
        classes,
        is_ordinal,
        tuple(table["clip_id"].to_list()),
        table["split"].to_numpy().astype(np.str_),
        table["group"].fill_null(table["clip_id"]).to_numpy().astype(np.str_),
        _labels(table["label_given"]),
        # An accepted pseudo-label stands in column label as well: here, that is of clips that came with one.
        np.where(pseudo == NO_LABEL, _labels(table["label"]), NO_LABEL),
        np.array(soft, dtype=np.float32).reshape(len(table), len(classes)),
        _numbers(table["reliability"]),
        (table["reliability_split"] == "high").fill_null(value=False).to_numpy(),
        pseudo,
        _numbers(table["pseudo_confidence"]),
        table["pseudo_accepted"].fill_null(value=False).to_numpy(),
        tuple(table["transcript"].to_list()),
    )


def _labels(column: pl.Series) -> NDArray[np.int64]:
    return column.cast(pl.Int64).fill_null(NO_LABEL).to_numpy()


def _numbers(column: pl.Series) -> NDArray[np.float32]:
    return column.cast(pl.Float32).fill_null(float("nan")).to_numpy()


def _problems(table: pl.DataFrame, classes: tuple[str, ...]) -> Iterator[Problem]:
    yield from _wrong_ids(table)
    yield from _wrong_labels(table, len(classes))
    yield from _wrong_soft_labels(table, len(classes))
    yield from _wrong_splits(table)
    yield from _missing_classes(table, classes)


def _wrong_ids(table: pl.DataFrame) -> Iterator[Problem]:
    twice = table.filter(pl.col("clip_id").is_duplicated())["clip_id"].unique().sort()
    if len(twice):
        yield Problem("column clip_id", f"{_some(twice)} stand twice", "Publish the release again")


def _wrong_labels(table: pl.DataFrame, n_classes: int) -> Iterator[Problem]:
    for name in ("label_given", "label", "pseudo_label"):
        wrong = table.filter(~pl.col(name).is_between(0, n_classes - 1))["clip_id"]
        if len(wrong):
            what = f"is no class of the {n_classes} for {_some(wrong)}"
            yield Problem(f"column {name}", what, "Publish the release again")


def _wrong_soft_labels(table: pl.DataFrame, n_classes: int) -> Iterator[Problem]:
    """A soft label need not be there; one that is has to be a distribution over the classes."""
    told = table.filter(pl.col("soft_label").is_not_null())
    soft = pl.col("soft_label")
    tests = {
        f"has not {n_classes} numbers": soft.list.len() != n_classes,
        "holds what is no number": soft.list.eval(pl.element().is_nan() | pl.element().is_null()).list.any(),
        "holds a negative number": soft.list.min() < 0,
        "does not sum to 1": (soft.list.sum() - 1).abs() > _SUM_OFF,
    }
    for what, test in tests.items():
        wrong = told.filter(test)["clip_id"]
        if len(wrong):
            fix = "Publish the release again; with the column empty, arms given and refined-hard do without"
            yield Problem("column soft_label", f"{what} for {_some(wrong)}", fix)


def _wrong_splits(table: pl.DataFrame) -> Iterator[Problem]:
    unknown = table.filter(~pl.col("split").is_in(_SPLITS) | pl.col("split").is_null())["clip_id"]
    if len(unknown):
        yield Problem("column split", f"is none of {', '.join(_SPLITS)} for {_some(unknown)}")
    for name in _SPLITS:
        if not len(table.filter((pl.col("split") == name) & pl.col("label").is_not_null())):
            fix = "Set splits.make in the recipe, and publish again"
            yield Problem("column split", f"no labelled clip is in {name}", fix)
    across = table.group_by("group").agg(pl.col("split").n_unique().alias("n")).filter(pl.col("n") > 1)
    groups = across["group"].drop_nulls().sort()
    if len(groups):
        fix = "Split by group: what is known of a subject in train tells its label in test"
        yield Problem("column group", f"{_some(groups)} are in more than one split", fix)


def _missing_classes(table: pl.DataFrame, classes: tuple[str, ...]) -> Iterator[Problem]:
    there = set(table.filter(pl.col("split") == "train")["label"].drop_nulls().unique().to_list())
    missing = [name for number, name in enumerate(classes) if number not in there]
    if missing and there:
        fix = "Merge classes in the recipe, or move a group that has them to train, and publish again"
        yield Problem("column label", f"no clip of train is {' or '.join(missing)}", fix)


def _some(names: pl.Series) -> str:
    """The first three, and how many more."""
    shown = ", ".join(map(str, names.head(3).to_list()))
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
