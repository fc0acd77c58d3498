"""A clip as its source names it, before its media is looked at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Given:
    """What came with a clip; None is "not given"."""

    label: str | None = None
    """One of the classes."""
    group: str | None = None
    split: str | None = None
    """train, validation or test."""
    transcript: str | None = None
    recording: str | None = None
    """The recording that it was cut from."""
    start_s: float | None = None
    """Where in the recording it begins."""
    end_s: float | None = None
    recorded_at: str | None = None
    """ISO 8601, in UTC."""


@dataclass(frozen=True, slots=True)
class RawClip:
    """One file or row that should be media."""

    name: str
    """What people call it."""
    uri: str
    """How the media store finds it."""
    given: Given = Given()
