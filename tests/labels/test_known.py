import polars as pl
import pytest

from curate.errors import InputError
from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.known import gold_codes, group_codes


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
