import asyncio
import math
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from curate import tables
from curate.errors import ClientError, InputError
from curate.vlm.client import Reply
from curate.vlm.desk.ledger import CallFacts, Ledger, reply_as_json, reply_from_json


def facts(letter: str = "a") -> CallFacts:
    return CallFacts(letter * 64, "f" * 64, "m@1", "questionnaire-1", '{"seed":0}')


letters = st.lists(st.floats(max_value=0, allow_nan=False), max_size=5).map(tuple)
logprobs = st.none() | letters
replies = st.builds(
    Reply,
    text=st.text(),
    model=st.just("m@1"),
    option_logprobs=logprobs,
    field_logprobs=st.none() | st.dictionaries(st.text(max_size=3), letters, max_size=3),
    logprobs_kind=st.sampled_from([None, "before_mask", "after_mask"]),
    finish_reason=st.none() | st.text(),
    tokens_in=st.none() | st.integers(0, 2**40),
)


@given(replies)
def test_a_reply_comes_back_as_it_went(reply: Reply) -> None:
    assert reply_from_json(reply_as_json(reply), reply.latency_s) == reply


def test_half_a_surrogate_pair_survives(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.put(facts(), Reply("\ud83d", "m@1"))
        known = ledger.get("a" * 64)
    assert known is not None
    assert known.text == "\ud83d"


def test_replies_outlive_the_process(tmp_path: Path) -> None:
    reply = Reply(
        "B",
        "m@1",
        (-math.inf, -0.5),
        {"eyes": (-0.25, -math.inf)},
        "before_mask",
        latency_s=1.25,
        tokens_in=9,
    )
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.put(facts(), reply)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.get("a" * 64) == reply
        assert ledger.get("b" * 64) is None


def test_the_first_reply_stands(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.put(facts(), Reply("A", "m@1"))
        ledger.put(facts(), Reply("B", "m@1"))
        known = ledger.get("a" * 64)
    assert known is not None
    assert known.text == "A"


def test_the_table_is_valid_sorted_and_without_time(tmp_path: Path) -> None:
    def made(path: Path, order: str, latency_s: float) -> pl.DataFrame:
        with Ledger(path) as ledger:
            for letter in order:
                ledger.put(facts(letter), Reply(letter, "m@1", latency_s=latency_s, tokens_in=3))
            return ledger.calls()

    first, second = made(tmp_path / "1", "cab", 1.0), made(tmp_path / "2", "abc", 2.0)
    assert_frame_equal(first, second)
    assert tables.validate("calls", first)["key"].to_list() == ["a" * 64, "b" * 64, "c" * 64]


def test_only_the_calls_that_are_wanted(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert tables.validate("calls", ledger.calls()).height == 0
        for letter in "abc":
            ledger.put(facts(letter), Reply(letter, "m@1"))
        assert ledger.calls(["c" * 64, "d" * 64, "c" * 64])["key"].to_list() == ["c" * 64]
        assert ledger.calls([]).height == 0


def test_an_error_does_not_stand_for_a_reply(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        asyncio.run(ledger.keep_error(facts("c"), ClientError("no \ud83d"), attempts=3))
        assert ledger.get("c" * 64) is None
        assert (ledger.calls().height, ledger.count()) == (0, 0)
        kept = ledger._base.execute("SELECT key, kind, message, attempts FROM errors").fetchall()
    assert kept == [("c" * 64, "ClientError", "no \\ud83d", 3)]


def test_a_reply_that_was_kept_is_there_for_others(tmp_path: Path) -> None:
    """Another connection sees it at once: it is committed, not only handed to the writer."""

    async def kept(ledger: Ledger) -> None:
        for letter in "abc":
            await ledger.keep(facts(letter), Reply(letter, "m@1"))
            with closing(sqlite3.connect(ledger.path)) as other:
                assert other.execute(
                    "SELECT count(*) FROM calls WHERE key = ?", [letter * 64]
                ).fetchone() == (1,)

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        asyncio.run(kept(ledger))
        assert ledger.count() == 3


def test_a_reply_is_kept_even_if_nobody_waits_for_it(tmp_path: Path) -> None:
    async def cancelled(ledger: Ledger) -> None:
        task = asyncio.create_task(ledger.keep(facts(), Reply("A", "m@1")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        asyncio.run(cancelled(ledger))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.get("a" * 64) is not None


def test_a_ledger_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        with closing(sqlite3.connect(ledger.path)) as other:
            other.execute("DROP TABLE calls")
        with pytest.raises(InputError, match=r"no reply can be kept: no such table: calls\. Make"):
            ledger.put(facts(), Reply("A", "m@1"))
        with pytest.raises(InputError, match="no reply can be kept"):
            asyncio.run(ledger.keep(facts(), Reply("A", "m@1")))


def test_the_file_is_durable_and_strict(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        (mode,) = ledger._base.execute("PRAGMA journal_mode").fetchone()
        (synchronous,) = ledger._writer._base.execute("PRAGMA synchronous").fetchone()
        strict = ledger._base.execute("SELECT strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    assert (mode, synchronous) == ("wal", 2)  # 2 is FULL
    assert strict.count((1,)) == 2


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_text("name: not a database, and long enough to have a header\n" * 20)
    with pytest.raises(InputError, match="not a database"):
        Ledger(path)


@pytest.mark.parametrize("version", [1, 99])
def test_a_ledger_of_another_version(tmp_path: Path, version: int) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as base:
        base.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(InputError, match=f"it has version {version}, and this curate reads version 2"):
        Ledger(path)
