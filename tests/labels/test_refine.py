import numpy as np
import polars as pl
import pytest

from curate.errors import InputError
from curate.labels import Settings, evidence_from_frame
from curate.labels.refine import refine

SCHEMA = {
    "clip_id": pl.String,
    "label_given": pl.String,
    "posterior": pl.List(pl.Float64),
    "soft_label": pl.List(pl.Float32),
    "label_refined": pl.String,
    "confidence": pl.Float64,
    "expected_value": pl.Float64,
    "spread": pl.Float64,
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


def test_gold_is_learned_and_measured(world) -> None:
    frame = pl.concat([world.given, world.items])
    known = dict(zip(world.given["clip_id"].to_list(), [CLASSES[code] for code in world.truth], strict=True))
    some = dict(list(known.items())[:80])
    before = refine(frame, CLASSES, options=world.options)
    labels = refine(frame, CLASSES, options=world.options, gold=some)
    rest = pl.Series(list(known.values())[80:])
    right = [(one.table["label_refined"][80:] == rest).mean() for one in (before, labels)]
    assert right[1] > right[0] + 0.1  # the items tell more than one given label lets anybody know
    assert (
        labels.quality.refined.low
        <= (labels.table["label_refined"] == pl.Series(list(known.values()))).mean()
    )
    assert labels.table["label_refined"][:80].to_list() == list(some.values())
    assert before.quality is None
    assert before.learned is None


def test_going_on_from_earlier_labels_leads_to_the_same(world) -> None:
    frame = pl.concat([world.given, world.items])
    first = refine(frame.head(frame.height - 200), CLASSES, options=world.options)
    again = refine(frame, CLASSES, options=world.options)
    later = refine(frame, CLASSES, options=world.options, earlier=first.fitted)
    gap = np.abs(np.array(again.table["posterior"].to_list()) - np.array(later.table["posterior"].to_list()))
    assert gap.max() < 0.01


def test_ordered_classes_have_a_place_and_a_spread(world) -> None:
    frame = pl.concat([world.given, world.items])
    table = refine(frame, CLASSES, ordinal=True, options=world.options).table
    posterior = np.array(table["posterior"].to_list())
    assert table["expected_value"].to_numpy() == pytest.approx(posterior @ np.arange(3))
    assert refine(frame, CLASSES, options=world.options).table["spread"].is_null().all()


def test_machines_alone_are_never_certified_without_gold(world) -> None:
    frame = world.given.with_columns(kind=pl.lit("vlm"), instrument=pl.lit("a model"))
    assert "uncertified" in [one.code for one in refine(frame, CLASSES).cautions]
    gold = {world.given["clip_id"][0]: CLASSES[world.truth[0]]}
    assert "uncertified" not in [one.code for one in refine(frame, CLASSES, gold=gold).cautions]


def test_votes_can_be_the_soft_labels() -> None:
    rows = [("c", f"p{i}", "a" if i < 7 else "b") for i in range(10)] + [("d", "p0", "a")]
    frame = pl.DataFrame(rows, schema=["clip_id", "instrument", "outcome"], orient="row")
    table = refine(frame, ["a", "b"], settings=Settings(soft="votes", soft_votes=8)).table
    assert table["soft_label"][0].to_list() == pytest.approx([0.7, 0.3])  # 7 of 10
    assert table["soft_label"][1].to_list() == pytest.approx(table["posterior"][1].to_list(), abs=1e-6)
