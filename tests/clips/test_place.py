"""Where a clip lies in its recording, and when that was made, out of what people write."""

import pytest

from curate.clips.place import PLACE_KEYS, read_place


def read(**texts: str | None) -> tuple[dict[str, object], list[str]]:
    place, findings = read_place({key: texts.get(key) for key in PLACE_KEYS}, "labels.csv, line 2", "a.mp4")
    return dict(place), [finding.what for finding in findings]


def test_a_window_and_its_time() -> None:
    place, odd = read(recording="v1", start_s="0", end_s="2.5", recorded_at="2026-03-01T12:00:00+02:00")
    assert place == {
        "recording": "v1",
        "start_s": 0.0,  # the beginning, and not "nothing said"
        "end_s": 2.5,
        "recorded_at": "2026-03-01T10:00:00+00:00",
    }
    assert not odd


def test_a_day_and_a_time_without_a_zone_are_in_utc() -> None:
    assert read(recorded_at="2026-03-01")[0]["recorded_at"] == "2026-03-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({"start_s": "soon"}, "start_s is 'soon', expected seconds from 0; it is left out"),
        ({"end_s": "-1"}, "end_s is '-1', expected seconds from 0; it is left out"),
        ({"start_s": "nan"}, "start_s is 'nan', expected seconds from 0; it is left out"),
        (
            {"recorded_at": "May"},
            "recorded_at is 'May', expected a time such as 2026-03-01T10:00:00Z; it is left out",
        ),
        (
            {"start_s": "3", "end_s": "3"},
            "end_s is 3 and start_s 3, expected an end after the start; it is left out",
        ),
    ],
)
def test_what_cannot_be_understood_is_left_out_and_told(texts: dict[str, str], told: str) -> None:
    place, odd = read(**texts)
    assert odd == [told]
    assert all(value is None for value in place.values())
