r"""Text from elsewhere made fit to be looked at: what would steer a terminal is shown instead.

A file name, a transcript or a server's reply may hold an escape sequence that
clears the screen, or a mark that turns the direction of writing round so that
a line reads as something else (trojansource.codes, section 4).
"""

import re

_STEERING = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0 and C1 controls, the escape character among them
    "\u2028\u2029"  # end a line where nobody looks for it
    "\u202a-\u202e\u2066-\u2069"  # turn the direction of writing round
    "\ud800-\udfff"  # half of a character: cannot be written as UTF-8
    "]"
)


def printable(text: str, *, keep: str = "") -> str:
    r"""The text with all that cannot be seen but steers shown as an escape, such as \x1b.

    Ordinary text of any language stays as it is, a backslash too: this is to
    be read by people, and cannot be turned back.

    Args:
        text: Anything.
        keep: Characters that are left alone all the same, such as a line break.
    """
    return _STEERING.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
