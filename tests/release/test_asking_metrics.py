import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from curate import tables
from curate.questionnaire import Item, Questionnaire
from curate.recipe import Answers
from curate.release.asking_metrics import measure_asking
from curate.release.content import HowAsked, Tables


@pytest.fixture(scope="module")
def made(synthetic: ModuleType) -> Tables:
    found: Tables = synthetic.make().content.tables
    return found


@pytest.fixture(scope="module")
def asking(synthetic: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = synthetic.make().content.metrics["asking"]
    return found


def item(asking: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in asking["items"] if one["id"] == name)
    return found


def test_sources_say_how_probabilities_were_had(asking: dict[str, Any]) -> None:
    assert asking["sources"] == [{"source": "logprobs", "mask": "after_mask", "n": 24 * 3}]
    assert item(asking, "gaze")["sources"] == [{"source": "logprobs", "mask": "after_mask", "n": 24}]


def test_means_of_ordinal_answers_have_their_n(made: Tables, asking: dict[str, Any]) -> None:
    base = made.answers.filter(
        pl.col("control") == "none", pl.col("variant") == "base", pl.col("item") == "gaze"
    )
    found = item(asking, "gaze")
    assert found["expected"] == {"value": pytest.approx(base["expected"].mean()), "n": 24}
    assert found["spread"]["n"] == 24


def test_stability_by_kind(asking: dict[str, Any]) -> None:
    # In the other wording the posture's probabilities are turned round; asked again, nothing changes.
    assert item(asking, "gaze")["stability"]["wording"]["same_answer"] == 1
    assert item(asking, "posture")["stability"]["wording"]["same_answer"] < 1
    assert item(asking, "posture")["stability"]["repeat"] == {
        "n_clips": 5, "n_answers": 5, "same_answer": 1.0, "total_variation": 0.0,
    }  # fmt: skip
    assert item(asking, "posture")["stability"]["order"] is None
    assert asking["variants"]["wording"] == {"clips": 5, "answers": 15, "ways": 1}


def test_controls_by_item(asking: dict[str, Any]) -> None:
    canary, alone, shuffled = (
        item(asking, "posture")["controls"][name] for name in ("canary", "no_media", "shuffled")
    )
    assert (canary["n"], canary["changed"]) == (10, 1.0)
    assert 0 < canary["n_expected"] <= 10
    assert (alone["top"], alone["top_share"]) == ("never", pytest.approx(0.7))
    assert item(asking, "gaze")["controls"]["no_media"]["top"] == "cannot be seen"
    assert (shuffled["n"], shuffled["changed"]) == (10, 0.0)
    # Clopper and Pearson's upper end of 0 of 10 is 1 - 0.025 ** (1 / 10).
    assert shuffled["changed_high"] == pytest.approx(1 - 0.025**0.1)


def test_transcripts_are_counted_where_they_were_to_be_sent(
    made: Tables, synthetic: ModuleType, asking: dict[str, Any]
) -> None:
    how = replace(synthetic.how(synthetic.recipe()), answers=Answers(transcript=True))
    assert measure_asking(made, synthetic.CLASSES, how)["transcripts"] == {"clips": 24, "with": 12}
    assert asking["transcripts"] is None


def test_answers_without_pictures_may_be_one_reply(
    made: Tables, synthetic: ModuleType, asking: dict[str, Any]
) -> None:
    assert asking["controls"]["no_media"] == {"clips": 10, "answers": 30, "ways": 1, "most_replies": 10}
    # As asked of all clips in the same words: the two draws of an item are found again in the ledger.
    alone, keys = pl.col("control") == "no_media", pl.concat_list("item", pl.col("item") + " again")
    shared = made.answers.with_columns(pl.when(alone).then(keys).otherwise("calls").alias("calls"))
    how = synthetic.how(synthetic.recipe())
    found = measure_asking(replace(made, answers=shared), synthetic.CLASSES, how)
    assert found["controls"]["no_media"]["most_replies"] == 1


def test_the_verdict_on_a_sound_and_on_a_blind_server(synthetic: ModuleType, asking: dict[str, Any]) -> None:
    assert asking["verdict"]["verdict"] == "sound"
    assert asking["verdict"]["followed"]["n"] == 30
    blind = synthetic.make(server="blind").content.metrics["asking"]["verdict"]
    assert blind["verdict"] == "wrong_media"
    assert blind["same_reply"]["value"] == 1.0


def test_nothing_asked_is_none_and_not_zero(made: Tables, synthetic: ModuleType) -> None:
    none = replace(made, **{name: tables.empty(name) for name in ("answers", "context", "reasons", "calls")})  # type: ignore[arg-type]
    how = synthetic.how(synthetic.recipe())
    found = measure_asking(none, synthetic.CLASSES, replace(how, prefix_queries=None, prefix_hits=None))
    assert found["verdict"]["verdict"] == "not_asked"
    assert found["verdict"]["followed"]["value"] is None
    assert (found["context"], found["reasons"], found["collapse"]["concluded"]) == (None, None, None)
    assert found["controls"]["no_media"]["most_replies"] == 0
    assert found["items"][0]["expected"] == {"value": None, "n": 0}
    assert found["cost"] == {
        "calls": 0, "tokens_in": None, "tokens_out": None, "tokens_cached": None,
        "cached": {"value": None, "n": 0}, "prefix": None, "usd": None, "usd_calls": 0,
    }  # fmt: skip


def test_everything_is_plain_json(asking: dict[str, Any]) -> None:
    assert json.loads(json.dumps(asking, allow_nan=False)) == asking


LEANING = [0.5, 0.3, 0.2]
"""Told by place, whatever stands there."""


def ordered(clip: int, shift: int) -> dict[str, object]:
    """An answer of a model that looks at places only: order K lists option K first."""
    probs = [LEANING[(option - shift) % 3] for option in range(3)]
    return {
        "clip_id": f"{clip:016x}",
        "item": "gaze",
        "variant": f"order {shift}" if shift else "base",
        "control": "none",
        "outcome": "answered",
        "answer": "yes",
        "told": probs,
        "probs": probs,
        "source": "logprobs",
        "receipt": "0" * 64,
        "calls": [],
    }


def test_position_priors_rest_on_clips_asked_in_every_order(made: Tables) -> None:
    gaze = Item(id="gaze", ask="Gaze?", options=("yes", "no"), why="It tells.")
    how = HowAsked(Questionnaire(name="one", about="Gaze.", items=(gaze,)), Answers(debias="position"))
    rows = [ordered(clip, shift) for clip in (1, 2) for shift in range(3)] + [ordered(3, 0)]
    answers = replace(made, answers=tables.table("answers", rows))
    (found,) = measure_asking(answers, ("bored", "neutral", "engaged"), how)["items"]
    # Every option stands once at every place, so the mean over orders is what the places gain.
    assert found["position_prior"] == {"n_clips": 2, "prior": pytest.approx(LEANING)}
    plain = replace(how, answers=Answers())
    assert measure_asking(answers, "abc", plain)["items"][0]["position_prior"] is None
