import numpy as np
import polars as pl
import pytest

from curate.errors import InputError
from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.known import drawn_as_told, gold_codes, group_codes, is_drawn
from curate.labels.refine import refine
from curate.labels.settings import Drawn, Settings


@pytest.fixture
def evidence() -> Evidence:
    frame = pl.DataFrame({"clip_id": ["x", "y", "z"], "instrument": "p", "outcome": ["happy", "sad", "sad"]})
    return evidence_from_frame(frame, ["happy", "sad"])


def test_gold_by_clip(evidence: Evidence) -> None:
    assert gold_codes(evidence, {"y": "happy", "elsewhere": "sad"}).tolist() == [-1, 0, -1]
    table = pl.DataFrame({"clip_id": ["z", "x"], "label": ["sad", None]})
    assert gold_codes(evidence, table).tolist() == [-1, -1, 1]
    assert gold_codes(evidence, None).tolist() == [-1, -1, -1]


def test_gold_that_contradicts_itself_and_gold_outside_the_classes_are_told_at_once(
    evidence: Evidence,
) -> None:
    table = pl.DataFrame({"clip_id": ["x", "x", "y"], "label": ["happy", "sad", "Hapy"]})
    with pytest.raises(InputError) as caught:
        gold_codes(evidence, table)
    told = str(caught.value)
    assert "clip x: has 2 gold labels: happy, sad. Keep one" in told
    assert "label 'Hapy': is not one of happy, sad; 1 clips have it. Did you mean happy?" in told


def test_gold_said_twice_alike_is_no_contradiction(evidence: Evidence) -> None:
    table = pl.DataFrame({"clip_id": ["x", "x"], "label": ["happy", "happy"]})
    assert gold_codes(evidence, table).tolist() == [0, -1, -1]


def test_a_table_without_its_columns(evidence: Evidence) -> None:
    with pytest.raises(InputError, match="column label: missing; found clip_id, gold"):
        gold_codes(evidence, pl.DataFrame({"clip_id": ["x"], "gold": ["happy"]}))


def test_many_problems_are_not_all_listed(evidence: Evidence) -> None:
    rows = [(f"c{i}", label) for i in range(30) for label in ("happy", "sad")]
    with pytest.raises(InputError, match="20 more have several gold labels"):
        gold_codes(evidence, pl.DataFrame(rows, schema=["clip_id", "label"], orient="row"))


def test_groups_are_told_apart_from_clips_of_the_same_name(evidence: Evidence) -> None:
    # x and y are of subject "z"; clip z is of no group, though it bears the subject's name.
    assert group_codes(evidence, {"x": "z", "y": "z"}).tolist() == [0, 0, 1]
    assert group_codes(evidence, None).tolist() == [0, 1, 2]


AT_RANDOM = {"at_random": pl.Boolean}


def drawn(at_random: list[bool | None], told: Drawn = "unknown") -> list[bool]:
    """Whether the gold of each of some clips may measure."""
    ids = [f"c{place}" for place in range(len(at_random))]
    said = pl.DataFrame({"clip_id": ids, "instrument": "given", "kind": "given", "outcome": "a"})
    evidence = evidence_from_frame(said, ("a", "b"))
    gold = pl.DataFrame({"clip_id": ids, "label": "a", "at_random": at_random}, schema_overrides=AT_RANDOM)
    return is_drawn(evidence, gold, Settings(drawn=told)).tolist()


def test_gold_that_was_drawn_measures_alone_where_there_is_some() -> None:
    assert drawn([None, None]) == [True, True]
    assert drawn([True, False, None]) == [True, False, False]
    # What the recipe says of its own file holds beside it.
    assert drawn([True, False, None], "at random") == [True, False, True]
    # Chosen by somebody, and nothing drawn: what nothing is known of is taken as before.
    assert drawn([False, None]) == [False, True]


def test_a_draw_that_is_told_need_not_be_assumed() -> None:
    some = pl.DataFrame({"clip_id": ["c"], "label": ["a"], "at_random": [True]})
    assert drawn_as_told(Settings(), some).drawn == "at random"
    assert drawn_as_told(Settings(), some.with_columns(at_random=False)).drawn == "unknown"
    assert drawn_as_told(Settings(), {"c": "a"}).drawn == "unknown"


def test_chosen_gold_teaches_and_does_not_measure() -> None:
    """Gold of the doubtful clips alone would make the labels look worse than they are."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=300)
    wrong = rng.random(300) < 0.2
    ids = [f"c{place:03}" for place in range(300)]
    names = np.array(["a", "b"])
    said = pl.DataFrame(
        {"clip_id": ids, "instrument": "given", "kind": "given", "outcome": names[truth ^ wrong]}
    )
    people = [
        pl.DataFrame(
            {
                "clip_id": ids,
                "instrument": f"vote:{who}",
                "kind": "human",
                "outcome": names[truth ^ (rng.random(300) < 0.15)],
            }
        )
        for who in range(2)
    ]
    evidence = pl.concat([said, *people])
    chosen, random = np.flatnonzero(wrong), np.arange(0, 300, 5)
    gold = pl.DataFrame(
        {
            "clip_id": [ids[row] for row in {*chosen.tolist(), *random.tolist()}],
            "label": [names[truth[row]] for row in {*chosen.tolist(), *random.tolist()}],
            "at_random": [row % 5 == 0 for row in {*chosen.tolist(), *random.tolist()}],
        }
    )
    quality = refine(evidence, ("a", "b"), gold=gold).quality
    told = refine(evidence, ("a", "b"), gold=gold.drop("at_random")).quality
    assert quality is not None
    assert told is not None
    right = 1 - wrong.mean()
    assert quality.given.n_gold == len(random)
    assert quality.given.low < right < quality.given.high
    assert told.given.high < right  # every wrong one is among the gold, and most right ones are not
