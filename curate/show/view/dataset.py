"""A release written into FiftyOne's database: what is there already is brought up to date, never doubled."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import fiftyone as fo
import polars as pl
from fiftyone.core.odm import bulk_write
from fiftyone.core.utils import to_slug
from pymongo import UpdateOne

from curate.errors import InputError, Problem
from curate.release.compare.edition import Edition
from curate.show.places import Places
from curate.show.view import fields
from curate.show.view.documents import (
    OWN_TAGS,
    moments_document,
    on_insert,
    person_documents,
    sample_document,
)
from curate.show.view.people import SKELETON, key_points, person_moments
from curate.show.view.scene import Scene

_KEY = "curate"
"""Entry of a dataset's info in which stands what it was made from."""
_BATCH = 1000
REVIEW_TAG = "review: "
"""Begins a tag by which a person decides: a class, (unsure) or (skip) follows."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one dataset."""

    name: str
    n_clips: int
    n_new: int
    n_gone: int
    """Clips that the release no longer has; those that carry a decision stay."""
    n_missing: int
    """Clips whose media are nowhere."""


def dataset_names(name: str, scene: Scene) -> dict[str, str]:
    """Name of the dataset of each kind of media: FiftyOne keeps videos and images apart."""
    kinds = sorted(scene.clips["media"].unique())
    return {kind: name if len(kinds) == 1 else f"{name}-{kind}s" for kind in kinds}


def write_datasets(release: Edition, scene: Scene, places: Places, name: str) -> list[Written]:
    """Write a release's clips with everything that is known of them.

    Fields, tags and views of people stay as they are.

    Args:
        release: Where key points lie.
        scene: What is seen of it.
        places: Files of the media.
        name: Of the dataset, see `dataset_names`.

    Raises:
        InputError: A dataset of that name is there and is not of this release.
    """
    names = dataset_names(name, scene)
    _check_names(names.values(), release)
    made_of = {
        "name": name,
        "release": str(release.folder.resolve()),
        "version": scene.version,
        "classes": list(scene.classes),
    }
    by_kind = {kind: scene.clips.filter(pl.col("media") == kind) for kind in names}
    return [_write(release, scene, by_kind[kind], places, names[kind], made_of) for kind in names]


def datasets_of(release: Edition) -> list[Any]:
    """The datasets that were made from a release in this folder."""
    every = (fo.load_dataset(name) for name in fo.list_datasets())
    place = str(release.folder.resolve())
    return [one for one in every if one.info.get(_KEY, {}).get("release") == place]


def name_of(datasets: Iterable[Any]) -> str | None:
    """The name under which they were written, see `dataset_names`; None of none."""
    return next((str(one.info[_KEY]["name"]) for one in datasets), None)


def _check_names(names: Iterable[str], release: Edition) -> None:
    problems = []
    for name in names:
        if fo.dataset_exists(name):
            kept = fo.load_dataset(name).info.get(_KEY)
            if kept is None:
                problems.append(
                    Problem(name, "is a dataset that curate did not make", "Name another: --name")
                )
            elif kept.get("release") != str(release.folder.resolve()):
                what = f"is of another release: {kept.get('release')}"
                problems.append(Problem(name, what, "Name another: --name, or delete it in FiftyOne"))
    if problems:
        raise InputError("FiftyOne", problems)


def _write(
    release: Edition,
    scene: Scene,
    clips: pl.DataFrame,
    places: Places,
    name: str,
    made_of: Mapping[str, Any],
) -> Written:
    media = clips["media"][0]
    dataset = fo.load_dataset(name) if fo.dataset_exists(name) else fo.Dataset(name, persistent=True)
    if dataset.media_type is None:
        dataset.media_type = media
    is_video = media == "video"
    fields.declare(dataset, scene.items, is_video=is_video)
    dataset.create_index("clip_id", unique=True)
    before = set(dataset.values("clip_id"))
    now = datetime.now(UTC)
    found = dict(key_points(release, clips))
    if before:
        _make_way(dataset)
    operations = (_sample(row, dataset, places, scene, found, now) for row in clips.iter_rows(named=True))
    for some in _in_batches(operations):
        bulk_write(some, dataset._sample_collection)
    if is_video:
        _write_frames(dataset, clips, found)
    gone = _delete_gone(dataset, before - set(clips["clip_id"]))
    dataset.reload()
    dataset.default_skeleton = fo.KeypointSkeleton(edges=[list(pair) for pair in SKELETON])
    fields.dress(dataset, scene.items, is_video=is_video)
    dataset.info[_KEY] = {**made_of, "views": _save_views(dataset, scene)}
    dataset.save()
    ids = set(clips["clip_id"])
    return Written(name, len(ids), len(ids - before), gone, len(ids & set(places.missing)))


def _make_way(dataset: Any) -> None:
    """Take away what a second call could not overwrite: our own tags, and nothing where a label is to be."""
    samples = dataset._sample_collection
    samples.update_many({}, {"$pullAll": {"tags": list(OWN_TAGS)}})
    for name, field in dataset.get_field_schema().items():
        if getattr(field, "document_type", None) is fo.Classification:
            samples.update_many({name: None}, {"$unset": {name: ""}})


def _in_batches(operations: Iterator[UpdateOne]) -> Iterator[list[UpdateOne]]:
    while some := list(islice(operations, _BATCH)):
        yield some


def _sample(
    row: Mapping[str, Any],
    dataset: Any,
    places: Places,
    scene: Scene,
    found: Mapping[str, Mapping[int, Any]],
    now: datetime,
) -> UpdateOne:
    clip_id, key = row["clip_id"], f"{dataset.name} {row['clip_id']}"
    document, tags = sample_document(row, dataset.name, places.files.get(clip_id), scene.items)
    if row["media"] == "video":
        document["moments"] = moments_document(key, row["moments"] or ())
    else:
        moments = person_moments(row, found.get(clip_id, {}))
        document |= person_documents(key, moments[0]) if moments else {"person": None, "keypoints": None}
    return UpdateOne(
        {"clip_id": clip_id},
        {
            "$set": dict(_parts(document)),
            "$unset": {name: "" for name, value in document.items() if value is None},
            "$addToSet": {"tags": {"$each": tags}},
            "$setOnInsert": on_insert(dataset.name, dataset._doc.id, clip_id, row["media"], now),
        },
        upsert=True,
    )


def _parts(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is set: of a label its own parts, so that the tags that people gave it stay."""
    for name, value in document.items():
        if isinstance(value, dict) and value.get("_cls") == "Classification":
            yield from ((f"{name}.{part}", one) for part, one in value.items())
        elif value is not None:
            yield name, value


def _write_frames(dataset: Any, clips: pl.DataFrame, found: Mapping[str, Mapping[int, Any]]) -> None:
    collection = dataset._frame_collection
    ids = dict(zip(*dataset.values(["clip_id", "_id"]), strict=True))
    collection.update_many({}, {"$set": {"person": None, "keypoints": None}})
    for some in _in_batches(_frames(dataset, clips, found, ids)):
        bulk_write(some, collection)


def _frames(
    dataset: Any, clips: pl.DataFrame, found: Mapping[str, Mapping[int, Any]], ids: Mapping[str, Any]
) -> Iterator[UpdateOne]:
    now = datetime.now(UTC)
    for row in clips.iter_rows(named=True):
        for moment in person_moments(row, found.get(row["clip_id"], {})):
            document = person_documents(f"{dataset.name} {row['clip_id']}", moment)
            yield UpdateOne(
                {"_sample_id": ids[row["clip_id"]], "frame_number": moment.frame},
                {
                    "$set": document,
                    "$setOnInsert": {
                        "_dataset_id": dataset._doc.id,
                        "created_at": now,
                        "last_modified_at": now,
                    },
                },
                upsert=True,
            )


def _delete_gone(dataset: Any, gone: set[str]) -> int:
    """Take clips out that the release no longer has, but for those about which somebody decided something."""
    if not gone:
        return 0
    view = dataset.match(fo.ViewField("clip_id").is_in(sorted(gone)))
    undecided = [
        sample.id
        for sample in view
        if sample["review"] is None and not any(tag.startswith(REVIEW_TAG) for tag in sample.tags)
    ]
    dataset.delete_samples(undecided)
    return len(undecided)


def _save_views(dataset: Any, scene: Scene) -> list[str]:
    """Save our views anew; those of people stay, also one that goes by a name of ours."""
    kept = dataset.info.get(_KEY, {}).get("views", [])
    for name in set(kept) & set(dataset.list_saved_views()):
        dataset.delete_saved_view(name)
    taken = {to_slug(name) for name in dataset.list_saved_views()}
    saved = []
    for name, view, about in fields.saved_views(dataset, scene):
        if to_slug(name) not in taken:
            dataset.save_view(name, view, description=about)
            saved.append(name)
    return saved
