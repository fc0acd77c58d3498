"""What a server said, made fit to be shown: on one line, short, without the key or tricks of the terminal."""

import json

from curate.printable import printable

SAID_CHARS = 300
"""An error's text is one line of a log; a page of HTML is not."""

SCRUBBED = "[key]"
"""Stands where a server repeated the key."""


def shown(text: str, key: str = "") -> str:
    """A text on one line, cut to `SAID_CHARS`, the key taken out, and escaped as `printable` does.

    Args:
        text: Whatever a server, a model or a library said.
        key: Never repeated; empty where there is none.
    """
    without = text.replace(key, SCRUBBED) if key else text
    line = printable(" ".join(without.split()))
    return line if len(line) <= SAID_CHARS else f"{line[: SAID_CHARS - 3]}..."


def error_message(body: bytes) -> str:
    """The message in the body of a refusal: where the protocol puts it, else the body itself."""
    text = body.decode(errors="replace")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return text
    error = content.get("error", content) if isinstance(content, dict) else content
    told = (error.get("message") or error.get("detail")) if isinstance(error, dict) else error
    return told if isinstance(told, str) else text
