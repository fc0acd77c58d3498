import math
import sqlite3
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from curate import tables
from curate.errors import ClientError, InputError
from curate.vlm.client import Reply
from curate.vlm.ledger import CallFacts, Ledger, reply_as_json, reply_from_json


def facts(letter: str = "a") -> CallFacts:
    return CallFacts(letter * 64, "f" * 64, "m@1", "questionnaire-1", '{"seed":0}')


logprobs = st.none() | st.lists(st.floats(max_value=0, allow_nan=False), max_size=5).map(tuple)
replies = st.builds(
    Reply,
    text=st.text(),
    model=st.just("m@1"),
    option_logprobs=logprobs,
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
    reply = Reply("B", "m@1", (-math.inf, -0.5), "before_mask", latency_s=1.25, tokens_in=9)
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
        ledger.put_error(facts("c"), ClientError("no"), attempts=3)
        assert ledger.get("c" * 64) is None
        assert ledger.calls().height == 0


def test_the_file_is_durable_and_strict(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        (mode,) = ledger._base.execute("PRAGMA journal_mode").fetchone()
        (synchronous,) = ledger._base.execute("PRAGMA synchronous").fetchone()
        strict = ledger._base.execute("SELECT strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    assert (mode, synchronous) == ("wal", 2)  # 2 is FULL
    assert strict.count((1,)) == 2


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_text("name: not a database, and long enough to have a header\n" * 20)
    with pytest.raises(InputError, match="not a database"):
        Ledger(path)


def test_a_ledger_of_a_newer_curate(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    base = sqlite3.connect(path)
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(InputError, match="version 99"):
        Ledger(path)
