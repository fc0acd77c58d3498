"""How long to wait before asking again, if at all."""

import numpy as np

from curate.errors import BadReply, ClientError, RateLimited, RetryableError

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
"""Waits double from the first to the longest."""

LONGEST_NAMED_WAIT_S = 600.0
"""A server that names a longer wait has run out of quota; the call is given up."""

BAD_REPLIES = 2
"""A prompt whose reply was unusable is put again so often: each was paid for, and most come again."""


def wait_before_retry(
    error: ClientError, attempts: int, retries: int, rng: np.random.Generator
) -> float | None:
    """Seconds to wait before the next attempt, or None to give up.

    The wait is half to all of 0.5 s doubled with every attempt, after the wait
    that the server named, if any. The random share keeps calls that failed
    together from coming back together.

    Args:
        error: How the last attempt ended.
        attempts: How many there were; at least 1.
        retries: Attempts after the first, at most.
        rng: Draws the share.
    """
    allowed = min(retries, BAD_REPLIES) if isinstance(error, BadReply) else retries
    named_s = named_wait(error)
    if attempts > allowed or not isinstance(error, RetryableError) or named_s > LONGEST_NAMED_WAIT_S:
        return None
    whole_s: float = min(FIRST_WAIT_S * 2.0 ** (attempts - 1), LONGEST_WAIT_S)
    return named_s + whole_s * float(rng.uniform(0.5, 1.0))


def named_wait(error: ClientError) -> float:
    """The wait that the server named, in seconds; 0 if it named none."""
    return (error.retry_after_s or 0.0) if isinstance(error, RateLimited) else 0.0
