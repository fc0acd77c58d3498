"""What can go wrong, as one drawn tree.

CurateError                     anything a user can put right; exit code 1, no traceback
├── ProblemsError               several problems of one source, told at once
│   ├── RecipeError             the recipe does not say what curate needs to know
│   ├── QuestionnaireError      the questionnaire cannot be asked
│   ├── InputError              label files or media are not as the recipe says
│   └── TableError              a table breaks its contract
├── MediaError                  one clip cannot be read: it is set aside with this reason
├── MissingPartError            an optional package or program is not installed
├── WrongMediaError             the model's answers are not about the pictures that were sent
├── ReleaseError                a release cannot be written, read or published as it is
└── ClientError                 the vision-language model did not answer
    ├── EndpointGone            nobody answers any more: the run stops, and goes on from there later
    └── RetryableError          asking again may help
        ├── RateLimited         the server asks for fewer requests
        ├── TimedOut            no reply came in time
        ├── Unreachable         no connection, or one that broke
        ├── ServerTrouble       the server failed by its own word
        └── BadReply            what came is no reply: cut short, or not as asked
"""

from collections.abc import Sequence
from dataclasses import dataclass

from curate.printable import printable


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right: where it is, what was found and what to do."""

    where: str
    """A key, a file, or a file with its row."""
    what: str
    """What was found and what was expected, as a sentence without a full stop."""
    fix: str = ""
    """What to do about it; empty when the expectation says it already."""
    mends_itself: bool = False
    """Whether curate goes on all the same and loses nothing: worth knowing, nothing to fix."""

    def __str__(self) -> str:
        """The problem on one line."""
        # Names of files and words of a server are in it: whatever steers a terminal is shown instead.
        return printable(f"{self.where}: {self.what}" + (f". {self.fix}" if self.fix else ""))


def in_short(error: BaseException, most: int = 300) -> str:
    """The words of somebody else's error on one line, the first of them."""
    return " ".join(str(error).split())[:most]


class CurateError(Exception):
    """Anything a user can put right: printed as it is, without a traceback."""


class ProblemsError(CurateError):
    """Several problems of one source, told at once."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        """Keep the problems for callers that want more than the text."""
        self.source = source
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{source}: {len(self.problems)} to fix\n{lines}")


class RecipeError(ProblemsError):
    """The recipe does not say what curate needs to know."""


class QuestionnaireError(ProblemsError):
    """The questionnaire cannot be asked."""


class InputError(ProblemsError):
    """Label files or media are not as the recipe says."""


class TableError(ProblemsError):
    """A table breaks its contract in schemas/."""


class MediaError(CurateError):
    """One clip cannot be read; it is set aside with this reason."""


class MissingPartError(CurateError):
    """An optional package or program is not installed."""


class WrongMediaError(CurateError):
    """The model's answers are not about the pictures that were sent to it."""


class ReleaseError(CurateError):
    """A release cannot be written, read or published as it is."""


class ClientError(CurateError):
    """The vision-language model did not answer, and asking again will not help."""


class EndpointGone(ClientError):
    """Nobody answers any more, so no more is asked; what was answered is kept."""


class RetryableError(ClientError):
    """The vision-language model did not answer; asking again may help."""


class RateLimited(RetryableError):
    """The server asks for fewer requests.

    `retry_after_s` is the wait it named, in seconds, or None.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        """Keep the wait that the server named."""
        self.retry_after_s = retry_after_s
        super().__init__(message)


class TimedOut(RetryableError):
    """No reply came in time; fewer requests at once may help."""


class Unreachable(RetryableError):
    """No connection could be made, or it broke before the reply was whole."""


class ServerTrouble(RetryableError):
    """The server says that it failed, such as HTTP 500 or 503."""


class BadReply(RetryableError):
    """What came back is no reply: JSON that is cut short, another shape, no choice in it."""
