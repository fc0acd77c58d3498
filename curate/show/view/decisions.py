"""What people decide in FiftyOne, read back: by a tag, or by the field `review`."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import polars as pl
from fiftyone import ViewField

from curate.show.review.decision import Decision, Verdict, as_utc, class_meant
from curate.show.view.dataset import REVIEW_TAG

_ASKED_TAG = "to review"
_VERDICTS: dict[str, Verdict] = {"(unsure)": "unsure", "(skip)": "skip"}
_FORM = re.compile(r"review\s*:\s*(.+)", re.IGNORECASE)


def mark(dataset: Any, chosen: pl.DataFrame) -> int:
    """Mark the clips that were chosen, by tag and rank; those of an earlier choice no longer are.

    Args:
        dataset: Holds the clips.
        chosen: Columns clip_id and rank.

    Returns:
        How many of them it holds.
    """
    dataset.untag_samples(_ASKED_TAG)
    dataset.set_field("review_rank", None).save("review_rank")
    ranks = dict(chosen.select("clip_id", "rank").iter_rows())
    view = dataset.match(ViewField("clip_id").is_in(list(ranks)))
    view.set_values("review_rank", [ranks[clip_id] for clip_id in view.values("clip_id")])
    view.tag_samples(_ASKED_TAG)
    return len(view)


def read_decisions(dataset: Any, classes: Sequence[str], reviewer: str) -> list[Decision]:
    """Every decision that stands in a dataset.

    A tag such as "review: CLASS", "review: (unsure)" or "review: (skip)" is one; its time is when the
    sample was last changed. The field `review` is the other way, which the App's button takes; it tells who,
    when and a comment.

    Args:
        dataset: Holds the clips.
        classes: The run's classes.
        reviewer: Who decided where a decision does not say.
    """
    marked = ViewField("tags").filter(ViewField().starts_with(REVIEW_TAG.strip(" :"))).length() > 0
    view = dataset.match(marked | (ViewField("review.classifications").length() > 0))
    samples = view.select_fields(["clip_id", "name", "review"])
    return [found for sample in samples for found in _of(sample, classes, reviewer, dataset.name)]


def _of(sample: Any, classes: Sequence[str], reviewer: str, dataset: str) -> Iterator[Decision]:
    where = f"{dataset}, {sample['name']}"
    for one in sample["review"].classifications if sample["review"] is not None else ():
        yield Decision(
            where=where,
            clip_id=sample["clip_id"],
            reviewer=_text(one, "by") or reviewer,
            comment=_text(one, "comment"),
            decided_at=as_utc(_text(one, "at") or "") or _changed_at(sample),
            **_said(one.label or "", classes),
        )
    for tag in sample.tags:
        if written := _FORM.fullmatch(tag):
            yield Decision(
                where=where,
                clip_id=sample["clip_id"],
                reviewer=reviewer,
                decided_at=_changed_at(sample),
                **_said(written[1], classes),
            )


def _said(written: str, classes: Sequence[str]) -> dict[str, Any]:
    """The verdict and the label that a text means: whatever its case, as a class is shown."""
    text = written.strip()
    if (verdict := _VERDICTS.get(text.casefold())) is not None:
        return {"verdict": verdict}
    return {"verdict": "label", "label": class_meant(text, classes)}


def _text(review: Any, name: str) -> str | None:
    value = review.get_field(name) if review.has_field(name) else None
    return str(value).strip() or None if value else None


def _changed_at(sample: Any) -> str | None:
    changed = sample["last_modified_at"]
    return as_utc(changed.isoformat()) if isinstance(changed, datetime) else None
