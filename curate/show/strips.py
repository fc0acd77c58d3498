"""The clips whose given label is most in doubt, as film strips."""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl
from PIL import Image, UnidentifiedImageError

from curate.errors import CurateError
from curate.questionnaire import Item
from curate.release.content import ReleaseContent
from curate.release.rationale import rationales
from curate.release.tally import base_answers

MOST_CLIPS = 12
MOST_REASONED = 6
MOST_PICTURES = 6
MOST_PX = 180
"""Longest side of a thumbnail; the report stays under 5 MB."""
_MOST_WORDS = 160
_MOST_RATIONALE = 900


_VERDICTS = {
    "confirm": "confirmed by a second look",
    "revise": "a second look found another class",
    "abstain": "a second look could not tell",
    "inconsistent": "it contradicts itself",
    None: "not looked at again",
}


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One picture that was sent."""

    t_s: float
    data_uri: str | None
    """JPEG as base64; None where the picture was not kept."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the model said to one item."""

    ask: str
    answer: str
    probability: float | None


@dataclass(frozen=True, slots=True)
class Pull:
    """How one instrument moved the label."""

    instrument: str
    outcome: str
    log_odds: float
    width: float
    """Share of the strongest pull of the clip, for its bar."""


@dataclass(frozen=True, slots=True)
class Rationale:
    """A conclusion of the model's own with its reasons."""

    label: str
    text: str
    verdict: str
    """In words: what a second look made of it."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One clip as the report shows it."""

    name: str
    given: str | None
    """None where the clip came without a label."""
    refined: str
    reliability: float | None
    confidence: float
    split: str
    transcript: str
    pictures: tuple[Thumbnail, ...]
    answers: tuple[Told, ...]
    pulls: tuple[Pull, ...]
    rationale: Rationale | None


def worst_clips(content: ReleaseContent, picture: Callable[[str], bytes]) -> list[Strip]:
    """The clips with the lowest reliability, worst first."""
    return _strips(_worst(content.tables.labels), content, picture)


def reasoned_clips(content: ReleaseContent, picture: Callable[[str], bytes]) -> list[Strip]:
    """Some clips without a given label that the model concluded about with reasons, by clip id."""
    return _strips(_reasoned(content.tables.labels, content.tables.reasons), content, picture)


def shown_clips(labels: pl.DataFrame, reasons: pl.DataFrame) -> list[str]:
    """Ids of all clips that a report shows; `labels` need not have columns that hold lists."""
    few = labels.select("clip_id", "reliability", "label_given")
    return [*_worst(few)["clip_id"], *_reasoned(few, reasons)["clip_id"]]


def _worst(labels: pl.DataFrame) -> pl.DataFrame:
    return (
        labels.drop_nulls("reliability")
        .bottom_k(MOST_CLIPS, by=["reliability", "clip_id"])
        .sort("reliability", "clip_id")
    )


def _reasoned(labels: pl.DataFrame, reasons: pl.DataFrame) -> pl.DataFrame:
    concluded = reasons.filter(pl.col("reasoning").is_not_null())
    bare = labels.filter(pl.col("label_given").is_null()).join(concluded, on="clip_id", how="semi")
    return bare.sort("clip_id").head(MOST_REASONED)


def _strips(labels: pl.DataFrame, content: ReleaseContent, picture: Callable[[str], bytes]) -> list[Strip]:
    told = content.tables.clips.select("clip_id", "name", "split", "transcript")
    place = {name: index for index, name in enumerate(content.recipe.task.classes)}
    mine = pl.col("clip_id").is_in(labels["clip_id"].to_list())
    rows = labels.join(told, on="clip_id", maintain_order="left").join(
        rationales(content.tables.reasons, place), on="clip_id", how="left", maintain_order="left"
    )
    frames = content.scan("frames").filter(mine, pl.col("role") == "key").sort("index").collect()
    answers = base_answers(content.scan("answers")).filter(mine).collect()
    return [_strip(row, content, frames, answers, picture) for row in rows.iter_rows(named=True)]


def _strip(
    row: dict[str, object],
    content: ReleaseContent,
    frames: pl.DataFrame,
    answers: pl.DataFrame,
    picture: Callable[[str], bytes],
) -> Strip:
    mine = pl.col("clip_id") == row["clip_id"]
    told = answers.filter(mine)
    return Strip(
        name=str(row["name"]),
        given=None if row["label_given"] is None else str(row["label_given"]),
        refined=str(row["label_refined"]),
        reliability=None if row["reliability"] is None else float(str(row["reliability"])),
        confidence=float(str(row["confidence"])),
        split=str(row["split"]),
        transcript=_cut(str(row["transcript"] or ""), _MOST_WORDS),
        pictures=_thumbnails(frames.filter(mine), picture),
        answers=tuple(_told(item, told) for item in content.questionnaire.items),
        pulls=_pulls(row["why"]),
        rationale=_rationale(row, content.recipe.task.classes),
    )


def _rationale(row: dict[str, object], classes: Sequence[str]) -> Rationale | None:
    if row["rationale"] is None:
        return None
    label, verdict = classes[int(str(row["rationale_label"]))], row["rationale_verdict"]
    text = _cut(str(row["rationale"]), _MOST_RATIONALE)
    return Rationale(label, text, _VERDICTS[None if verdict is None else str(verdict)])


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _thumbnails(frames: pl.DataFrame, picture: Callable[[str], bytes]) -> tuple[Thumbnail, ...]:
    """At most a handful of the pictures, evenly spread."""
    n = min(frames.height, MOST_PICTURES)
    chosen = [round(index * (frames.height - 1) / max(1, n - 1)) for index in range(n)]
    rows = [frames.row(index, named=True) for index in chosen]
    return tuple(Thumbnail(row["t_s"], _data_uri(row["sha256"], picture)) for row in rows)


def _data_uri(sha256: str, picture: Callable[[str], bytes]) -> str | None:
    try:
        with Image.open(io.BytesIO(picture(sha256))) as opened:
            small = opened.convert("RGB")
    except (CurateError, KeyError, OSError, UnidentifiedImageError):
        return None  # pictures may be cleared to save room: the report then says so
    small.thumbnail((MOST_PX, MOST_PX))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=72, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def _told(item: Item, answers: pl.DataFrame) -> Told:
    rows = answers.filter(pl.col("item") == item.id).to_dicts()
    if not rows:
        return Told(item.ask, "not asked", None)
    row = rows[0]
    return Told(item.ask, row["answer"] or row["outcome"], max(row["probs"]) if row["probs"] else None)


def _pulls(why: object) -> tuple[Pull, ...]:
    entries = why if isinstance(why, list) else []
    strongest = max((abs(one["log_odds"]) for one in entries), default=0.0) or 1.0
    return tuple(
        Pull(one["instrument"], one["outcome"] or "", one["log_odds"], abs(one["log_odds"]) / strongest)
        for one in entries
    )
