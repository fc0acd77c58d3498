import numpy as np
import polars as pl
import pytest

from curate.labels.evidence import UNSEEN, Evidence
from curate.labels.intake import evidence_from_frame


@pytest.fixture
def evidence() -> Evidence:
    """Two clips; ann votes on both, an item is answered on the second."""
    frame = pl.DataFrame(
        {
            "clip_id": ["b", "a", "b"],
            "instrument": ["item:x", "ann", "ann"],
            "kind": ["vlm", "human", "human"],
            "outcome": ["often", "no", "yes"],
        }
    )
    return evidence_from_frame(
        frame, ["no", "yes"], options={"item:x": ["rarely", "often", "cannot be seen"]}
    )


def test_options_stand_side_by_side(evidence: Evidence) -> None:
    # ann has columns 0-1 (no, yes), item:x has 2-4.
    assert [i.name for i in evidence.instruments] == ["ann", "item:x"]
    assert evidence.offsets.tolist() == [0, 2, 5]
    assert evidence.matrix().toarray().tolist() == [[1, 0, 0, 0, 0], [0, 1, 0, 1, 0]]


def test_scaled_matrix(evidence: Evidence) -> None:
    assert evidence.matrix(np.array([1, 2, 3])).toarray()[1].tolist() == [0, 2, 0, 3, 0]


def test_only_class_valued_instruments_vote(evidence: Evidence) -> None:
    assert evidence.is_class_valued.tolist() == [True, False]
    assert evidence.is_machine.tolist() == [False, True]
    assert evidence.class_votes().tolist() == [[1, 0], [0, 1]]
    assert evidence.class_votes(np.array([1, 7, 1, 1, 1])).tolist() == [[1, 0], [0, 7]]


def test_find(evidence: Evidence) -> None:
    assert evidence.find("vlm") == [1]
    assert evidence.find("given") == []


def test_unseen_rows(evidence: Evidence) -> None:
    assert evidence.is_unseen.tolist() == [False, False, False]
    frame = pl.DataFrame(
        {
            "clip_id": ["a", "a"],
            "instrument": ["ann", "item:x"],
            "kind": ["human", "vlm"],
            "outcome": ["no", UNSEEN],
        }
    )
    options = {"item:x": ["rarely", "often", UNSEEN]}
    assert evidence_from_frame(frame, ["no", "yes"], options=options).is_unseen.tolist() == [False, True]


def test_nothing_said() -> None:
    frame = pl.DataFrame({"clip_id": ["a"], "instrument": ["ann"], "outcome": [None]})
    silent = evidence_from_frame(frame, ["no", "yes"])
    assert silent.matrix().toarray().tolist() == [[0, 0]]
    assert silent.class_votes().tolist() == [[0, 0]]
    assert silent.is_unseen.tolist() == []
