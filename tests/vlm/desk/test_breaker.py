from typing import Any

from curate.errors import BadReply, ClientError, RateLimited, ServerTrouble, TimedOut, Unreachable
from curate.vlm.desk.breaker import Breaker

REFUSED = Unreachable("no connection")


def silences(breaker: Breaker, time: Any, n: int, every_s: float) -> list[str | None]:
    found = []
    for _ in range(n):
        found.append(breaker.attempt_failed(REFUSED))
        time.now_s += every_s
    return found


def finals(breaker: Breaker, n: int, words: str = "HTTP 401: no such key (request {}f3)") -> list[str | None]:
    return [breaker.gave_up(ClientError(words.format(i))) for i in range(n)]


def test_silence_for_long_enough(time: Any) -> None:
    found = silences(Breaker(60.0, time.clock), time, 8, every_s=10.0)
    # Failures at 0, 10, … 60 s: the seventh comes 60 s after the first.
    assert found[:6] == [None] * 6
    assert found[6] == "nothing was answered for 60 s, while 7 attempts failed"


def test_few_failures_do_not_tell(time: Any) -> None:
    assert silences(Breaker(60.0, time.clock), time, 5, every_s=100.0)[:4] == [None] * 4


def test_a_sign_of_life_starts_anew(time: Any) -> None:
    for sign in (RateLimited("slow down"), BadReply("no JSON"), ClientError("too large")):
        breaker = Breaker(60.0, time.clock)
        silences(breaker, time, 6, every_s=10.0)
        assert breaker.attempt_failed(sign) is None
        assert silences(breaker, time, 6, every_s=10.0) == [None] * 6
    breaker = Breaker(60.0, time.clock)
    silences(breaker, time, 6, every_s=10.0)
    breaker.answered()
    assert silences(breaker, time, 6, every_s=10.0) == [None] * 6


def test_every_kind_of_silence_counts(time: Any) -> None:
    for error in (Unreachable("no"), TimedOut("late"), ServerTrouble("HTTP 500")):
        breaker = Breaker(0.0, time.clock)
        assert [breaker.attempt_failed(error) is None for _ in range(5)] == [True] * 4 + [False]


def test_an_endpoint_that_only_asks_for_patience_is_not_gone(time: Any) -> None:
    breaker = Breaker(60.0, time.clock)
    for _ in range(100):
        assert breaker.attempt_failed(RateLimited("slow down", 30.0)) is None
        time.now_s += 30.0


def test_nothing_was_ever_answered(time: Any) -> None:
    found = finals(Breaker(60.0, time.clock), 5)
    assert found == [None] * 4 + ["no call was answered, and 5 in a row failed alike"]


def test_after_an_answer_more_is_borne(time: Any) -> None:
    for answer in (Breaker.answered, Breaker.remembered):
        breaker = Breaker(60.0, time.clock)
        answer(breaker)
        found = finals(breaker, 50)
        assert found == [None] * 49 + ["50 calls in a row failed alike"]


def test_an_answer_or_another_failure_starts_anew(time: Any) -> None:
    breaker = Breaker(60.0, time.clock)
    assert finals(breaker, 4) + finals(breaker, 4, "too large") + finals(breaker, 4) == [None] * 12
    breaker.answered()
    assert finals(breaker, 49) == [None] * 49
    breaker.answered()
    assert finals(breaker, 49) == [None] * 49


def test_replies_that_were_at_hand_do_not_hide_failures(time: Any) -> None:
    breaker, found = Breaker(60.0, time.clock), []
    for _ in range(50):
        breaker.remembered()
        found += finals(breaker, 1)
    assert found[-1] == "50 calls in a row failed alike"
