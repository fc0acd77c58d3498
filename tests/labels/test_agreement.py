import numpy as np
import polars as pl
import pytest

from curate.labels.agreement import agreement_share
from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame
from curate.labels.reliability import given_codes

# Smiles are met with "happy", frowns with "sad"; c3 is called happy and frowns.
ROWS = [
    ("c0", "given", "given", "happy"),
    ("c0", "mouth", "vlm", "smile"),
    ("c1", "given", "given", "happy"),
    ("c1", "mouth", "vlm", "smile"),
    ("c2", "given", "given", "sad"),
    ("c2", "mouth", "vlm", "frown"),
    ("c3", "given", "given", "happy"),
    ("c3", "mouth", "vlm", "frown"),
    ("c3", "p", "human", "happy"),
    ("c4", "given", "given", "sad"),
    ("c5", "mouth", "vlm", "smile"),
    ("c6", "given", "given", "sad"),
    ("c6", "mouth", "vlm", "cannot be seen"),
]


@pytest.fixture
def evidence() -> Evidence:
    frame = pl.DataFrame(ROWS, schema=["clip_id", "instrument", "kind", "outcome"], orient="row")
    return evidence_from_frame(frame, ["happy", "sad"])


def test_answers_support_the_labels_they_are_met_with(evidence: Evidence) -> None:
    shares = agreement_share(evidence, given_codes(evidence))
    # "smile" is met with happy in 2 of 3, with sad in 0 of 1: it speaks for happy; "frown" for sad.
    # On c3 the person agrees and the mouth does not: 1 of 2.
    assert shares[:4] == pytest.approx([1, 1, 1, 0.5])


def test_without_a_label_or_an_answer_there_is_no_share(evidence: Evidence) -> None:
    assert np.isnan(agreement_share(evidence, given_codes(evidence))[4:]).all()
