"""The model's own conclusions with their reasons, as they are published beside the labels."""

from collections.abc import Mapping

import polars as pl

from curate.printable import printable


def rationales(reasons: pl.DataFrame, place: Mapping[str, int]) -> pl.DataFrame:
    """Why the model concluded what it concluded, and what became of it.

    Args:
        reasons: Table `reasons`.
        place: Position of each class.

    Returns:
        A row a clip with a conclusion: `clip_id`; `rationale`, made fit to be
        looked at; `rationale_label`, the position of the class that it argues
        for; `rationale_verdict`, as schemas/release_clips.yaml declares it.
        Conclusions that were not confirmed are kept, with their verdict: a
        reader may want to know what was rejected.
    """
    concluded = reasons.filter(pl.col("reasoning").is_not_null(), pl.col("label").is_not_null())
    is_inconsistent = pl.col("outcome") == "inconsistent"
    return concluded.select(
        "clip_id",
        rationale=pl.col("reasoning").map_elements(_shown, pl.String),
        rationale_label=pl.col("label").replace_strict(place, return_dtype=pl.Int64),
        rationale_verdict=pl.when(is_inconsistent).then(pl.lit("inconsistent")).otherwise("verdict"),
    )


def _shown(text: str) -> str:
    return printable(text, keep="\n")
