"""The circuit breaker: sees when the rest of the calls would fail too."""

import re
from collections.abc import Callable

from curate.errors import BadReply, ClientError, RateLimited, RetryableError

HOPELESS_AFTER = 5
"""Calls that fail alike in a row when none was ever answered: a wrong address, key or model."""

HOPELESS_AFTER_ANSWERS = 50
"""The same once some were answered: a key that has run out, a model that was unloaded."""

GONE_AFTER = 5
"""So many attempts at least must have failed before the model counts as gone."""


class Breaker:
    """Counts failures since the model last showed a sign of life."""

    def __init__(self, gone_after_s: float, clock: Callable[[], float]) -> None:
        """Nothing has failed yet.

        Args:
            gone_after_s: The model is gone when attempts fail and it is silent for so long.
            clock: Seconds.
        """
        self._gone_after_s, self._clock = gone_after_s, clock
        self._any_answered = False
        self._silent_since_s: float | None = None
        self._silences = 0
        self._alike = ""
        self._n_alike = 0

    def remembered(self) -> None:
        """There is a reply of an earlier run: the model can answer, or could."""
        self._any_answered = True

    def answered(self) -> None:
        """A reply came."""
        self._any_answered = True
        self._alike, self._n_alike = "", 0
        self._heard()

    def attempt_failed(self, error: ClientError) -> str | None:
        """Take down an attempt that failed.

        Returns:
            Why nothing more should be asked, as words for an error; None to go on.
        """
        if not _is_silence(error):
            self._heard()
            return None
        now_s = self._clock()
        # Counted from the first failure: a call may take longer than a model may be silent.
        self._silent_since_s = now_s if self._silent_since_s is None else self._silent_since_s
        self._silences += 1
        silent_s = now_s - self._silent_since_s
        if self._silences < GONE_AFTER or silent_s < self._gone_after_s:
            return None
        return f"nothing was answered for {silent_s:.0f} s, while {self._silences} attempts failed"

    def gave_up(self, error: ClientError) -> str | None:
        """Take down a call that failed for good.

        Returns:
            Why nothing more should be asked, as words for an error; None to go on.
        """
        alike = _alike(error)
        self._n_alike = self._n_alike + 1 if alike == self._alike else 1
        self._alike = alike
        if not self._any_answered and self._n_alike >= HOPELESS_AFTER:
            return f"no call was answered, and {HOPELESS_AFTER} in a row failed alike"
        if self._n_alike >= HOPELESS_AFTER_ANSWERS:
            return f"{HOPELESS_AFTER_ANSWERS} calls in a row failed alike"
        return None

    def _heard(self) -> None:
        """The model said something, be it that it wants fewer calls."""
        self._silent_since_s, self._silences = None, 0


def _is_silence(error: ClientError) -> bool:
    """Whether an attempt ended without a word of the model: no connection, no time, a fault of the server."""
    return isinstance(error, RetryableError) and not isinstance(error, RateLimited | BadReply)


def _alike(error: ClientError) -> str:
    """An error's words without numbers and ids, which differ from request to request."""
    return re.sub(r"\w*\d\w*", "#", str(error))
