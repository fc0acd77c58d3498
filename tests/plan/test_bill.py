import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.plan.bill import asking_s, cost, lines, put_right
from curate.plan.load import KINDS, Kind, Load, Measure
from curate.recipe import Price
from curate.vlm.desk.earlier import PaceReached
from curate.vlm.tokens.ranges import Range, exactly

POSITIVE = st.floats(1, 1e6)


def loads(**some: Load) -> dict[Kind, Load]:
    return {kind: some.get(kind, Load()) for kind in KINDS}


def measure(calls: int, tokens_in: int, tokens_out: int, *, reckoned_in: float, cached: int = 0) -> Measure:
    return Measure(calls, 2.0 * calls, calls, reckoned_in, float(calls), tokens_in, tokens_out, cached)


def test_worked_example_of_a_ratio() -> None:
    # Three clips took 12, 22 and 26 where 10, 20 and 20 were thought: r = 60 / 50 = 1.2.
    # Residuals y - r x: 0, -2, 2; se = sqrt(8 / (3 x 2)) / (50 / 3) = 0.06928; t(0.975, 2) = 4.3027.
    found = put_right(exactly(1000), [12, 22, 26], [10, 20, 20])
    half = 4.302653 * math.sqrt(8 / 6) / (50 / 3)
    assert found.expected == pytest.approx(1200)
    assert found.low == pytest.approx(1000 * (1.2 - half))
    assert found.high == pytest.approx(1000 * (1.2 + half))


@given(st.lists(POSITIVE, min_size=2, max_size=20), st.floats(0.1, 10), POSITIVE)
def test_clips_that_agree_leave_no_doubt(thought: list[float], factor: float, reckoned: float) -> None:
    found = put_right(Range(0, reckoned, 9 * reckoned), [factor * x for x in thought], thought)
    assert found.low == pytest.approx(factor * reckoned, rel=1e-6)
    assert found.high == pytest.approx(factor * reckoned, rel=1e-6)


def test_one_clip_moves_a_range_and_leaves_its_width() -> None:
    assert put_right(Range(50, 100, 300), [20], [10]) == Range(100, 200, 600)


def test_without_a_measure_all_stays_as_reckoned() -> None:
    assert put_right(Range(1, 2, 3), [], []) == Range(1, 2, 3)


def test_a_kind_that_is_not_asked_has_no_line() -> None:
    (line,) = lines(loads(context=Load(calls=3, tokens_in=exactly(30))), frozenset({"context"}))
    assert (line.kind, line.calls, line.at_most, line.measured, line.call_in) == ("context", 3, True, 0, None)


def test_a_line_rests_on_what_calls_took() -> None:
    clips = {
        "a": measure(2, 40, 2, reckoned_in=20, cached=10),
        "b": measure(2, 40, 2, reckoned_in=20, cached=30),
    }
    load = Load(calls=10, tokens_in=Range(90, 100, 200), tokens_out=exactly(10), held=4, measures=clips)
    (line,) = lines(loads(questionnaire=load), frozenset())
    # Twice the tokens that were reckoned, in both clips; half of them were cached.
    assert line.tokens_in == exactly(200)
    assert line.call_in == exactly(20)
    assert (line.cached, line.measured, line.held) == (0.5, 4, 4)


def test_the_price_of_tokens_that_are_cached_and_of_those_that_are_not() -> None:
    clips = {"a": measure(1, 1000, 1, reckoned_in=1000, cached=500)}
    load = Load(calls=2000, tokens_in=exactly(2e6), tokens_out=Range(1e5, 1e6, 2e6), measures=clips)
    found = cost(lines(loads(questionnaire=load), frozenset()), Price(input=2, output=10, cached=1))
    # A million tokens at $2, a million at $1, and 0.1, 1 or 2 million at $10.
    assert found == Range(3 + 1, 3 + 10, 3 + 20)


def test_nothing_is_known_of_a_price_that_is_not_named() -> None:
    assert cost(lines(loads(), frozenset()), None) is None


def test_time_is_what_is_waited_for_shared_by_the_calls_under_way() -> None:
    clips = {name: measure(2, 40, 2, reckoned_in=20) for name in "ab"}
    found = asking_s(
        loads(questionnaire=Load(calls=100, measures=clips), reasons=Load(calls=50)),
        PaceReached(replies=4, asking_s=2.0, waited_s=8.0),
    )
    # 150 calls of 2 s each, four at once; reasons, never asked, are taken to last as long. A tenth each way.
    assert found is not None
    assert found.low == pytest.approx(0.9 * 75)
    assert found.expected == pytest.approx(75)
    assert found.high == pytest.approx(1.1 * 75)


def test_time_is_unknown_before_anything_was_asked() -> None:
    assert asking_s(loads(questionnaire=Load(calls=100)), None) is None
