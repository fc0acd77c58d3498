"""What would steer a terminal is shown; what is to be read stays as it is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\x00b\x07\x7f\x9b31m", r"a\x00b\x07\x7f\x9b31m"),
        ("two\nlines\r\tand a tab", r"two\nlines\r\tand a tab"),
        ("gpj.\u202eexe\u2066", r"gpj.\u202eexe\u2066"),
        ("half \ud83d of one", r"half \ud83d of one"),
        ("hidden\u2028end", r"hidden\u2028end"),
    ],
)
def test_what_steers_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["", r"C:\new\x1b", "Grüße “so”", "می‌خواهم", "👩‍🔬 e\u0301", "a\u00a0b"])
def test_ordinary_text_stays(text: str) -> None:
    assert printable(text) == text


def test_line_breaks_can_be_kept() -> None:
    assert printable("one\ntwo\x1b\t", keep="\n") == "one\ntwo\\x1b\\t"


@given(st.text(st.characters(exclude_categories=())))
def test_one_line_without_controls_and_the_same_again(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in shown)
    assert printable(shown) == shown
