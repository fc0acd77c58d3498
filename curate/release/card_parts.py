"""The card's own part between two marks, and around it what people wrote, which stays as it is."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import yaml

from curate.errors import Problem, ReleaseError

CARD = "README.md"
_FRONT = re.compile(r"\A---\r?\n(.*?\n)---\r?\n?", re.DOTALL)
_BEGIN = re.compile(r"<!-- curate:begin sha256=([0-9a-f]{64}) -->\n")
_END = "<!-- curate:end -->\n"
_ANY_MARK = re.compile(r"<!--\s*curate:(?:begin|end)")
_OURS = (
    "pretty_name",
    "license",
    "language",
    "task_categories",
    "size_categories",
    "annotations_creators",
    "configs",
    "dataset_info",
)
"""Keys of the front matter that say what the release is; all others are left to people."""


def front_matter(card: str) -> dict[str, Any]:
    """The YAML at the head of a card.

    Raises:
        ValueError: There is none, or it is no mapping.
        yaml.YAMLError: It is no YAML.
    """
    found = _FRONT.match(card)
    data = yaml.safe_load(found.group(1)) if found else None
    if not isinstance(data, dict):
        raise ValueError("no front matter between two lines of ---")
    return data


def card_text(front: dict[str, Any], body: str) -> str:
    """A card of front matter and curate's own part, with nothing around it."""
    return f"{_head(front)}{_part(body)}"


def patched(written: str, ours: str) -> str:
    """A card in which curate's own part and keys are new, and everything else is as people wrote it.

    Args:
        written: The card as it stands; empty if there is none. Without curate's
            marks, its own part is put below.
        ours: A new card, from `card_text`.

    Raises:
        ReleaseError: A mark is missing, or somebody wrote between the marks.
    """
    if not written.strip():
        return ours
    problems = list(mark_problems(written)) if _ANY_MARK.search(written) else []
    try:
        theirs = front_matter(written) if _FRONT.match(written) else {}
    except (ValueError, yaml.YAMLError) as error:
        theirs = {}
        problems.append(Problem(CARD, f"front matter cannot be read: {' '.join(str(error).split())}"))
    if problems:
        raise ReleaseError("\n".join(str(problem) for problem in problems))
    body = _FRONT.sub("", written, count=1)
    part = ours[ours.index("<!-- curate:begin") :]
    begin = _BEGIN.search(body)
    if begin is None:
        around = (body.rstrip("\n") + "\n\n", "")
    else:
        around = (body[: begin.start()], body[body.index(_END) + len(_END) :])
    return f"{_head(_merged(theirs, front_matter(ours)))}{around[0]}{part}{around[1]}"


def mark_problems(card: str) -> Iterator[Problem]:
    """What is wrong with curate's own part of a card."""
    fix = "Write your own words above or below the marks; to have it made anew, remove it with its marks"
    begins, n_ends = list(_BEGIN.finditer(card)), card.count(_END)
    if len(begins) != 1 or n_ends != 1 or card.index(_END) < begins[0].end():
        found = f"{len(begins)} marks <!-- curate:begin --> and {n_ends} marks <!-- curate:end -->"
        yield Problem(CARD, f"has {found}, expected one of each in this order", fix)
        return
    between = card[begins[0].end() : card.index(_END)]
    if _digest(between) != begins[0].group(1):
        yield Problem(
            CARD, "somebody wrote between the marks <!-- curate:begin --> and <!-- curate:end -->", fix
        )


def _part(body: str) -> str:
    between = body if body.endswith("\n") else body + "\n"
    return f"<!-- curate:begin sha256={_digest(between)} -->\n{between}{_END}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _head(front: dict[str, Any]) -> str:
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=100)}---\n"


def _merged(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """Our keys new, tags of both, and their other keys behind."""
    tags = [
        *ours.get("tags", []),
        *(tag for tag in theirs.get("tags") or [] if tag not in ours.get("tags", [])),
    ]
    kept = {key: value for key, value in theirs.items() if key not in (*_OURS, "tags")}
    return {**ours, **({"tags": tags} if tags else {}), **kept}
