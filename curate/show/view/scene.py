"""What is seen of a release: one row a clip, with everything that is known of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import entr

from curate.release.compare.edition import Edition
from curate.release.integrity import FACTS
from curate.release.tally import base_answers

_MOST_WHY = 4
"""Instruments that the sentence on why names."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A release as it is looked at."""

    name: str
    version: str
    classes: tuple[str, ...]
    items: tuple[str, ...]
    """Ids of the questionnaire's items."""
    clips: pl.DataFrame
    """Sorted by clip id: the published columns but for media, labels as names, and beside them

    - media: video or image
    - label_refined, posterior, doubt (the entropy of the posterior as a share of the most there can be)
    - changed: whether the refined label is another than the given one; null without a given one
    - people, people_share: the label that most people chose, the given one among them
    - model: the class that the model itself concluded, where it was asked to
    - against_people: whether model, or what is believed where there is none, says otherwise than people
    - failed_controls: items that were answered alike about another clip's pictures, or without any
    - why_told: what moved the label, in a sentence
    - answers: item, answer, confidence
    - moments: index, t_s, role, box
    """


def read_scene(release: Edition) -> Scene:
    """Read what is seen of a release.

    Raises:
        ReleaseError: The folder is no release.
    """
    classes, published = release.classes, release.clips()
    items = tuple(name.removeprefix("q_") for name in published.columns if name.startswith("q_"))
    rows = published.drop("label", "label_given", *(f"q_{item}" for item in items))
    answers, votes = release.table("answers"), release.table("votes")
    for other in (
        _believed(release.table("labels"), classes),
        _people(published, votes, classes),
        _answers(answers),
        _failed_controls(answers),
        _moments(release.table("frames")),
    ):
        rows = rows.join(other, on="clip_id", how="left")
    is_video = pl.col("fps").is_not_null()
    names = pl.Series(classes, dtype=pl.String)
    rows = rows.with_columns(
        media=pl.when(is_video).then(pl.lit("video")).otherwise(pl.lit("image")),
        pseudo_label=_named(rows["pseudo_label"], names),
        model=_named(rows["rationale_label"], names),
        changed=pl.col("label_given") != pl.col("label_refined"),
        failed_controls=pl.col("failed_controls").fill_null(pl.lit([], dtype=pl.List(pl.String))),
    )
    against = (pl.col("people") != pl.coalesce("model", "label_refined")).fill_null(value=False)
    facts = release.json(FACTS)
    return Scene(
        name=str(facts.get("name") or release.folder.name),
        version=release.version,
        classes=classes,
        items=items,
        clips=rows.with_columns(against_people=against).sort("clip_id"),
    )


def _named(codes: pl.Series, names: pl.Series) -> pl.Series:
    """Labels as names, from their places among the classes."""
    return names.gather(codes.cast(pl.UInt32)).alias(codes.name)


def _believed(labels: pl.DataFrame, classes: Sequence[str]) -> pl.DataFrame:
    posterior = labels["posterior"].cast(pl.Array(pl.Float64, len(classes))).to_numpy()
    doubt = entr(posterior.reshape(labels.height, -1)).sum(axis=1) / np.log(len(classes))
    entry = pl.element().struct
    told = pl.format("{} {}", entry.field("instrument"), entry.field("log_odds").round(2).cast(pl.String))
    return labels.select(
        "clip_id",
        "label_given",
        "label_refined",
        "posterior",
        pl.Series("doubt", doubt),
        why_told=pl.col("why").list.head(_MOST_WHY).list.eval(told).list.join(", "),
    )


def _people(clips: pl.DataFrame, votes: pl.DataFrame, classes: Sequence[str]) -> pl.DataFrame:
    """The label that most people chose; of equals the first among the classes."""
    names = pl.Series(classes, dtype=pl.String)
    given = clips.select("clip_id", label=_named(clips["label_given"], names)).drop_nulls()
    place = {name: code for code, name in enumerate(classes)}
    counts = pl.concat([votes.select("clip_id", "label"), given]).group_by("clip_id", "label").len()
    ranked = counts.with_columns(place=pl.col("label").replace_strict(place, default=len(place)))
    ranked = ranked.sort("clip_id", "len", "place", descending=[False, True, False])
    return ranked.group_by("clip_id", maintain_order=True).agg(
        people=pl.col("label").first(), people_share=pl.col("len").first() / pl.col("len").sum()
    )


def _answers(answers: pl.DataFrame) -> pl.DataFrame:
    base = base_answers(answers).select(
        "clip_id",
        pl.struct(
            "item",
            answer=pl.coalesce("answer", "outcome"),
            confidence=pl.col("probs").list.max(),
        ).alias("answers"),
    )
    return base.group_by("clip_id").agg("answers")


def _failed_controls(answers: pl.DataFrame) -> pl.DataFrame:
    """Items whose answer was the clip's own although its pictures were not shown.

    About another clip's pictures that is a failure only where that clip's own answer is another one.
    """
    own = base_answers(answers).filter(pl.col("outcome") == "answered")
    own = own.select("clip_id", "item", own="answer")
    shown = own.rename({"clip_id": "media_clip_id", "own": "shown"})
    asked = answers.filter(
        (pl.col("variant") == "base")
        & pl.col("control").is_in(["canary", "no_media"])
        & (pl.col("outcome") == "answered")
    )
    both = asked.join(own, on=["clip_id", "item"]).join(shown, on=["media_clip_id", "item"], how="left")
    is_other = (pl.col("control") == "no_media") | (pl.col("shown") != pl.col("own"))
    failed = both.filter(is_other & (pl.col("answer") == pl.col("own")))
    told = failed.select("clip_id", failed_controls=pl.format("{}: {}", "item", "control"))
    return told.group_by("clip_id").agg(pl.col("failed_controls").sort())


def _moments(frames: pl.DataFrame) -> pl.DataFrame:
    moments = frames.sort("clip_id", "index").select(
        "clip_id", pl.struct("index", "t_s", "role", "box").alias("moments")
    )
    return moments.group_by("clip_id").agg("moments")
