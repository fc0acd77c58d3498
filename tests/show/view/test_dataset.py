"""A release in FiftyOne's database: a real one."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from curate.errors import InputError
from curate.release.compare.edition import Edition
from curate.release.content import Tables
from curate.run_folder import Run
from curate.show.places import Places, media_places
from curate.show.view.scene import read_scene

pytestmark = pytest.mark.filterwarnings("ignore")  # FiftyOne's own, of many kinds


@pytest.fixture
def release(finished: Run, tmp_path: Path) -> Edition:
    """The release of 24 drawn clips, in a folder of its own."""
    shutil.copytree(finished.release, tmp_path / "release")
    return Edition(tmp_path / "release")


@pytest.fixture
def write(fo: Any, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Any]:
    """Writes a release under the test's own name, and opens what came of it."""

    def written(release: Edition, places: Places | None = None) -> Any:
        from curate.show.view.dataset import write_datasets

        scene = read_scene(release)
        found = places or media_places(scene.clips, release, tmp_path / "media")
        told = write_datasets(release, scene, found, request.node.name)
        dataset = fo.load_dataset(told[0].name)
        dataset.reload()
        return told, dataset

    return written


def test_every_clip_with_what_is_known_of_it(release: Edition, write: Callable[..., Any]) -> None:
    told, dataset = write(release)
    scene = read_scene(release)
    assert (told[0].n_clips, told[0].n_new, len(dataset), dataset.media_type) == (24, 24, 24, "video")
    labelled = scene.clips.drop_nulls("label_given").row(0, named=True)
    sample = dataset.one({"clip_id": labelled["clip_id"]})
    assert sample.given.label == labelled["label_given"]
    assert sample.given.confidence == labelled["reliability"]
    assert (sample.refined.label, sample.refined.confidence) == (
        labelled["label_refined"],
        labelled["confidence"],
    )
    np.testing.assert_allclose(np.exp(sample.refined.logits), labelled["posterior"], atol=1e-9)
    assert sample.soft_label == pytest.approx(labelled["soft_label"])
    assert {labelled["split"], labelled["reliability_split"]} <= set(sample.tags)
    answers = {one["item"]: one["answer"] for one in labelled["answers"]}
    assert {item: sample[f"q_{item}"].label for item in scene.items} == answers
    # The sampled moments, by frames that are counted from 1, and the key points there.
    moments = [(one["index"] + 1, one["t_s"]) for one in labelled["moments"]]
    assert [(one.support[0], one.t_s) for one in sample.moments.detections] == moments
    assert sorted(sample.frames) == [frame for frame, _ in moments]
    points = np.array(sample.frames[moments[0][0]].keypoints.keypoints[0].points)
    assert points.shape == (137, 2)
    assert 0 < np.nanmean(points) < 1
    assert sample.metadata.frame_rate == labelled["fps"]
    assert Path(sample.filepath).read_bytes()[4:8] == b"ftyp"  # the release's own bytes, as a file


def test_a_clip_without_a_label_has_a_pseudo_label(release: Edition, write: Callable[..., Any]) -> None:
    _, dataset = write(release)
    for row in read_scene(release).clips.drop_nulls("pseudo_label").iter_rows(named=True):
        sample = dataset.one({"clip_id": row["clip_id"]})
        assert sample.given is None
        assert sample.pseudo.label == row["pseudo_label"]
        assert ("pseudo accepted" in sample.tags) == row["pseudo_accepted"]


def test_documents_are_as_fiftyone_writes_them_itself(
    fo: Any, release: Edition, write: Callable[..., Any]
) -> None:
    """The same sample, made of FiftyOne's own objects and added by its own method, is the same document."""
    _, ours = write(release)
    sample = ours.match(fo.ViewField("given.label") != None).first()  # noqa: E711 a query, no comparison
    made = fo.Sample(filepath=sample.filepath, tags=sample.tags, metadata=sample.metadata)
    for name in ours.get_field_schema():
        if (
            name not in ("id", "filepath", "tags", "metadata", "created_at", "last_modified_at")
            and sample[name] is not None
        ):
            made[name] = sample[name].copy() if hasattr(sample[name], "copy") else sample[name]
    for number, frame in sample.frames.items():
        made.frames[number] = fo.Frame(keypoints=frame.keypoints.copy())
    theirs = fo.Dataset()
    theirs.add_sample(made)
    mine = ours._sample_collection.find_one({"clip_id": sample["clip_id"]})
    other = theirs._sample_collection.find_one({})
    assert other is not None
    assert mine is not None
    ids = ("_id", "_dataset_id", "_rand", "created_at", "last_modified_at")
    assert _plain(mine, ids) == _plain(other, ids)
    frame = ours._frame_collection.find_one({"_sample_id": mine["_id"]})
    twin = theirs._frame_collection.find_one({"frame_number": frame["frame_number"]})
    assert _plain(frame, (*ids, "_sample_id")) == _plain(twin, (*ids, "_sample_id"))
    theirs.delete()


def _plain(value: Any, without: tuple[str, ...]) -> Any:
    """Without ids and what is empty: None, a list of no tags, an attribute that was never set."""
    if isinstance(value, dict):
        kept = {name: _plain(one, without) for name, one in value.items() if name not in without}
        return {name: one for name, one in kept.items() if one is not None and one != [] and one != {}}
    if isinstance(value, list):
        return [_plain(one, without) for one in value]
    return str(value) if isinstance(value, float) else value


def test_a_second_call_updates_and_never_doubles(
    fo: Any, release: Edition, write: Callable[..., Any]
) -> None:
    _, dataset = write(release)
    first = dataset.first()
    first.tags.append("my own")
    first["note"] = "mine"
    first.refined.tags = ["looked at"]
    first.save()
    dataset.save_view("mine too", dataset.limit(3))
    ids, frames = dataset.values("id"), dataset.count("frames")
    told, dataset = write(release)
    assert told[0].n_new == 0
    assert dataset.values("id") == ids
    assert dataset.count("frames") == frames
    again = dataset[first.id]
    assert ("my own" in again.tags, again["note"], again.refined.tags) == (True, "mine", ["looked at"])
    assert len(again.tags) == len(set(again.tags))
    assert "mine too" in dataset.list_saved_views()
    assert len(dataset.list_saved_views()) == len(set(dataset.list_saved_views()))


def test_a_clip_that_changes_and_one_that_goes(
    fo: Any, release: Edition, write: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, dataset = write(release)
    gone, decided, changed = dataset.take(3, seed=1)
    decided.tags.append("review: engaged")
    decided.save()
    scene = read_scene(release)
    rows = scene.clips.filter(~pl.col("clip_id").is_in([gone["clip_id"], decided["clip_id"]]))
    is_changed = pl.col("clip_id") == changed["clip_id"]
    rows = rows.with_columns(
        label_given=pl.when(is_changed).then(pl.lit(None)).otherwise("label_given"),
        reliability_split=pl.when(is_changed).then(pl.lit(None)).otherwise("reliability_split"),
        label_refined=pl.when(is_changed).then(pl.lit("engaged")).otherwise("label_refined"),
    )
    from curate.show.view.dataset import write_datasets
    from curate.show.view.scene import Scene

    fewer = Scene(scene.name, scene.version, scene.classes, scene.items, rows)
    told = write_datasets(release, fewer, Places({}, ()), dataset.name)
    dataset.reload()
    # One is gone; the other carries a decision, which is nobody's to throw away.
    assert (told[0].n_clips, told[0].n_gone, len(dataset)) == (22, 1, 23)
    now = dataset[changed.id]
    assert (now.given, now.refined.label) == (None, "engaged")
    assert not {"high", "low"} & set(now.tags)
    assert "media missing" in now.tags


def test_saved_views_hold_what_they_say(fo: Any, release: Edition, write: Callable[..., Any]) -> None:
    _, dataset = write(release)
    scene = read_scene(release)
    names = dataset.list_saved_views()
    expected = [
        "Changed labels", "Most doubtful", "High reliability", "Low reliability", "People against the model",
        "Pseudo-labels accepted", "Pseudo-labels refused", "Failed controls", "For review",
    ]  # fmt: skip
    assert names == [
        *expected,
        *(f"Worst of class {k}: {name}" for k, name in enumerate(scene.classes, start=1)),
    ]

    def held(name: str) -> list[str]:
        return list(dataset.load_saved_view(name).values("clip_id"))

    changed = scene.clips.filter(pl.col("label_given") != pl.col("label_refined")).sort("reliability")
    assert held("Changed labels") == changed["clip_id"].to_list()
    for level in ("high", "low"):
        mine = scene.clips.filter(reliability_split=level)["clip_id"]
        assert set(held(f"{level.capitalize()} reliability")) == set(mine)
    doubtful = scene.clips.drop_nulls("reliability").sort("reliability")["clip_id"].to_list()
    assert held("Most doubtful") == doubtful
    worst = scene.clips.filter(label_given=scene.classes[0]).sort("reliability")["clip_id"].to_list()
    assert held(f"Worst of class 1: {scene.classes[0]}") == worst
    against = scene.clips.filter("against_people")["clip_id"]
    assert set(held("People against the model")) == set(against)
    refused = scene.clips.filter(pl.col("pseudo_accepted").not_())["clip_id"]
    assert set(held("Pseudo-labels refused")) == set(refused)


def test_the_first_screen_is_dressed(release: Edition, write: Callable[..., Any]) -> None:
    _, dataset = write(release)
    groups = {group.name: group.paths for group in dataset.app_config.sidebar_groups}
    assert groups["answers"] == [f"q_{item}" for item in read_scene(release).items]
    listed = [path for paths in groups.values() for path in paths]
    assert len(listed) == len(set(listed))
    assert dataset.app_config.active_fields.paths == ["given", "refined", "pseudo", "reliability", "review"]


def test_names_that_belong_to_others_are_left_alone(fo: Any, release: Edition, finished: Run) -> None:
    from curate.show.view.dataset import write_datasets

    scene, places = read_scene(release), Places({}, ())
    fo.Dataset("somebody-elses")
    with pytest.raises(InputError, match="is a dataset that curate did not make"):
        write_datasets(release, scene, places, "somebody-elses")
    write_datasets(release, scene, places, "taken")
    with pytest.raises(InputError, match="is of another release"):
        write_datasets(Edition(finished.release), scene, places, "taken")
    assert len(fo.load_dataset("somebody-elses")) == 0


def test_videos_and_images(fo: Any, tmp_path: Path, synthetic: Any, write: Callable[..., Any]) -> None:
    """Two datasets, for FiftyOne keeps the kinds apart."""
    from curate.release.dataset import write_release

    made = synthetic.make(24)
    write_release(tmp_path / "synthetic", made.content)
    release = Edition(tmp_path / "synthetic")
    told, _ = write(release)
    tables: Tables = made.content.tables
    kinds = dict(tables.clips["media"].value_counts().iter_rows())
    assert [(one.name.rpartition("-")[2], one.n_clips) for one in told] == [
        ("images", kinds["image"]), ("videos", kinds["video"])
    ]  # fmt: skip
    images = fo.load_dataset(told[0].name)
    assert images.media_type == "image"
    assert all(Path(path).is_file() for path in images.values("filepath"))


def test_labels_that_would_be_markup_or_steer(fo: Any, release: Edition, write: Callable[..., Any]) -> None:
    from curate.show.view.dataset import write_datasets
    from curate.show.view.scene import Scene

    scene = read_scene(release)
    names = ("<script>alert(1)</script>", "ضجر 😴", "$set", "a\u202eb")
    swap = dict(zip(scene.classes, names, strict=True))
    columns = pl.col("label_given", "label_refined", "pseudo_label", "people").replace(swap)
    odd = Scene("odd", "1.0.0", names, scene.items, scene.clips.with_columns(columns))
    write_datasets(release, odd, Places({}, ()), "odd-labels")
    dataset = fo.load_dataset("odd-labels")
    shown = {*names[:3], r"a\u202eb"}
    assert set(dataset.distinct("refined.label")) <= shown
    worst = dataset.load_saved_view(f"Worst of class 3: {names[2]}")
    assert len(worst) == odd.clips.filter(label_given=names[2]).height > 0


def test_decisions_by_tag_and_by_field_are_read_back(
    fo: Any, release: Edition, write: Callable[..., Any]
) -> None:
    from curate.show.view.decisions import mark, read_decisions

    _, dataset = write(release)
    chosen = pl.DataFrame({"clip_id": dataset.values("clip_id")[:4], "rank": [4, 3, 2, 1]})
    assert mark(dataset, chosen) == 4
    assert dataset.load_saved_view("For review").values("clip_id") == chosen["clip_id"].reverse().to_list()
    one, two, three, four = dataset.load_saved_view("For review")
    one.tags.append("review: Engaged")
    two.tags.append("review:(unsure)")
    three["review"] = fo.Classifications(
        classifications=[
            fo.Classification(
                label="engaged", by="ada", at="2026-01-31T12:00:00+00:00", comment="<i>yes</i>"
            ),
            fo.Classification(label="(skip)", by="bob", at="2026-01-31T12:00:00+00:00"),
        ]
    )
    for sample in (one, two, three):
        sample.save()
    found = read_decisions(dataset, release.classes, "eve")
    assert {(x.clip_id, x.reviewer, x.verdict, x.label, x.comment) for x in found} == {
        (one["clip_id"], "eve", "label", "engaged", None),
        (two["clip_id"], "eve", "unsure", None, None),
        (three["clip_id"], "ada", "label", "engaged", "<i>yes</i>"),
        (three["clip_id"], "bob", "skip", None, None),
    }
    assert {x.decided_at for x in found if x.clip_id == three["clip_id"]} == {"2026-01-31T12:00:00.000Z"}
    assert four.tags
    # The next choice takes the place of this one.
    assert mark(dataset, chosen.head(1)) == 1
    assert len(dataset.load_saved_view("For review")) == 1
