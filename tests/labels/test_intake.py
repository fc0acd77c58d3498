import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import InputError
from curate.labels.evidence import UNSEEN as UNSEEN_HERE
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit
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


def votes(*triples: tuple[str | None, str | None, str | None], **columns: object) -> pl.DataFrame:
    clips, names, outcomes = zip(*triples, strict=True) if triples else ((), (), ())
    columns = {"clip_id": clips, "instrument": names, "outcome": outcomes, **columns}
    return pl.DataFrame(
        columns, schema_overrides=dict.fromkeys(("clip_id", "instrument", "outcome"), pl.String)
    )


def problems(frame: pl.DataFrame, classes: object = ("a", "b"), **keywords: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        evidence_from_frame(frame, classes, **keywords)
    return [str(problem) for problem in caught.value.problems]


answers = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["ann", "bob", "eve"]),
        st.one_of(st.none(), st.sampled_from(["a", "b", UNSEEN])),
        st.one_of(st.none(), st.sampled_from([0.0, 0.5, 3.0])),
        st.one_of(st.none(), st.sampled_from([[1.0, 0.0], [0.3, 0.7]])),
    ),
    max_size=12,
)
SCHEMA = {
    "clip_id": pl.String,
    "instrument": pl.String,
    "outcome": pl.String,
    "count": pl.Float64,
    "probs": pl.List(pl.Float64),
}


@given(answers, st.randoms(use_true_random=False))
def test_weights_are_what_the_docstring_says_in_any_order(drawn: list, rnd) -> None:
    """The whole reckoning again, answer by answer."""
    expected: dict[tuple[str, str, str], float] = {}
    spoken = [row for row in drawn if row[4] or row[2] in ("a", "b")]
    for clip, name, outcome, count, probs in spoken:
        own = 1 / sum(row[:2] == (clip, name) for row in spoken)
        vote = own if count is None else count
        for option, share in zip("ab", probs or [float(outcome == "a"), float(outcome == "b")], strict=True):
            key = (clip, name, option)
            expected[key] = expected.get(key, 0.0) + vote * share
    rnd.shuffle(drawn)
    found = rows(evidence_from_frame(pl.DataFrame(drawn, schema=SCHEMA, orient="row"), ["a", "b"]))
    assert [row[:3] for row in found] == sorted(key for key, weight in expected.items() if weight > 0)
    assert [row[3] for row in found] == pytest.approx([expected[row[:3]] for row in found], abs=1e-8)


def test_the_type_of_the_columns_does_not_matter() -> None:
    frame = votes(("10", "2", "1"), ("9", "2", "0"), ("9", None, None)).head(2)
    whole = frame.cast(pl.Int64)
    as_text = rows(evidence_from_frame(frame, ["0", "1"]))
    assert as_text == [("10", "2", "1", 1.0), ("9", "2", "0", 1.0)]
    assert rows(evidence_from_frame(whole, ["0", "1"])) == as_text
    assert rows(evidence_from_frame(frame.cast(pl.Categorical), ["0", "1"])) == as_text
    enum = pl.Enum(["9", "2", "1", "0", "10"])
    assert rows(evidence_from_frame(frame.cast(enum), ["0", "1"], clip_ids=["10"])) == as_text


def test_a_person_may_spread_a_vote() -> None:
    frame = votes(("1", "ann", None), ("1", "ann", "b"), probs=[[0.5, 0.5], None])
    # Half a vote is spread, half is for b: 0.25 and 0.25 + 0.5.
    assert rows(evidence_from_frame(frame, ["a", "b"])) == [("1", "ann", "a", 0.25), ("1", "ann", "b", 0.75)]


def test_cannot_be_seen_is_an_abstention_where_classes_are_the_answer() -> None:
    frame = votes(("1", "vlm", UNSEEN), ("2", "vlm", "a"), ("3", "ann", UNSEEN), kind=["vlm", "vlm", "human"])
    evidence = evidence_from_frame(frame, ["a", "b"])
    assert [i.options for i in evidence.instruments] == [("a", "b"), ("a", "b")]
    assert evidence.clip_ids == ("1", "2", "3")
    assert rows(evidence) == [("2", "vlm", "a", 1.0)]


def test_cannot_be_seen_among_listed_classes_takes_its_part_of_the_vote_away() -> None:
    frame = votes(("1", "vlm", None), ("2", "vlm", UNSEEN), kind=["vlm"] * 2, probs=[[0.2, 0.3, 0.5], None])
    evidence = evidence_from_frame(frame, ["a", "b"], options={"vlm": ["b", UNSEEN, "a"]})
    assert evidence.instruments[0].options == ("a", "b")
    assert evidence.instruments[0].group == "vlm"
    assert rows(evidence) == [("1", "vlm", "a", 0.5), ("1", "vlm", "b", 0.2)]


def test_cannot_be_seen_is_an_option_of_an_item() -> None:
    frame = votes(("1", "item:x", UNSEEN), ("2", "item:x", "often"), kind=["vlm"] * 2)
    assert rows(evidence_from_frame(frame, ["a", "b"])) == [
        ("1", "item:x", UNSEEN, 1.0),
        ("2", "item:x", "often", 1.0),
    ]


def test_a_class_that_was_forgotten_is_one_problem() -> None:
    said = [(str(clip), f"ann{clip % 4}", "sad" if clip % 3 else "a") for clip in range(12)]
    # Clips 1, 2, 4, 5, 7, 8, 10, 11 are sad: eight rows, by people 0 to 3.
    assert problems(votes(*said)) == [
        "row 2: 'sad' is not one of a, b; said by 4 instruments in 8 rows. "
        "Rename it, or leave it empty to abstain"
    ]


def test_a_flood_of_problems_is_cut_short() -> None:
    told = problems(votes(*((str(n), "ann", f"word {n}") for n in range(1000))))
    assert told[0].startswith("row 1, instrument ann: 'word 0' is not one of a, b.")
    assert told[10:] == ["and: 990 more of this sort"]
    mixed = votes(*((str(n // 2), f"ann{n // 2}", "a") for n in range(60)), kind=["human", "vlm"] * 30)
    assert problems(mixed)[10:] == ["and: 20 more of this sort"]
    many = [f"class {n}" for n in range(30)]
    assert (
        "class 8, class 9 and 20 more. Did you mean class 2?"
        in problems(votes(("1", "ann", "Class 2")), many)[0]
    )


@pytest.mark.parametrize(
    ("probs", "told"),
    [
        ([0.5, 0.6], "row 1: probs does not sum to 1. Divide it by its sum"),
        ([0.0, 0.0], "row 1: probs does not sum to 1. Divide it by its sum"),
        ([1.5, -0.5], "row 1: probs holds a negative number"),
        ([1.0, None], "row 1: probs is not finite"),
        ([1.0, float("nan")], "row 1: probs is not finite"),
        ([1.0], "row 1: probs has not one number per option"),
        ([1.0, 0.0, 0.0], "row 1: probs has not one number per option"),
    ],
)
def test_bad_probabilities(probs: list[float | None], told: str) -> None:
    assert problems(votes(("1", "net", None), kind=["model"], probs=[probs])) == [told]


def test_no_probabilities_at_all_are_still_the_wrong_number() -> None:
    frame = votes(("1", "net", None)).with_columns(probs=pl.Series([[]], dtype=pl.List(pl.Float64)))
    assert "row 1: probs has not one number per option" in problems(frame)


@pytest.mark.parametrize("count", [-1.0, float("nan"), float("inf")])
def test_bad_counts(count: float) -> None:
    assert problems(votes(("1", "crowd", "a"), count=[count])) == ["row 1: count is negative or not a number"]


def test_bad_classes_and_directions() -> None:
    frame = votes(("1", "ann", "a"))
    assert problems(frame, "ab") == ["classes: 'ab' is one text, a list expected. List every class"]
    assert problems(frame, [1, 2]) == ["classes: 1 is not text. Write every class as text"]
    assert problems(frame, ["a"]) == ["classes: 1 found, at least 2 expected. List every class"]
    assert problems(frame, directions={"x": 2}) == ["direction of x: is 2, one of -1, 0, 1 expected"]
    assert problems(frame.with_columns(probs=pl.Series([["a"]]))) == [
        "column probs: is List(String), a list of numbers expected"
    ]


def test_rows_without_ids() -> None:
    assert problems(votes((None, None, "a"), (None, "ann", "a"))) == [
        "row 1 (and 1 more): has no clip_id. Fill it in or drop the row",
        "row 1: has no instrument. Fill it in or drop the row",
    ]


def test_no_rows_at_all() -> None:
    evidence = evidence_from_frame(votes(), ["a", "b"])
    assert (evidence.clip_ids, evidence.instruments, rows(evidence)) == ((), (), [])
    assert fit(evidence).probabilities.shape == (0, 2)


def test_clips_about_which_nothing_is_said_are_as_likely_as_the_classes() -> None:
    evidence = evidence_from_frame(votes(("1", "ann", "a"), ("2", "ann", None)), ["a", "b"], clip_ids=["3"])
    probabilities = fit(evidence).probabilities
    assert probabilities[1] == pytest.approx(probabilities[2])
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(3))


def test_everybody_says_the_same_class() -> None:
    evidence = evidence_from_frame(votes(*((str(n), f"ann{n % 3}", "a") for n in range(30))), ["a", "b"])
    probabilities = fit(evidence).probabilities
    assert np.isfinite(probabilities).all()
    assert (probabilities[:, 0] > 0.5).all()


def test_one_instrument_alone_is_believed_but_not_wholly() -> None:
    evidence = evidence_from_frame(votes(*((str(n), "ann", "ab"[n % 2]) for n in range(30))), ["a", "b"])
    probabilities = fit(evidence).probabilities
    assert probabilities.argmax(axis=1).tolist() == evidence.option.tolist()
    assert probabilities.max() < 1


def test_names_that_look_odd_are_kept() -> None:
    odd = ["", " ", "a|b", "é", "😀", "null", "-1"]
    evidence = evidence_from_frame(votes(*((name, name, "a") for name in odd)), ["a", "b"])
    assert evidence.clip_ids == tuple(sorted(odd))
    assert tuple(i.name for i in evidence.instruments) == tuple(sorted(odd))


def test_a_great_many_people_with_one_vote_each() -> None:
    n = 100_000
    numbers = pl.Series(range(n))
    frame = pl.DataFrame(
        {
            "clip_id": (numbers // 4).cast(pl.String),
            "instrument": numbers.cast(pl.String),
            "outcome": (numbers % 2 == 0).replace_strict({True: "a", False: "b"}, return_dtype=pl.String),
        }
    )
    evidence = evidence_from_frame(frame, ["a", "b"])
    assert (len(evidence.instruments), evidence.n_items, len(evidence.item)) == (n, n // 4, n)
    assert (evidence.class_votes() == 2).all()  # of each four people in a row, two say a
    assert len({id(i.options) for i in evidence.instruments}) == 1  # one list of options for all
