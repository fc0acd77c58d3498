import polars as pl
import pytest

from curate.errors import InputError
from curate.labels import Settings, evidence_from_frame, refine

SCHEMA = {
    "clip_id": pl.String,
    "label_given": pl.String,
    "posterior": pl.List(pl.Float64),
    "soft_label": pl.List(pl.Float32),
    "label_refined": pl.String,
    "confidence": pl.Float64,
    "reliability": pl.Float64,
    "reliability_split": pl.String,
    "pseudo_label": pl.String,
    "pseudo_confidence": pl.Float64,
    "pseudo_accepted": pl.Boolean,
    "why": pl.List(pl.Struct({"instrument": pl.String, "outcome": pl.String, "log_odds": pl.Float64})),
}
CLASSES = ["low", "middle", "high"]


def test_table_of_a_small_world(world) -> None:
    frame = pl.concat([world.given.head(300), world.items])
    labels = refine(frame, CLASSES, ordinal=True, options=world.options, clip_ids=["silent"])
    table = labels.table
    assert dict(table.schema) == SCHEMA
    assert table["clip_id"].to_list() == sorted(table["clip_id"])
    labelled, unlabelled = table.head(300), table.tail(101)
    for column in ("label_given", "reliability", "reliability_split"):
        assert labelled[column].null_count() == 0
        assert unlabelled[column].null_count() == 101
    for column in ("pseudo_label", "pseudo_confidence", "pseudo_accepted"):
        assert labelled[column].null_count() == 300
        assert unlabelled[column].null_count() == 0
    assert unlabelled["pseudo_label"].to_list() == unlabelled["label_refined"].to_list()
    assert (table["confidence"] - table["posterior"].list.max()).abs().max() < 1e-12
    assert labels.classes == tuple(CLASSES)
    assert labels.ordinal


def test_high_reliability_means_fewer_wrong_labels(world) -> None:
    frame = pl.concat([world.given, world.items])
    table = refine(frame, CLASSES, options=world.options).table
    right = table["label_given"] == pl.Series([CLASSES[code] for code in world.truth])
    high = table["reliability_split"] == "high"
    assert right.filter(high).mean() > right.mean() + 0.1 > right.filter(~high).mean()


def test_quota_keeps_the_mix_of_given_classes(world) -> None:
    frame = pl.concat([world.given, world.items])
    table = refine(frame, CLASSES, options=world.options, settings=Settings(rule="quota", quota=0.5)).table
    shares = table.group_by("label_given").agg((pl.col("reliability_split") == "high").mean().alias("share"))
    assert shares["share"].to_list() == pytest.approx([0.5] * 3, abs=0.01)


def test_a_clip_about_which_nothing_is_said_is_never_accepted() -> None:
    frame = pl.DataFrame({"clip_id": ["1"], "instrument": ["given"], "outcome": ["a"]})
    table = refine(frame, ["a", "b"], clip_ids=["2"], settings=Settings(pseudo_threshold=0.0)).table
    silent = table.row(1, named=True)
    assert silent["pseudo_accepted"] is False
    assert [reason["instrument"] for reason in silent["why"]] == ["prior"]


def test_coded_evidence_gives_the_same(world) -> None:
    evidence = evidence_from_frame(world.given, CLASSES)
    assert refine(evidence, CLASSES).table.equals(refine(world.given, CLASSES).table)
    with pytest.raises(InputError, match="classes: the evidence was coded for low, middle, high"):
        refine(evidence, ["low", "high"])


def test_no_clips() -> None:
    frame = pl.DataFrame(schema={"clip_id": pl.String, "instrument": pl.String, "outcome": pl.String})
    labels = refine(frame, ["a", "b"])
    assert dict(labels.table.schema) == SCHEMA
    assert labels.table.height == labels.instruments.height == labels.confusions.height == 0
