"""What a run may spend, and what it has spent."""

from collections.abc import Callable
from dataclasses import dataclass

from curate.errors import ClientError
from curate.recipe import Price
from curate.vlm.client import Letter, Prompt, Reply


@dataclass(frozen=True, slots=True)
class Budget:
    """Hard caps on what is newly asked; None is no cap.

    They are looked at before each new call, so that what is overshot is at
    most what the calls then under way cost.
    """

    max_calls: int | None = None
    max_tokens: int | None = None
    """Of prompts and replies together."""
    max_cost: float | None = None
    """In US dollars."""
    price: Price | None = None
    """What tokens cost; needed by `max_cost`."""
    estimate: Callable[[Prompt], int] | None = None
    """Tokens of a prompt, where the server does not tell them. Its reply then counts as long
    as its form allows."""

    def __post_init__(self) -> None:
        """A cap that cannot be kept is refused.

        Raises:
            ValueError: There is a cap on cost and no price.
        """
        if self.max_cost is not None and self.price is None:
            raise ValueError("a cap on cost needs the price of tokens. Set vlm.price in the recipe")


@dataclass(slots=True)
class Spending:
    """What has been spent in this run; replies that were at hand cost nothing."""

    calls: int = 0
    """Put to the model, however they ended and however often they were put again."""
    tokens_in: int = 0
    """Of prompts, the cached ones among them."""
    tokens_out: int = 0
    tokens_cached: int = 0
    cost: float | None = None
    """In US dollars; None without a price."""
    estimated: bool = False
    """Whether some tokens were estimated, because the server did not tell them."""


class CapReached(Exception):
    """Nothing more may be asked; it never leaves the desk."""


class Purse:
    """Keeps a budget."""

    def __init__(self, budget: Budget) -> None:
        """Nothing is spent yet."""
        self.budget = budget
        self.spent = Spending(cost=0.0 if budget.price else None)

    def open(self) -> None:
        """Count a new call.

        Raises:
            CapReached: One of the caps leaves no room for it.
        """
        budget, spent = self.budget, self.spent
        if (
            _reached(spent.calls, budget.max_calls)
            or _reached(spent.tokens_in + spent.tokens_out, budget.max_tokens)
            or _reached(spent.cost or 0.0, budget.max_cost)
        ):
            raise CapReached
        spent.calls += 1

    def pay(self, prompt: Prompt, reply: Reply) -> None:
        """Count what a reply took; nothing where nobody knows, see `check`."""
        if reply.tokens_in is not None and reply.tokens_out is not None:
            self._add(reply.tokens_in, reply.tokens_out, reply.tokens_cached or 0)
        elif self.budget.estimate is not None:
            self.spent.estimated = True
            self._add(self.budget.estimate(prompt), _longest_reply(prompt), 0)

    def check(self, reply: Reply) -> None:
        """Make sure that the caps can be kept.

        Raises:
            ClientError: One of them needs the tokens of replies, and nobody tells them.
        """
        told = reply.tokens_in is not None and reply.tokens_out is not None
        capped = self.budget.max_tokens is not None or self.budget.max_cost is not None
        if capped and not told and self.budget.estimate is None:
            raise ClientError(
                f"{reply.model} does not tell how many tokens it used, so a cap on tokens or cost cannot be "
                "kept. Cap the calls instead"
            )

    def pay_unseen(self, prompt: Prompt) -> None:
        """Count the prompt of an attempt whose reply was lost or unusable: it may be on the bill."""
        if self.budget.estimate is not None:
            self.spent.estimated = True
            self._add(self.budget.estimate(prompt), 0, 0)

    def _add(self, tokens_in: int, tokens_out: int, tokens_cached: int) -> None:
        spent, price = self.spent, self.budget.price
        spent.tokens_in += tokens_in
        spent.tokens_out += tokens_out
        spent.tokens_cached += tokens_cached
        if price is not None:
            spent.cost = (spent.cost or 0.0) + cost_of(price, tokens_in, tokens_out, tokens_cached)


def cost_of(price: Price, tokens_in: int, tokens_out: int, tokens_cached: int = 0) -> float:
    """US dollars for so many tokens; the cached ones are among `tokens_in`."""
    cached = price.input if price.cached is None else price.cached
    fresh = tokens_in - tokens_cached
    return (fresh * price.input + tokens_cached * cached + tokens_out * price.output) / 1e6


def _reached(spent: float, cap: float | None) -> bool:
    return cap is not None and spent >= cap


def _longest_reply(prompt: Prompt) -> int:
    """Tokens of the longest reply that a prompt's form allows."""
    return 1 if isinstance(prompt.form, Letter) else prompt.form.max_tokens
