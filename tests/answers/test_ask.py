import asyncio
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from curate import tables
from curate.answers.ask import Asked, ask_questionnaire
from curate.errors import ClientError
from curate.frames.receipt import receipt
from curate.questionnaire import UNSEEN, Item, Questionnaire, question_text
from curate.vlm.canned import CannedClient
from curate.vlm.client import Pace, Prompt, Reply
from curate.vlm.ledger import Ledger
from curate.vlm.replay import ReplayClient

ITEMS = (
    Item(id="smile", ask="Is there a smile?", options=("no", "yes"), why="w"),
    Item(id="eyes", ask="How open are the eyes?", options=("closed", "half", "wide"), why="w"),
)
QUESTIONS = Questionnaire(name="q", about="Cues.", preamble="In time order.", items=ITEMS)
IDS = [f"{n:016x}" for n in (3, 1, 2)]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


PICTURES = {digest(data): data for data in (b"first", b"second", b"between")}


def clips(ids: list[str] = IDS) -> pl.DataFrame:
    return pl.DataFrame({"clip_id": ids, "name": [f"clip {clip_id[-1]}" for clip_id in ids]})


def frames(ids: list[str] = IDS) -> pl.DataFrame:
    """Two key frames a clip, out of order, with one between them that is not sent."""
    moments = [("key", 2, 1.0, b"second"), ("between", 1, 0.5, b"between"), ("key", 0, 0.0, b"first")]
    rows: list[dict[str, object]] = [
        {
            "clip_id": clip_id,
            "role": role,
            "index": index,
            # Clips differ by their times: otherwise they would share their calls.
            "t_s": t_s + int(clip_id, 16),
            "width": 64,
            "height": 64,
            "sha256": digest(data),
        }
        for clip_id in ids
        for role, index, t_s, data in moments
    ]
    return tables.table("frames", rows)


def ask(path: Path, client: Any, **settings: Any) -> Asked:
    settings = {"rng": np.random.default_rng(0), "clips": clips(), "frames": frames()} | settings

    async def asked() -> Asked:
        with Ledger(path / "ledger.sqlite") as ledger:
            return await ask_questionnaire(
                settings.pop("clips"),
                settings.pop("frames"),
                QUESTIONS,
                client,
                ledger,
                PICTURES.__getitem__,
                **settings,
            )

    return asyncio.run(asked())


def by_item(prompt: Prompt) -> Reply | str:
    if "smile" in prompt.text:
        return Reply("B", "", (np.log(0.25), np.log(0.5), np.log(0.25)), "before_mask", tokens_in=5)
    return "D"


def test_a_row_an_item_and_clip(tmp_path: Path) -> None:
    asked = ask(tmp_path, CannedClient(by_item))
    answers = tables.validate("answers", asked.answers)
    assert answers["clip_id"].to_list() == sorted(IDS * 2)
    assert answers["item"].to_list() == ["eyes", "smile"] * 3
    eyes, smile = answers.head(2).iter_rows(named=True)
    assert (smile["outcome"], smile["answer"], smile["source"]) == ("answered", "yes", "logprobs")
    np.testing.assert_allclose(smile["probs"], [0.25, 0.5, 0.25])
    assert (eyes["outcome"], eyes["answer"], eyes["source"]) == ("unseen", UNSEEN, "text")
    assert eyes["probs"] == [0, 0, 0, 1]
    assert set(answers["variant"]) == {"base"}
    assert set(answers["control"]) == {"none"}
    assert (asked.n_fresh, asked.n_reused, asked.n_failed, asked.n_left_out) == (6, 0, 0, 0)
    assert tables.validate("problems", asked.problems).height == 0


def test_key_frames_in_order_then_the_question(tmp_path: Path) -> None:
    client = CannedClient(by_item)
    ask(tmp_path, client)
    for prompt, item in zip(client.asked, ITEMS * 3, strict=True):
        assert [picture.data for picture in prompt.pictures] == [b"first", b"second"]
        assert prompt.text == question_text(QUESTIONS, item)
        assert prompt.options == item.letters


def test_receipts_and_calls_can_be_followed(tmp_path: Path) -> None:
    answers = ask(tmp_path, CannedClient(by_item)).answers
    sent = frames().filter(pl.col("role") == "key").sort("index")
    for clip_id, proof in answers.select("clip_id", "receipt").iter_rows():
        assert proof == receipt(sent.filter(pl.col("clip_id") == clip_id))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        calls = tables.validate("calls", ledger.calls(answers["call"].to_list()))
    assert sorted(answers["call"]) == calls["key"].to_list()
    assert calls.height == 6


def test_run_again_it_asks_nothing_and_answers_the_same(tmp_path: Path) -> None:
    first = ask(tmp_path, CannedClient(by_item))
    client = CannedClient(by_item)
    second = ask(tmp_path, client)
    assert client.asked == []
    assert (second.n_fresh, second.n_reused) == (0, 6)
    assert_frame_equal(first.answers, second.answers)


def test_replayed_it_answers_the_same(tmp_path: Path) -> None:
    first = ask(tmp_path, CannedClient(by_item))
    second = ask(tmp_path / "again", ReplayClient(tmp_path / "ledger.sqlite"))
    assert_frame_equal(first.answers, second.answers)
    assert second.n_fresh == 6


def test_a_call_that_fails_is_a_row_and_a_problem(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> Reply | str:
        if "eyes" in prompt.text:
            raise ClientError("HTTP 400: too many pictures")
        return by_item(prompt)

    asked = ask(tmp_path, CannedClient(answer))
    failed = tables.validate("answers", asked.answers).filter(pl.col("item") == "eyes")
    assert failed["outcome"].to_list() == ["failed"] * 3
    assert failed.select("answer", "probs", "source", "call").null_count().row(0) == (3, 3, 3, 3)
    assert (asked.n_fresh, asked.n_failed) == (3, 3)
    problem = tables.validate("problems", asked.problems).row(0, named=True)
    assert problem == {
        "where": "item eyes",
        "clip": "clip 3",
        "kind": "answer",
        "what": "HTTP 400: too many pictures",
        "action": "set_aside",
    }


def test_answers_beyond_the_budget_are_left_out_and_counted(tmp_path: Path) -> None:
    asked = ask(tmp_path, CannedClient(by_item), max_calls=4)
    assert (asked.answers.height, asked.n_fresh, asked.n_left_out) == (4, 4, 2)
    rest = ask(tmp_path, CannedClient(by_item))
    assert (rest.answers.height, rest.n_fresh, rest.n_reused) == (6, 2, 4)


def test_clips_without_pictures_are_not_asked_about(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    asked = ask(
        tmp_path,
        CannedClient(by_item),
        frames=frames(IDS[:1]),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert asked.answers["clip_id"].unique().to_list() == IDS[:1]
    assert seen == [(1, 2), (2, 2)]


def test_many_answers_are_turned_into_tables_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ask(tmp_path / "whole", CannedClient(by_item, pace=Pace(4)))
    monkeypatch.setattr("curate.answers.ask._ROWS_AT_ONCE", 2)
    parts = ask(tmp_path / "parts", CannedClient(by_item, pace=Pace(4)))
    assert_frame_equal(parts.answers, whole.answers)
    assert (parts.n_fresh, parts.n_left_out) == (6, 0)


def test_problems_come_in_the_order_of_the_clips(tmp_path: Path) -> None:
    turns = iter(range(60, 0, -10))

    class Late(CannedClient):
        async def ask(self, prompt: Prompt) -> Reply:
            # Who is asked first fails last.
            for _ in range(next(turns)):
                await asyncio.sleep(0)
            return await super().ask(prompt)

    reasons = iter("abcdef")

    def answer(prompt: Prompt) -> Reply | str:
        raise ClientError(next(reasons))

    asked = ask(tmp_path, Late(answer, pace=Pace(6)))
    assert asked.problems["what"].to_list() == ["f", "e", "d", "c", "b", "a"]
    assert asked.problems["clip"].to_list() == ["clip 3", "clip 3", "clip 1", "clip 1", "clip 2", "clip 2"]


def test_no_clips(tmp_path: Path) -> None:
    asked = ask(tmp_path, CannedClient(by_item), clips=clips([]), frames=frames([]))
    assert tables.validate("answers", asked.answers).height == 0
    assert (asked.n_fresh, asked.n_left_out) == (0, 0)
