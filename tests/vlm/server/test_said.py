import pytest

from curate.vlm.server.said import SAID_CHARS, error_message, shown


def test_one_line_without_the_key_and_without_tricks() -> None:
    said = "Bad key sk-123\n\n  at\x1b[2J line \u202eeno\x9b"
    assert shown(said, "sk-123") == r"Bad key [key] at\x1b[2J line \u202eeno\x9b"


def test_a_key_is_taken_out_before_the_text_is_cut() -> None:
    # Cut first, the last characters that are shown would be the first half of the key.
    text = "x" * (SAID_CHARS - 5) + "sk-0123456789"
    assert "sk-" not in shown(text, "sk-0123456789")
    assert len(shown("y" * 1000)) == SAID_CHARS


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"message": "slow down", "type": "x"}}', "slow down"),
        (b'{"error": "slow down"}', "slow down"),
        (b'{"message": "slow down"}', "slow down"),
        (b'{"detail": "slow down"}', "slow down"),
        (b"<html>oops</html>", "<html>oops</html>"),
        (b'{"error": {"code": 7}}', '{"error": {"code": 7}}'),
        (b"[1", "[1"),
        (b"\xff", "\ufffd"),
        (b"[" * 100_000, "[" * 100_000),
        (b"", ""),
    ],
)
def test_the_message_of_a_refusal(body: bytes, message: str) -> None:
    assert error_message(body) == message
