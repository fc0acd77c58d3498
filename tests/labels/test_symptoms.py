import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.labels import Evidence, evidence_from_frame
from curate.labels.symptoms import skills, symptoms

CLASSES = ["x", "y"]


def votes(answers: list[str]) -> Evidence:
    """A row of votes for each clip, a letter for each person; "-" where a person said nothing."""
    rows = [
        (f"c{clip:03}", f"p{person}", outcome, "human")
        for clip, row in enumerate(answers)
        for person, outcome in enumerate(row)
        if outcome != "-"
    ]
    return evidence_from_frame(
        pl.DataFrame(rows, schema=["clip_id", "instrument", "outcome", "kind"], orient="row"), CLASSES
    )


def certain(labels: str) -> np.ndarray:
    return np.array([[label == name for name in CLASSES] for label in labels], dtype=np.float64)


def test_off_majority_and_single_votes_by_hand() -> None:
    # The second label is not what most say; the third and fourth are: a tie, and a single vote.
    found = symptoms(votes(["xxy", "xxy", "xy-", "y--"]), certain("xyxy"))
    assert found.off_majority == 1 / 4
    assert found.single_votes == 1 / 4


def test_skills_by_hand() -> None:
    # p0 is right on all four. p1 always says x, so its kappa is 0; right on two.
    accuracy, kappa, weight = skills(votes(["xx", "xx", "yx", "yx"]), certain("xxyy"))
    assert accuracy.tolist() == [1.0, 0.5]
    assert kappa.tolist() == [1.0, 0.0]
    assert weight.tolist() == [4.0, 4.0]
    often = symptoms(votes(["xx", "yx"] * 6), certain("xy" * 6))
    assert often.unskilled == 0.5
    # Four votes are too few to tell skill from luck.
    assert np.isnan(symptoms(votes(["xx", "xx", "yx", "yx"]), certain("xxyy")).unskilled)


@pytest.mark.parametrize(("alike", "low", "high"), [(False, -0.1, 0.1), (True, 0.8, 1.0)])
def test_correlation_tells_copies_from_opinions(alike: bool, low: float, high: float) -> None:
    """Five people, each right with .7: on their own, or all repeating the first."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    right = rng.random((400, 5)) < 0.7
    said = np.where(right[:, :1] if alike else right, truth[:, None], 1 - truth[:, None]) * np.ones(
        (1, 5), int
    )
    found = symptoms(
        votes(["".join("xy"[k] for k in row) for row in said]), certain("".join("xy"[k] for k in truth))
    )
    assert low < found.correlation < high


def test_without_votes_there_is_nothing_to_see() -> None:
    silent = evidence_from_frame(
        pl.DataFrame({"clip_id": ["a"], "instrument": ["p"], "outcome": [None], "kind": ["human"]}), CLASSES
    )
    found = symptoms(silent, np.full((1, 2), 0.5))
    assert np.isnan([found.off_majority, found.single_votes, found.unskilled, found.correlation]).all()


@given(st.integers(0, 100))
def test_names_and_order_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    answers = ["".join(row) for row in rng.choice(["x", "y", "-"], (12, 4), p=[0.4, 0.4, 0.2])]
    answers = [row.replace("-", "x", 1) if set(row) == {"-"} else row for row in answers]
    probabilities = rng.dirichlet([1, 1], 12)
    order, people = rng.permutation(12), rng.permutation(4)
    turned = str.maketrans("xy", "yx")
    moved = ["".join(answers[clip][person] for person in people).translate(turned) for clip in order]
    one, other = (
        symptoms(votes(answers), probabilities),
        symptoms(votes(moved), probabilities[order][:, ::-1]),
    )
    for name in ("off_majority", "single_votes", "unskilled", "correlation"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), nan_ok=True)
