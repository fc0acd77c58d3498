import numpy as np
import polars as pl
import pytest

from curate.errors import InputError
from curate.labels.intake import evidence_from_frame
from curate.labels.start import smoothed_shares, starting_shares

OPTIONS = {"item:gaze": ["never", "sometimes", "always", "cannot be seen"]}


def items_only(*outcomes: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "clip_id": [str(i) for i in range(len(outcomes))],
            "instrument": "item:gaze",
            "kind": "vlm",
            "outcome": outcomes,
        }
    )


def test_smoothed_shares_by_hand() -> None:
    # Two votes for the first of two classes, one vote of smoothing: (2 + 1/2) / 3 and (0 + 1/2) / 3.
    assert smoothed_shares(np.array([[2.0, 0.0]]), 1.0)[0] == pytest.approx([5 / 6, 1 / 6])


def test_clips_without_votes_have_no_share_yet() -> None:
    frame = pl.DataFrame({"clip_id": ["1"], "instrument": ["ann"], "outcome": ["a"]})
    evidence = evidence_from_frame(frame, ["a", "b"], clip_ids=["2"])
    assert starting_shares(evidence, 1.0) == pytest.approx(np.array([[0.75, 0.25], [0, 0]]))


@pytest.mark.parametrize(("direction", "highest"), [(1, "always"), (-1, "never")])
def test_directions_give_the_classes_their_order(direction: int, highest: str) -> None:
    frame = items_only("never", "sometimes", "always", "cannot be seen")
    evidence = evidence_from_frame(
        frame, ["low", "high"], ordinal=True, options=OPTIONS, directions={"item:gaze": direction}
    )
    shares = starting_shares(evidence, 1.0)
    assert shares[:, 1].argmax() == ["never", "sometimes", "always"].index(highest)
    assert shares[1] == pytest.approx([0.5, 0.5])
    assert shares[3].tolist() == [0, 0]  # what cannot be seen has no height


@pytest.mark.parametrize(("ordinal", "direction"), [(False, 1), (True, 0)])
def test_without_votes_or_directions_nothing_tells_the_classes(ordinal: bool, direction: int) -> None:
    evidence = evidence_from_frame(
        items_only("never", "always"),
        ["low", "high"],
        ordinal=ordinal,
        options=OPTIONS,
        directions={"item:gaze": direction},
    )
    with pytest.raises(InputError) as caught:
        starting_shares(evidence, 1.0)
    assert str(caught.value) == (
        "evidence: 1 to fix\n"
        "  - instruments: none answers in the classes low, high, so nothing tells which clip is which. "
        "Add given labels, votes or a model's labels for some clips; or say that the classes are ordered "
        "and give at least one item a direction"
    )
