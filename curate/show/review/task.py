"""One clip that somebody is asked to look at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Believed:
    """What is believed so far; it sways whoever sees it."""

    given: str | None
    """None where the clip came without a label."""
    refined: str
    confidence: float
    reason: str
    """Why the clip was chosen."""


@dataclass(frozen=True, slots=True)
class Task:
    """A clip to look at."""

    rank: int
    clip_id: str
    name: str
    media: str
    """video or image."""
    place: str
    """Where its media lie: the path of a file."""
    transcript: str = ""
    believed: Believed | None = None
    """None where it is not shown."""
