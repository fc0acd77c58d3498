"""The rows of clips as they are published: what came in, what is believed and what was answered."""

from collections.abc import Iterator
from itertools import chain

import polars as pl

from curate.release.content import ReleaseContent
from curate.release.rationale import rationales
from curate.release.rows import beside
from curate.release.tally import base_answers


def published_rows(content: ReleaseContent) -> pl.DataFrame:
    """The clips as published but for their media, sorted by clip id, with `uri` and `media` kept."""
    tables = content.tables
    place = {name: index for index, name in enumerate(content.recipe.task.classes)}
    coded = tables.labels.with_columns(
        pl.col("label_given", "label_refined", "pseudo_label").replace_strict(place, return_dtype=pl.Int64)
    ).with_columns(label=_published_label())
    rows = tables.clips.drop("label_given", "split")
    rows = rows if rows["clip_id"].is_sorted() else rows.sort("clip_id")
    sides = tables.splits.select("clip_id", "split", "fold")
    for other in chain((sides, coded, rationales(tables.reasons, place)), _answers(content)):
        rows = beside(rows, other)
    return rows


def _published_label() -> pl.Expr:
    accepted = pl.when(pl.col("pseudo_accepted")).then(pl.col("pseudo_label"))
    return pl.when(pl.col("label_given").is_not_null()).then(pl.col("label_refined")).otherwise(accepted)


def _answers(content: ReleaseContent) -> Iterator[pl.DataFrame]:
    """For each item, clip_id and q_<item>; one item is held at a time."""
    base = base_answers(content.scan("answers"))
    for item in content.questionnaire.items:
        mine = base.filter(pl.col("item") == item.id)
        yield mine.select("clip_id", pl.col("answer").alias(f"q_{item.id}")).collect()
