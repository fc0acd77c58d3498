import numpy as np
import polars as pl
import pytest

from curate import tables
from curate.answers.settle import place_prior, settle
from curate.questionnaire import UNSEEN, Item, Questionnaire
from curate.recipe import Answers, Controls

EYES = Item(id="eyes", ask="The eyes?", options=("closed", "half", "wide"), why="w")
MOUTH = Item(id="mouth", ask="The mouth?", options=("yawn", "smile"), why="w", scale="nominal")
QUESTIONS = Questionnaire(name="q", about="Cues.", items=(EYES, MOUTH))
POSITION = Answers(debias="position", permutations=0.5)
PLAIN = Answers()


def row(
    clip: int,
    told: list[float] | None,
    *,
    item: str = "eyes",
    variant: str = "base",
    control: str = "none",
    source: str | None = "logprobs",
) -> dict[str, object]:
    return {
        "clip_id": f"{clip:016x}",
        "item": item,
        "variant": variant,
        "control": control,
        "outcome": "answered" if told else "refusal",
        "told": told,
        "source": source if told else None,
        "receipt": "0" * 64,
        "calls": [],
    }


def settled(rows: list[dict[str, object]], answers: Answers = PLAIN) -> pl.DataFrame:
    return tables.validate("answers", settle(tables.table("answers", rows), QUESTIONS, answers))


def test_as_told_where_nothing_is_taken_off() -> None:
    (found,) = settled([row(1, [0.1, 0.2, 0.6, 0.1])]).to_dicts()
    assert found["probs"] == found["told"]
    assert (found["outcome"], found["answer"]) == ("answered", "wide")
    # Of what is seen, 1/9, 2/9 and 6/9: mean 14/9, mean square 26/9.
    assert found["expected"] == pytest.approx(14 / 9)
    assert found["spread"] == pytest.approx(np.sqrt(26 / 9 - (14 / 9) ** 2))


def test_without_an_answer_there_is_none() -> None:
    (found,) = settled([row(1, None)]).to_dicts()
    assert (found["outcome"], found["answer"], found["probs"], found["expected"]) == (
        "refusal",
        None,
        None,
        None,
    )


def test_what_cannot_be_seen_has_no_place() -> None:
    (found,) = settled([row(1, [0.01, 0.0, 0.01, 0.98])]).to_dicts()
    assert (found["outcome"], found["answer"], found["expected"]) == ("unseen", UNSEEN, None)


def test_a_nominal_item_has_no_place() -> None:
    (found,) = settled([row(1, [0.1, 0.8, 0.1], item="mouth")]).to_dicts()
    assert (found["answer"], found["expected"], found["spread"]) == ("smile", None, None)


def biased(belief: np.ndarray, gain: np.ndarray, shift: int) -> list[float]:
    """What a model tells in order of the options, whose place j multiplies the odds by gain[j]."""
    order = [(place + shift) % len(belief) for place in range(len(belief))]
    told = np.empty(len(belief))
    told[order] = belief[order] * gain
    return list(told / told.sum())


def test_a_bias_that_multiplies_the_odds_is_taken_off_exactly() -> None:
    rng, gain = np.random.default_rng(0), np.array([4.0, 1.0, 1.0, 0.5])
    beliefs = rng.dirichlet(np.ones(4), size=12)
    orders = [("base", 0), ("order 1", 1), ("order 2", 2), ("order 3", 3)]
    rows = [row(clip, biased(beliefs[clip], gain, 0)) for clip in range(12)]
    rows += [
        row(clip, biased(beliefs[clip], gain, shift), variant=variant)
        for clip in range(3)
        for variant, shift in orders[1:]
    ]
    found = settled(rows, POSITION)
    base = found.filter(pl.col("variant") == "base").sort("clip_id")
    np.testing.assert_allclose(base["probs"].to_list(), beliefs, atol=1e-9)
    # The other orders of the same clips come out the same.
    moved = found.filter(pl.col("variant") == "order 2").sort("clip_id")
    np.testing.assert_allclose(moved["probs"].to_list(), beliefs[:3], atol=1e-9)
    np.testing.assert_allclose(
        place_prior(found.filter(item="eyes"), QUESTIONS.items[0]), gain / gain.sum(), atol=1e-9
    )
    np.testing.assert_allclose(place_prior(found.filter(item="mouth"), QUESTIONS.items[1]), 1 / 3)


def test_clips_that_lack_an_order_teach_nothing() -> None:
    rows = [row(1, [0.7, 0.1, 0.1, 0.1]), row(1, [0.1, 0.7, 0.1, 0.1], variant="order 1")]
    assert settled(rows, POSITION)["probs"].to_list() == [
        pytest.approx([0.7, 0.1, 0.1, 0.1]),
        pytest.approx([0.1, 0.7, 0.1, 0.1]),
    ]


def test_only_answers_with_log_probabilities_are_freed() -> None:
    gain = np.array([4.0, 1.0, 1.0, 1.0])
    rows = [
        row(1, biased(np.full(4, 0.25), gain, shift), variant="base" if shift == 0 else f"order {shift}")
        for shift in range(4)
    ]
    rows.append(row(2, [0.4, 0.2, 0.2, 0.2], source="samples"))
    found = settled(rows, POSITION)
    assert found["probs"].to_list()[-1] == [0.4, 0.2, 0.2, 0.2]
    np.testing.assert_allclose(found["probs"].to_list()[0], 0.25)


def test_what_the_words_suggest_is_taken_off() -> None:
    answers = Answers(debias="content_free", controls=Controls(no_media=1))
    rows = [row(clip, [0.6, 0.2, 0.1, 0.1]) for clip in (1, 2)]
    rows += [row(clip, [0.6, 0.2, 0.1, 0.1], control="no_media") for clip in (1, 2)]
    found = settled(rows, answers).filter(pl.col("control") == "none")
    seen = np.array(found["probs"].to_list())[:, :3]
    # Exactly what is answered without a picture: what is left is even but for what is added for safety.
    assert (seen.max(axis=1) - seen.min(axis=1) < 0.1).all()
    np.testing.assert_allclose(np.array(found["probs"].to_list())[:, 3], 0.1)
