"""The documents that FiftyOne keeps of a clip, as it would write them itself.

FiftyOne's own samples cost some milliseconds each, most of it to build and check every label as an object.
These are plain mappings, of the fields that `curate.show.view.fields` declares; a test holds them against
FiftyOne's own, field by field.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from bson import ObjectId
from fiftyone.core.utils import serialize_numpy_array

from curate.printable import printable
from curate.show.view.people import Moment

Document = dict[str, Any]
OWN_TAGS = (
    "train", "validation", "test", "high", "low", "changed", "pseudo accepted", "pseudo refused",
    "media missing",
)  # fmt: skip
"""Tags that a second call takes away where they no longer hold; all others are people's."""
_ID_DIGITS = 24
_LEAST = 1e-12
"""Probability below which a logit would be no number any more."""


def sample_id(dataset: str, clip_id: str) -> ObjectId:
    """The id of a clip's sample: the same whenever it is written."""
    return _id(dataset, clip_id)


def sample_document(
    row: Mapping[str, Any], dataset: str, place: Path | None, items: Sequence[str]
) -> tuple[Document, list[str]]:
    """What is set of a sample, None where a field is to be empty; and its tags.

    Args:
        row: Of `Scene.clips`.
        dataset: Name of FiftyOne's dataset.
        place: File of the media; None where it is gone.
        items: Of the questionnaire.
    """
    key = f"{dataset} {row['clip_id']}"
    posterior = np.log(np.maximum(row["posterior"], _LEAST))
    answers = {one["item"]: one for one in row["answers"] or ()}
    given = _label(key, "given", row["label_given"], row["reliability"])
    document: Document = {
        "filepath": str(place) if place else f"/missing/{row['clip_id']}",
        "metadata": _metadata(row, place),
        "clip_id": row["clip_id"],
        "name": _told(row["name"]),
        "given": given,
        "refined": _label(key, "refined", row["label_refined"], row["confidence"], posterior),
        "pseudo": _label(key, "pseudo", row["pseudo_label"], row["pseudo_confidence"], posterior),
        "people": _label(key, "people", row["people"], row["people_share"]),
        "model": _label(key, "model", row["model"], None),
        "soft_label": row["soft_label"],
        "reliability": row["reliability"],
        "doubt": row["doubt"],
        "changed": row["changed"],
        "against_people": row["against_people"],
        "pseudo_accepted": row["pseudo_accepted"],
        "failed_controls": row["failed_controls"],
        "why": _told(row["why_told"]),
        "rationale": _told(row["rationale"]),
        "transcript": _told(row["transcript"]),
        "group": _told(row["group"]),
        "recording": _told(row["recording"]),
        "fold": row["fold"],
    }
    for item in items:
        one = answers.get(item)
        document[f"q_{item}"] = _label(key, item, one["answer"], one["confidence"]) if one else None
    return document, list(_tags(row, place))


def moments_document(key: str, moments: Sequence[Mapping[str, Any]]) -> Document:
    """The sampled moments of a video as temporal detections, a frame long each."""
    return {
        "_cls": "TemporalDetections",
        "detections": [
            {
                "_id": _id(key, "moment", str(one["index"])),
                "_cls": "TemporalDetection",
                "tags": [],
                "label": one["role"],
                "support": [one["index"] + 1, one["index"] + 1],
                "t_s": one["t_s"],
            }
            for one in moments
        ],
    }


def person_documents(key: str, moment: Moment) -> Document:
    """Box and key points of a person at one frame, or in an image; None where there are none."""
    frame = str(moment.frame)
    box = moment.box and {
        "_cls": "Detections",
        "detections": [
            {
                "_id": _id(key, "box", frame),
                "_cls": "Detection",
                "attributes": {},
                "tags": [],
                "label": "person",
                "bounding_box": list(moment.box),
            }
        ],
    }
    points = moment.points and {
        "_cls": "Keypoints",
        "keypoints": [
            {
                "_id": _id(key, "points", frame),
                "_cls": "Keypoint",
                "attributes": {},
                "tags": [],
                "label": "person",
                "points": [list(point) for point in moment.points],
            }
        ],
    }
    return {"person": box or None, "keypoints": points or None}


def on_insert(dataset: str, dataset_id: ObjectId, clip_id: str, media: str, now: datetime) -> Document:
    """What only a new sample gets."""
    share = int(hashlib.sha256(f"random {clip_id}".encode()).hexdigest()[:13], 16) / 16**13
    return {
        "_id": sample_id(dataset, clip_id),
        "_dataset_id": dataset_id,
        "_media_type": media,
        "_rand": share * 0.001 + 0.999,  # as FiftyOne draws it: a new sample comes after the old ones
        "created_at": now,
        "last_modified_at": now,
    }


def _label(
    key: str, field: str, label: str | None, confidence: float | None, logits: np.ndarray | None = None
) -> Document | None:
    if label is None:
        return None
    made: Document = {"_id": _id(key, field), "_cls": "Classification", "label": _told(label)}
    if confidence is not None:
        made["confidence"] = confidence
    if logits is not None:
        made["logits"] = serialize_numpy_array(logits)
    return made


def _metadata(row: Mapping[str, Any], place: Path | None) -> Document:
    known: Document = {"size_bytes": place.stat().st_size} if place else {}
    if row["media"] == "image":
        return known | {"_cls": "ImageMetadata", "width": row["width"], "height": row["height"]}
    return known | {
        "_cls": "VideoMetadata",
        "frame_width": row["width"],
        "frame_height": row["height"],
        "frame_rate": row["fps"],
        "total_frame_count": row["n_frames"],
        "duration": row["duration_s"],
    }


def _tags(row: Mapping[str, Any], place: Path | None) -> Iterator[str]:
    yield row["split"]
    if row["reliability_split"]:
        yield row["reliability_split"]
    if row["changed"]:
        yield "changed"
    if row["pseudo_label"] is not None:
        yield "pseudo accepted" if row["pseudo_accepted"] else "pseudo refused"
    if place is None:
        yield "media missing"


def _told(text: str | None) -> str | None:
    """Text from data without what would steer whoever reads it."""
    return None if text is None else printable(text, keep="\n")


def _id(*parts: str) -> ObjectId:
    return ObjectId(hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_ID_DIGITS])
