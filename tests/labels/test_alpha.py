import numpy as np
import polars as pl
import pytest

from curate.labels.alpha import krippendorff_alpha
from curate.labels.evidence import Evidence
from curate.labels.intake import evidence_from_frame


def alpha(evidence: Evidence) -> float:
    return krippendorff_alpha(evidence, np.ones(len(evidence.item), dtype=bool)).alpha


def test_worked_example_of_the_source() -> None:
    # Krippendorff (2011), section C: twelve units, each a string of the values that observers gave.
    units = ["111", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "555", "11", "3"]
    rows = [
        (f"u{unit}", f"o{i}", value) for unit, values in enumerate(units) for i, value in enumerate(values)
    ]
    frame = pl.DataFrame(rows, schema=["clip_id", "instrument", "outcome"], orient="row")
    assert alpha(evidence_from_frame(frame, list("12345"))) == pytest.approx(0.743, abs=5e-4)


def test_a_tally_is_as_many_votes() -> None:
    people = pl.DataFrame(
        {
            "clip_id": ["c1"] * 3 + ["c2"] * 3,
            "instrument": ["p1", "p2", "p3"] * 2,
            "outcome": ["a", "a", "b", "b", "b", "b"],
        }
    )
    tally = (
        people.group_by("clip_id", "outcome").agg(count=pl.len()).with_columns(instrument=pl.lit("people"))
    )
    classes = ["a", "b"]
    assert alpha(evidence_from_frame(people, classes)) == pytest.approx(
        alpha(evidence_from_frame(tally, classes))
    )


def test_two_divided_votes_agree_by_the_product_of_their_weights() -> None:
    frame = pl.DataFrame(
        {"clip_id": ["c", "c", "d", "d"], "instrument": ["p", "q"] * 2, "probs": [[1.0, 0.0], [0.5, 0.5]] * 2}
    )
    # Each clip: p and q agree by 1 * .5 + 0 * .5 = .5. By chance: votes 3 and 1 of 4: 3 * 2 / (4 * 3) = .5.
    assert alpha(evidence_from_frame(frame, ["a", "b"])) == pytest.approx(0)


def test_single_votes_say_nothing_about_agreement() -> None:
    frame = pl.DataFrame({"clip_id": ["c", "d"], "instrument": ["p", "q"], "outcome": ["a", "b"]})
    found = krippendorff_alpha(evidence_from_frame(frame, ["a", "b"]), np.ones(2, dtype=bool))
    assert (found.alpha, found.n_clips) == (0.0, 0)
