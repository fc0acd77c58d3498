"""A release by name: a folder, or USER/NAME@REVISION on the Hub."""

import re
from dataclasses import dataclass
from pathlib import Path

from curate.errors import ReleaseError

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True)
class HubReference:
    """A dataset on the Hub at one revision."""

    repo: str
    """USER/NAME."""
    revision: str | None = None
    """Tag, branch or commit; the newest commit if None."""

    def __str__(self) -> str:
        return self.repo if self.revision is None else f"{self.repo}@{self.revision}"


def resolve(text: str) -> Path | HubReference:
    """A folder if there is one of that name, else a dataset on the Hub.

    Raises:
        ReleaseError: It is neither.
    """
    if Path(text).is_dir():
        return Path(text)
    repo, _, revision = text.partition("@")
    if not _REPO.fullmatch(repo):
        raise ReleaseError(f"{text}: no such folder, and no name on the Hub. Expected USER/NAME@REVISION")
    return HubReference(repo, revision or None)


def check_repo(repo: str) -> None:
    """A name that a dataset can be published under.

    Raises:
        ReleaseError: It is none.
    """
    if not _REPO.fullmatch(repo):
        raise ReleaseError(f"{repo}: is no name on the Hub, expected USER/NAME")
