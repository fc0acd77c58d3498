"""How a release looks in FiftyOne: its fields, the groups of the sidebar, colours, saved views."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from fiftyone import ViewField

from curate.printable import printable
from curate.show.view.scene import Scene

WORST = 50
"""Clips of a class that its own view holds."""
DOUBTFUL = 100
_LONGEST = 60
_ORANGE, _BLUE, _GREEN, _GREY, _RED, _VIOLET = (
    "#d07a16",
    "#1f6fb2",
    "#2f8f5b",
    "#7b8794",
    "#c2413b",
    "#7a5bb5",
)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a sample."""

    name: str
    kind: str
    """label, labels, text, texts, number, numbers, count or truth."""
    about: str
    group: str
    """Of the sidebar."""


_FIELDS = (
    Field("given", "label", "The label that came with the clip; confidence: its reliability.", "labels"),
    Field("refined", "label", "The most probable label; logits: log posterior.", "labels"),
    Field("pseudo", "label", "The label of a clip that came without one.", "labels"),
    Field("people", "label", "What most people said, the given label among them.", "labels"),
    Field("model", "label", "What the model itself concluded, where it was asked to.", "labels"),
    Field("review", "labels", "What people decide: a class, (unsure) or (skip); by, at, comment.", "labels"),
    Field("reliability", "number", "Probability that the given label is right.", "trust"),
    Field("doubt", "number", "Entropy of the posterior, 0 to 1.", "trust"),
    Field("changed", "truth", "Whether the refined label is another than the given one.", "trust"),
    Field("against_people", "truth", "Whether people say otherwise than what is believed.", "trust"),
    Field("pseudo_accepted", "truth", "Whether the pseudo-label is sure enough.", "trust"),
    Field(
        "failed_controls",
        "texts",
        "Items answered alike although other pictures, or none, were shown.",
        "trust",
    ),
    Field("why", "text", "What moved the label most, in log-odds [nat].", "trust"),
    Field("rationale", "text", "The model's own reasons.", "about"),
    Field("soft_label", "numbers", "Training target, in class order.", "about"),
    Field("name", "text", "What people call the clip.", "about"),
    Field("transcript", "text", "What is said in the clip.", "about"),
    Field("group", "text", "Subject or source.", "about"),
    Field("recording", "text", "The recording that the clip was cut from.", "about"),
    Field("fold", "count", "Part of cross-validation.", "about"),
    Field("review_rank", "count", "Place in the last export for review.", "about"),
    Field("clip_id", "text", "Id of the clip, from its content.", "about"),
)
_KINDS: dict[str, dict[str, Any]] = {
    "label": {"ftype": fo.EmbeddedDocumentField, "embedded_doc_type": fo.Classification},
    "labels": {"ftype": fo.EmbeddedDocumentField, "embedded_doc_type": fo.Classifications},
    "text": {"ftype": fo.StringField},
    "texts": {"ftype": fo.ListField, "subfield": fo.StringField},
    "number": {"ftype": fo.FloatField},
    "numbers": {"ftype": fo.ListField, "subfield": fo.FloatField},
    "count": {"ftype": fo.IntField},
    "truth": {"ftype": fo.BooleanField},
}
_COLOURS = {
    "given": _ORANGE, "refined": _BLUE, "pseudo": _GREEN, "people": _VIOLET, "model": _GREY, "review": _RED,
    "moments": _BLUE, "person": _ORANGE, "frames.person": _ORANGE, "keypoints": _GREEN,
    "frames.keypoints": _GREEN,
}  # fmt: skip
_TAG_COLOURS = {
    "high": _GREEN,
    "low": _RED,
    "changed": _ORANGE,
    "pseudo accepted": _GREEN,
    "pseudo refused": _GREY,
}
_SHOWN = ("given", "refined", "pseudo", "reliability", "review")


def declare(dataset: Any, items: tuple[str, ...], *, is_video: bool) -> None:
    """Declare every field that a release fills; those that are there already stay."""
    there = dataset.get_field_schema()
    for field in (*_FIELDS, *_item_fields(items)):
        if field.name not in there:
            dataset.add_sample_field(field.name, description=field.about, **_KINDS[field.kind])
    for name in ("by", "at", "comment"):
        dataset.add_sample_field(f"review.classifications.{name}", fo.StringField)
    labels = {"person": fo.Detections, "keypoints": fo.Keypoints}
    if is_video:
        if "moments" not in there:
            dataset.add_sample_field(
                "moments", fo.EmbeddedDocumentField, embedded_doc_type=fo.TemporalDetections
            )
            dataset.add_sample_field("moments.detections.t_s", fo.FloatField)
        there = dataset.get_frame_field_schema() or {}
        for name, kind in labels.items():
            if name not in there:
                dataset.add_frame_field(name, fo.EmbeddedDocumentField, embedded_doc_type=kind)
    else:
        for name, kind in labels.items():
            if name not in there:
                dataset.add_sample_field(name, fo.EmbeddedDocumentField, embedded_doc_type=kind)


def dress(dataset: Any, items: tuple[str, ...], *, is_video: bool) -> None:
    """Set sidebar and colours: the first screen tells what came, what is believed and how sure it is."""
    by_group = {
        name: [field.name for field in _FIELDS if field.group == name]
        for name in ("labels", "trust", "about")
    }
    found = ["moments", "frames.person", "frames.keypoints"] if is_video else ["person", "keypoints"]
    groups = {
        "tags": ["tags"],
        "labels": by_group["labels"],
        "trust": by_group["trust"],
        "answers": [f"q_{item}" for item in items],
        "seen": found,
        "about": by_group["about"],
        "other": ["id", "filepath", "created_at", "last_modified_at"],
        "metadata": ["metadata.size_bytes", "metadata.mime_type"],
    }
    closed = {"seen", "about", "other", "metadata"}
    dataset.app_config.sidebar_groups = [
        fo.SidebarGroupDocument(name=name, paths=paths, expanded=name not in closed)
        for name, paths in groups.items()
    ]
    dataset.app_config.active_fields = fo.ActiveFields(paths=list(_SHOWN))
    dataset.app_config.color_scheme = fo.ColorScheme(
        color_by="field",
        fields=[{"path": path, "fieldColor": colour} for path, colour in _COLOURS.items()],
        label_tags={
            "fieldColor": _GREY,
            "valueColors": [{"value": tag, "color": colour} for tag, colour in _TAG_COLOURS.items()],
        },
    )


def saved_views(dataset: Any, scene: Scene) -> Iterator[tuple[str, Any, str]]:
    """Name, view and description of every view that is kept with the dataset."""
    by_trust = dataset.sort_by("reliability")
    labelled = by_trust.match(ViewField("reliability") >= 0)
    yield "Changed labels", labelled.match(ViewField("changed")), "Least reliable first."
    yield "Most doubtful", labelled.limit(DOUBTFUL), f"The {DOUBTFUL} least reliable given labels."
    yield "High reliability", dataset.match_tags("high"), "Given labels that the recipe's rule calls high."
    yield "Low reliability", by_trust.match_tags("low"), "The others, least reliable first."
    yield (
        "People against the model",
        dataset.match(ViewField("against_people")).sort_by("doubt"),
        "Most people say otherwise than what is believed; what is believed most firmly comes first.",
    )
    surest = dataset.sort_by("pseudo.confidence", reverse=True)
    yield "Pseudo-labels accepted", surest.match_tags("pseudo accepted"), "Surest first."
    yield "Pseudo-labels refused", surest.match_tags("pseudo refused"), "Surest first."
    yield (
        "Failed controls",
        dataset.match(ViewField("failed_controls").length() > 0),
        "An item was answered alike although another clip's pictures, or none, were shown.",
    )
    yield "For review", dataset.match(ViewField("review_rank") > 0).sort_by("review_rank"), "The last export."
    for number, name in enumerate(scene.classes, start=1):
        mine = labelled.match(
            ViewField("given.label") == ViewField.literal(printable(name, keep="\n"))
        ).limit(WORST)
        yield (
            f"Worst of class {number}: {short(name)}",
            mine,
            f"The {WORST} least reliable labels of this class.",
        )


def short(name: str) -> str:
    """A name from data as a title holds it."""
    shown = printable(name)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _item_fields(items: tuple[str, ...]) -> tuple[Field, ...]:
    return tuple(Field(f"q_{item}", "label", "Answer of the model.", "answers") for item in items)
