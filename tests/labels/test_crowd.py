import numpy as np
import polars as pl
import pytest

from curate.labels.crowd import with_crowds
from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit

VOTES = [
    ("1", "ann", "a"),
    ("1", "bob", "a"),
    ("1", "cem", "b"),
    ("2", "ann", "b"),
    ("2", "dan", "b"),
    ("3", "ann", "a"),
    ("3", "bob", "a"),
]
"""Ann answered three clips, Bob two, Cem and Dan one each; a model answered one."""


@pytest.fixture
def evidence() -> Evidence:
    frame = pl.DataFrame(VOTES, schema=["clip_id", "instrument", "outcome"], orient="row")
    model = pl.DataFrame({"clip_id": ["1"], "instrument": ["net"], "outcome": ["a"], "kind": ["model"]})
    return evidence_from_frame(pl.concat([frame.with_columns(kind=pl.lit("human")), model]), ["a", "b"])


def names(evidence: Evidence) -> list[str]:
    return [instrument.name for instrument in evidence.instruments]


def rows(evidence: Evidence) -> list[tuple[str, str, str, float]]:
    columns = (evidence.item, evidence.instrument, evidence.option, evidence.weight)
    return [
        (evidence.clip_ids[item], names(evidence)[instrument], evidence.classes[option], weight)
        for item, instrument, option, weight in zip(*(column.tolist() for column in columns), strict=True)
    ]


def test_what_fits_is_left_alone(evidence: Evidence) -> None:
    # Five instruments of two options, two classes: 20 cells.
    assert with_crowds(evidence, 20) is evidence


def test_those_with_fewest_answers_join_until_the_rest_fits(evidence: Evidence) -> None:
    assert names(with_crowds(evidence, 19)) == ["ann", "bob", "net", "others of human"]
    assert names(with_crowds(evidence, 11)) == ["ann", "net", "others of human"]
    assert names(with_crowds(evidence, 0)) == ["net", "others of human"]


def test_votes_of_a_crowd_add_up(evidence: Evidence) -> None:
    assert rows(with_crowds(evidence, 11)) == [
        ("1", "ann", "a", 1.0),
        ("1", "net", "a", 1.0),
        ("1", "others of human", "a", 1.0),
        ("1", "others of human", "b", 1.0),
        ("2", "ann", "b", 1.0),
        ("2", "others of human", "b", 1.0),
        ("3", "ann", "a", 1.0),
        ("3", "others of human", "a", 1.0),
    ]
    everybody = with_crowds(evidence, 0)
    assert everybody.class_votes().tolist() == evidence.class_votes().tolist()
    assert max(everybody.weight) == 2.0  # Ann and Bob on the first clip


def test_each_group_has_its_crowd_and_no_name_is_taken_twice() -> None:
    frame = pl.DataFrame(
        {
            "clip_id": ["1", "1", "1", "2"],
            "instrument": ["ann", "bob", "others of x", "others of x"],
            "outcome": ["a", "b", "a", "a"],
            "group": ["x", "y", "x", "x"],
        }
    )
    crowds = with_crowds(evidence_from_frame(frame, ["a", "b"]), 4)
    assert names(crowds) == ["other others of x", "others of x", "others of y"]


def test_a_million_people_with_one_vote_each_are_one_crowd() -> None:
    """As many as that, in small: the limit is what is lowered."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 400)
    clip = np.repeat(np.arange(400), 5)
    said = np.where(rng.random(2000) < 0.7, truth[clip], rng.integers(0, 3, 2000))
    frame = pl.DataFrame({"clip_id": clip, "instrument": np.arange(2000), "outcome": said}).with_columns(
        pl.col("clip_id").cast(pl.String).str.zfill(3)
    )
    crowd = with_crowds(evidence_from_frame(frame, ["0", "1", "2"]), 1000)
    assert names(crowd) == ["others of human"]
    found = fit(crowd).probabilities.argmax(axis=1)
    majority = crowd.class_votes().argmax(axis=1)
    assert (found == truth).mean() >= (majority == truth).mean() - 0.01
