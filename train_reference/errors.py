"""What can go wrong in the trainer: anything a user can put right, all problems at once."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right."""

    where: str
    """A column, a file, a setting."""
    what: str
    """What was found and what was expected, as a sentence without a full stop."""
    fix: str = ""
    """What to do about it; empty when the expectation says it already."""

    def __str__(self) -> str:
        """The problem on one line; whatever steers a terminal is shown instead."""
        line = f"{self.where}: {self.what}" + (f". {self.fix}" if self.fix else "")
        return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)


def in_short(error: Exception) -> str:
    """What another library says, on one line and not too long."""
    return textwrap.shorten(str(error), 240, placeholder=" …")


class TrainError(Exception):
    """The trainer cannot go on; printed as it is, without a traceback."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        """Keep the problems for callers that want more than the text."""
        self.source = source
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{source}: {len(self.problems)} to fix\n{lines}")

    def __reduce__(self) -> tuple[type["TrainError"], tuple[str, tuple[Problem, ...]]]:
        """From a process that trains to the one that started it."""
        return type(self), (self.source, self.problems)
