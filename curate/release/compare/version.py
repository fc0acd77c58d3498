"""Semantic versions of releases: what a difference asks for.

Source:
    https://semver.org, 2.0.0, items 2 to 8, read for data: a change of schema is
    major, more clips or answers are minor, other values are a patch.
"""

import re
from dataclasses import dataclass
from typing import Literal

from curate.errors import ReleaseError

Level = Literal["major", "minor", "patch"]
FIRST = "1.0.0"
_FORM = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """Three numbers; ordered as versions are."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """From text such as 1.2.0.

        Raises:
            ReleaseError: It is none.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise ReleaseError(f"{text!r} is no version, expected three numbers such as 1.2.0")
        return cls(*(int(number) for number in found.groups()))

    def raised(self, level: Level | None) -> "Version":
        """The next version of that level; the same where nothing changed."""
        match level:
            case "major":
                return Version(self.major + 1, 0, 0)
            case "minor":
                return Version(self.major, self.minor + 1, 0)
            case "patch":
                return Version(self.major, self.minor, self.patch + 1)
            case None:
                return self

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def settle_version(asked: str, previous: str | None, level: Level | None) -> str:
    """The version of a release: what the recipe says, as long as the difference allows it.

    Args:
        asked: A version, or auto.
        previous: Version of the release before; None if there is none.
        level: What the difference to it asks for.

    Raises:
        ReleaseError: What was asked is lower than that.
    """
    if previous is None:
        return FIRST if asked == "auto" else asked
    least = Version.parse(previous).raised(level)
    if asked == "auto":
        return str(least)
    if Version.parse(asked) < least:
        change = f"a {level} change since {previous}" if level else f"no change since {previous}"
        raise ReleaseError(
            f"release.version is {asked}, but there is {change}, which asks for {least} or more. "
            "Raise it, or say auto"
        )
    return asked
