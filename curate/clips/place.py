"""Where in a recording a clip lies and when that was made, read from text."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypedDict

from curate.clips.finding import Finding

PLACE_KEYS = ("recording", "start_s", "end_s", "recorded_at")


class Place(TypedDict):
    """Keys of `Given`; None is "not given"."""

    recording: str | None
    start_s: float | None
    end_s: float | None
    recorded_at: str | None


def read_place(texts: Mapping[str, str | None], where: str, name: str) -> tuple[Place, list[Finding]]:
    """Seconds as numbers, times in UTC; what cannot be understood is left out, with a finding.

    Args:
        texts: The texts under `PLACE_KEYS`; None or empty where nothing was said.
        where: The row, for a person.
        name: The clip.
    """
    start_s, end_s = _seconds(texts["start_s"]), _seconds(texts["end_s"])
    recorded_at = _instant(texts["recorded_at"])
    odd = [
        f"{key} is {texts[key]!r}, expected {expected}"
        for key, read, expected in (
            ("start_s", start_s, "seconds from 0"),
            ("end_s", end_s, "seconds from 0"),
            ("recorded_at", recorded_at, "a time such as 2026-03-01T10:00:00Z"),
        )
        if texts[key] and read is None
    ]
    if start_s is not None and end_s is not None and end_s <= start_s:
        odd.append(f"end_s is {end_s:g} and start_s {start_s:g}, expected an end after the start")
        start_s = end_s = None
    findings = [Finding(where, name, "label", f"{what}; it is left out", "read") for what in odd]
    return {
        "recording": texts["recording"] or None,
        "start_s": start_s,
        "end_s": end_s,
        "recorded_at": recorded_at,
    }, findings


def _seconds(text: str | None) -> float | None:
    try:
        found = float(text or "nan")
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


def _instant(text: str | None) -> str | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
