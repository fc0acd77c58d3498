import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import ClientError
from curate.recipe import Price
from curate.vlm.client import Letter, Prompt, Reply, Sheet
from curate.vlm.desk.budget import Budget, CapReached, Purse, cost_of

PRICE = Price(input=2.0, output=10.0, cached=0.5)
QUESTION = Prompt(("?",), Letter(("A", "B")))


def opened(purse: Purse, reply: Reply, prompt: Prompt = QUESTION) -> int:
    """How many calls, each with that reply, the purse lets in one after the other; at most 50."""
    for n in range(50):
        try:
            purse.open()
        except CapReached:
            return n
        purse.pay(prompt, reply)
    return 50


def told(tokens_in: int | None, tokens_out: int | None, cached: int | None = None) -> Reply:
    return Reply("A", "m@1", tokens_in=tokens_in, tokens_out=tokens_out, tokens_cached=cached)


def test_cached_tokens_have_their_own_price() -> None:
    # 600,000 at 2 dollars a million, 400,000 cached at 0.5 and 100,000 out at 10: 1.2 + 0.2 + 1.
    assert cost_of(PRICE, 1_000_000, 100_000, 400_000) == pytest.approx(2.4)
    assert cost_of(Price(input=2.0, output=10.0), 1_000_000, 100_000, 400_000) == pytest.approx(3.0)


@given(st.integers(0, 30))
def test_so_many_calls_and_no_more(cap: int) -> None:
    assert opened(Purse(Budget(max_calls=cap)), told(None, None)) == cap


@given(st.integers(1, 300), st.integers(1, 50), st.integers(0, 9))
def test_tokens_overshoot_by_less_than_one_call(cap: int, tokens_in: int, tokens_out: int) -> None:
    purse = Purse(Budget(max_tokens=cap))
    n = opened(purse, told(tokens_in, tokens_out))
    used, each = purse.spent.tokens_in + purse.spent.tokens_out, tokens_in + tokens_out
    assert used == n * each
    assert used < cap + each
    assert n == 50 or used >= cap, "stopped too early"


def test_a_cap_on_cost() -> None:
    purse = Purse(Budget(max_cost=0.005, price=PRICE))
    # 1,000 in, of them 400 cached, and 10 out: 0.0012 + 0.0002 + 0.0001 = 0.0015 dollars a call.
    assert opened(purse, told(1000, 10, 400)) == 4
    assert purse.spent.cost == pytest.approx(0.006)
    assert (purse.spent.calls, purse.spent.tokens_cached) == (4, 1600)


def test_without_a_price_no_cost_is_made_up() -> None:
    purse = Purse(Budget())
    assert opened(purse, told(1000, 10)) == 50
    assert purse.spent.cost is None


def test_tokens_that_are_not_told_are_estimated() -> None:
    purse = Purse(Budget(max_tokens=100, estimate=lambda prompt: 30))
    sheet = Prompt(("?",), Sheet("{}", max_tokens=20))
    assert opened(purse, told(None, None), sheet) == 2  # 30 for the prompt, 20 for the longest reply
    assert purse.spent.estimated


def test_a_letter_is_one_token() -> None:
    purse = Purse(Budget(estimate=lambda prompt: 30))
    purse.pay(QUESTION, told(None, None))
    assert (purse.spent.tokens_in, purse.spent.tokens_out) == (30, 1)


def test_a_lost_reply_may_be_on_the_bill() -> None:
    purse = Purse(Budget(price=PRICE, estimate=lambda prompt: 500_000))
    purse.pay_unseen(QUESTION)
    assert purse.spent.cost == pytest.approx(1.0)
    assert purse.spent.estimated


def test_a_cap_that_cannot_be_kept_is_said() -> None:
    with pytest.raises(ValueError, match=r"vlm\.price"):
        Budget(max_cost=1.0)
    with pytest.raises(ClientError, match="m@1 does not tell how many tokens"):
        Purse(Budget(max_tokens=10)).check(told(5, None))
    Purse(Budget(max_tokens=10)).check(told(5, 1))
    Purse(Budget(max_calls=10)).check(told(None, None))
