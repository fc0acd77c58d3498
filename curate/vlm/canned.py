"""The fake beside the protocol: answers by a function of the prompt."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from curate.vlm.client import Abilities, Pace, Prompt, Reply


class CannedClient:
    """Answers each prompt with `answer(prompt)` and counts how often it was asked.

    `answer` returns a reply, the text of one, or raises what a client raises.
    """

    def __init__(
        self,
        answer: Callable[[Prompt], Reply | str],
        *,
        model: str = "canned@1",
        parameters: Mapping[str, object] | None = None,
        pace: Pace = Pace(concurrency=4),  # noqa: B008 frozen, and so shared safely
        abilities: Abilities = Abilities("canned", "before_mask", structured=True),  # noqa: B008
    ) -> None:
        """Keep the function; nothing is opened."""
        self.model = model
        self.parameters = {
            "logprobs": abilities.logprobs,
            "structured": abilities.structured,
            **(parameters or {}),
        }
        self.pace = pace
        self.asked: list[Prompt] = []
        self._answer = answer
        self._abilities = abilities

    async def prepare(self) -> Abilities:
        """What it was told to be able to."""
        return self._abilities

    async def ask(self, prompt: Prompt) -> Reply:
        """Answer from the function."""
        self.asked.append(prompt)
        found = self._answer(prompt)
        reply = Reply(text=found, model=self.model) if isinstance(found, str) else found
        return replace(reply, model=self.model)

    async def cache_counts(self) -> None:
        """There is no cache to count."""

    async def close(self) -> None:
        """Nothing is open."""
