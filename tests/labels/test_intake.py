import polars as pl
import pytest

from curate.errors import InputError
from curate.labels.evidence import UNSEEN as UNSEEN_HERE
from curate.labels.intake import evidence_from_frame
from curate.questionnaire import UNSEEN


def rows(evidence) -> list[tuple[str, str, str, float]]:
    return [
        (
            evidence.clip_ids[item],
            evidence.instruments[instrument].name,
            evidence.instruments[instrument].options[option],
            weight,
        )
        for item, instrument, option, weight in zip(
            evidence.item,
            evidence.instrument,
            evidence.option,
            evidence.weight.round(9).tolist(),
            strict=True,
        )
    ]


def test_unseen_has_one_name_in_all_of_curate() -> None:
    assert UNSEEN_HERE == UNSEEN


def test_three_columns_are_enough() -> None:
    frame = pl.DataFrame({"clip_id": ["1", "1"], "instrument": ["given", "ann"], "outcome": ["b", "a"]})
    evidence = evidence_from_frame(frame, ["a", "b"])
    assert [(i.name, i.kind) for i in evidence.instruments] == [("ann", "human"), ("given", "given")]
    assert rows(evidence) == [("1", "ann", "a", 1.0), ("1", "given", "b", 1.0)]


def test_repeated_votes_of_one_person_share_one_vote() -> None:
    frame = pl.DataFrame({"clip_id": ["1"] * 3, "instrument": ["ann"] * 3, "outcome": ["a", "b", "a"]})
    assert rows(evidence_from_frame(frame, ["a", "b"])) == [
        ("1", "ann", "a", pytest.approx(2 / 3)),
        ("1", "ann", "b", pytest.approx(1 / 3)),
    ]


def test_counts_are_so_many_people() -> None:
    frame = pl.DataFrame(
        {"clip_id": ["1", "1"], "instrument": ["crowd"] * 2, "outcome": ["a", "b"], "count": [7, 0]}
    )
    assert rows(evidence_from_frame(frame, ["a", "b"])) == [("1", "crowd", "a", 7.0)]


def test_probabilities_are_divided_votes() -> None:
    frame = pl.DataFrame(
        {"clip_id": ["1"], "instrument": ["item:x"], "kind": ["vlm"], "probs": [[0.25, 0.75, 0.0]]}
    )
    evidence = evidence_from_frame(
        frame, ["a", "b"], options={"item:x": ["never", "often", "cannot be seen"]}
    )
    assert rows(evidence) == [("1", "item:x", "never", 0.25), ("1", "item:x", "often", 0.75)]


def test_options_listed_in_another_order_are_brought_into_class_order() -> None:
    frame = pl.DataFrame({"clip_id": ["1"], "instrument": ["net"], "kind": ["model"], "probs": [[0.9, 0.1]]})
    evidence = evidence_from_frame(frame, ["a", "b"], options={"net": ["b", "a"]})
    assert evidence.instruments[0].options == ("a", "b")
    assert rows(evidence) == [("1", "net", "a", 0.1), ("1", "net", "b", 0.9)]


def test_an_instrument_that_is_not_listed_has_what_it_was_seen_to_answer() -> None:
    frame = pl.DataFrame(
        {
            "clip_id": ["1", "2", "1"],
            "instrument": ["item:x", "item:x", "llm"],
            "kind": ["vlm", "vlm", "model"],
            "outcome": ["often", "never", "b"],
        }
    )
    evidence = evidence_from_frame(frame, ["a", "b"])
    assert [i.options for i in evidence.instruments] == [("never", "often"), ("a", "b")]
    assert [i.group for i in evidence.instruments] == ["item:x", "model"]


def test_abstentions_say_nothing_but_the_clip_stays() -> None:
    frame = pl.DataFrame({"clip_id": ["1", "2"], "instrument": ["ann"] * 2, "outcome": [None, "a"]})
    evidence = evidence_from_frame(frame, ["a", "b"], clip_ids=["0"])
    assert evidence.clip_ids == ("0", "1", "2")
    assert rows(evidence) == [("2", "ann", "a", 1.0)]


def test_every_problem_at_once() -> None:
    frame = pl.DataFrame(
        {
            "clip_id": ["1", "1", "2", None, "3", "3", "4"],
            "instrument": ["ann", "ann", "ann", "bob", "net", "net", "eve"],
            "kind": ["human", "human", "human", "human", "model", "model", "robot"],
            "outcome": ["Happy ", "glum", "glum", "sad", None, None, "sad"],
            "probs": [None, None, None, None, [0.5, 0.4], [1.5, -0.5], None],
        }
    )
    with pytest.raises(InputError) as caught:
        evidence_from_frame(frame, ["happy", "sad"])
    assert str(caught.value) == (
        "evidence: 6 to fix\n"
        "  - row 4: has no clip_id. Fill it in or drop the row\n"
        "  - row 7: kind is not one of given, human, vlm, model\n"
        "  - row 6: probs holds a negative number\n"
        "  - row 5: probs does not sum to 1. Divide it by its sum\n"
        "  - row 1, instrument ann: 'Happy ' is not one of happy, sad. Did you mean happy?\n"
        "  - row 2, instrument ann: 'glum' is not one of happy, sad; 2 rows say it. "
        "Rename it, or leave it empty to abstain"
    )


def test_probs_of_the_wrong_length_and_two_given_instruments() -> None:
    frame = pl.DataFrame(
        {
            "clip_id": ["1", "1", "1"],
            "instrument": ["g1", "g2", "net"],
            "kind": ["given", "given", "model"],
            "outcome": ["a", "b", None],
            "probs": [None, None, [0.5, 0.25, 0.25]],
        }
    )
    with pytest.raises(InputError) as caught:
        evidence_from_frame(frame, ["a", "b"])
    assert str(caught.value) == (
        "evidence: 2 to fix\n"
        "  - row 3: probs has not one number per option\n"
        "  - instruments: 2 are given: g1, g2. Keep one"
    )


def test_missing_columns_and_classes() -> None:
    with pytest.raises(InputError) as caught:
        evidence_from_frame(pl.DataFrame({"clip": ["1"]}), ["a", "a"])
    assert str(caught.value) == (
        "evidence: 4 to fix\n"
        "  - classes: 'a' is listed twice. List each class once\n"
        "  - column clip_id: missing; found clip. Add it\n"
        "  - column instrument: missing; found clip. Add it\n"
        "  - column outcome: neither outcome nor probs is there. Add one of them"
    )


def test_a_given_label_is_a_class() -> None:
    frame = pl.DataFrame({"clip_id": ["1"], "instrument": ["given"], "outcome": ["x"]})
    with pytest.raises(
        InputError, match=r"instrument given: is given, its options are x, y\. List the classes"
    ):
        evidence_from_frame(frame, ["a", "b"], options={"given": ["x", "y"]})


def test_columns_of_the_wrong_type() -> None:
    frame = pl.DataFrame(
        {"clip_id": [1], "instrument": [2], "outcome": ["a"], "probs": ["0.5 0.5"], "count": ["3"]}
    )
    with pytest.raises(InputError) as caught:
        evidence_from_frame(frame, ["a", "b"])
    assert str(caught.value) == (
        "evidence: 2 to fix\n"
        "  - column probs: is String, a list of numbers expected\n"
        "  - column count: is String, a number expected"
    )


def test_numbers_serve_as_names() -> None:
    frame = pl.DataFrame({"clip_id": [1], "instrument": [2], "outcome": [0]})
    assert rows(evidence_from_frame(frame, ["0", "1"])) == [("1", "2", "0", 1.0)]


def test_an_instrument_of_two_kinds() -> None:
    frame = pl.DataFrame(
        {"clip_id": ["1", "2"], "instrument": ["x"] * 2, "kind": ["human", "model"], "outcome": ["a", "a"]}
    )
    with pytest.raises(InputError, match="instrument x: has more than one kind"):
        evidence_from_frame(frame, ["a", "b"])
