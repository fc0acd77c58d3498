from dataclasses import replace
from types import ModuleType

import polars as pl
import pytest

from curate import tables
from curate.recipe import Price
from curate.release.asking_totals import class_shares, context_outcomes, cost, reason_outcomes, transcripts
from curate.release.content import HowAsked, Tables


@pytest.fixture(scope="module")
def made(synthetic: ModuleType) -> Tables:
    found: Tables = synthetic.make().content.tables
    return found


@pytest.fixture
def how(synthetic: ModuleType) -> HowAsked:
    found: HowAsked = synthetic.how(synthetic.recipe())
    return found


def call(number: int, tokens_in: int | None, tokens_out: int | None, cached: int | None) -> dict[str, object]:
    told = {"tokens_in": tokens_in, "tokens_out": tokens_out, "tokens_cached": cached}
    return {
        "key": f"{number:064x}",
        "model": "m",
        "prompt_version": "1",
        "parameters": "{}",
        "reply": "{}",
        **told,
    }


def test_gaps_by_what_was_said(made: Tables) -> None:
    # 18 of 24 clips are videos; of every fourth clip nothing was said: clips 0, 4, ..., 20, all videos.
    assert context_outcomes(made.context) == {
        "clips": 18, "gaps": 18, "said": 12, "refusal": 6, "empty": 0, "failed": 0,
    }  # fmt: skip


def test_clips_of_which_it_is_known_what_is_said(made: Tables) -> None:
    # Every second clip has a transcript; one of blanks says nothing, and one not asked about is not counted.
    assert transcripts(made.clips, made.answers.lazy()) == {"clips": 24, "with": 12}
    first, second = made.clips.filter(pl.col("transcript").is_not_null())["clip_id"].head(2)
    blank = pl.when(pl.col("clip_id") == first).then(pl.lit("  ")).otherwise("transcript").alias("transcript")
    fewer = made.answers.filter(pl.col("clip_id") != second)
    found = transcripts(made.clips.with_columns(blank), fewer.lazy())
    assert found == {"clips": 23, "with": 10}


def test_clips_by_what_came_of_reasons(made: Tables, synthetic: ModuleType) -> None:
    # Four clips came without a label: one of each verdict, and one that contradicts itself.
    assert reason_outcomes(made.reasons, synthetic.CLASSES) == {
        "clips": 4, "concluded": 3, "confirmed": 1, "revised": 1, "abstained": 1,
        "inconsistent": 1, "refusal": 0, "unparsable": 0, "failed": 0,
        "cited_shown": {"value": 0.5, "n": 8},
        # Shown nothing, the model gave 60 of 100 to the second of three classes.
        "alone": {"class": synthetic.CLASSES[1], "share": 0.6, "even": 1 / 3},
    }  # fmt: skip


def test_expected_shares_come_from_the_nearest_labels(made: Tables, synthetic: ModuleType) -> None:
    found = class_shares(made, synthetic.CLASSES)
    assert (found["refined"]["n"], found["refined"]["reference"]) == (20, "given")
    # The clips that were reasoned about came without a label, but with votes.
    assert (found["concluded"]["n"], found["concluded"]["reference"]) == (4, "votes")
    without = replace(made, votes=tables.empty("votes"))
    assert class_shares(without, synthetic.CLASSES)["concluded"]["reference"] == "others"
    bare = replace(without, clips=made.clips.with_columns(label_given=pl.lit(None, pl.String)))
    shares = class_shares(bare, synthetic.CLASSES)["concluded"]
    assert shares["reference"] == "equal"
    assert [one["expected"] for one in shares["classes"]] == [pytest.approx(1 / 3)] * 3


def test_a_class_that_takes_everything_is_a_sink(made: Tables, synthetic: ModuleType) -> None:
    ids = made.clips.filter(pl.col("label_given").is_not_null())["clip_id"]
    rows = [{"clip_id": one, "label": "neutral", "outcome": "concluded"} for one in ids]
    found = class_shares(replace(made, reasons=tables.table("reasons", rows)), synthetic.CLASSES)["concluded"]
    assert [one["sink"] for one in found["classes"]] == [False, True, False]
    assert found["classes"][1]["share"] == 1.0


def test_cost_counts_only_what_was_told(how: HowAsked) -> None:
    calls = tables.table("calls", [call(1, 100, 2, 60), call(2, 300, 4, 0), call(3, None, None, None)])
    found = cost(calls, replace(how, price=Price(input=1.0, output=2.0, cached=0.5)))
    assert (found["calls"], found["tokens_in"], found["tokens_out"], found["tokens_cached"]) == (
        3,
        400,
        6,
        60,
    )
    assert found["cached"] == {"value": 60 / 400, "n": 400}
    assert found["prefix"] == {"value": 0.7, "n": 1000}
    # (340 fresh x 1 + 60 cached x 0.5 + 6 x 2) / 10 ** 6.
    assert found["usd"] == pytest.approx(382e-6)
    assert found["usd_calls"] == 2


def test_without_a_price_no_cost_is_known(how: HowAsked) -> None:
    found = cost(tables.table("calls", [call(1, 100, 2, None)]), replace(how, price=None))
    assert (found["usd"], found["usd_calls"]) == (None, 0)
    assert found["cached"] == {"value": None, "n": 0}
