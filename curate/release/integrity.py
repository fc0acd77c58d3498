"""The bytes of a release: written down when it is made, compared when it is checked.

`provenance/release.json` names every file but itself and the card, with its
sha256 and size. The card is left out because people write in it; its own part
is under a digest of its own (`curate.release.card_parts`).
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as pq

from curate.clips.pool import in_threads
from curate.errors import Problem, in_short
from curate.files import sha256_of, write_text
from curate.release.card_parts import CARD

FACTS = "provenance/release.json"
FORMAT = 1
"""Raised when a release is laid out in a way that earlier readers would take for something else."""
CLAIMS = ("format", "files")
"""Keys that this module writes itself."""
_UNDER_NO_DIGEST = (FACTS, CARD)


def write_facts(folder: Path, facts: Mapping[str, object]) -> None:
    """Write down what the release is, and the digest of each of its files.

    Args:
        folder: The finished release.
        facts: Name, version and what else is to stand in the file; ready for JSON.
    """
    names = released_files(folder)
    digests = in_threads(lambda name: sha256_of(folder / name), names)
    files = {
        name: {"sha256": digest, "bytes": (folder / name).stat().st_size}
        for name, digest in zip(names, digests, strict=True)
    }
    text = json.dumps(
        {"format": FORMAT, **facts, "files": files}, ensure_ascii=False, indent=1, sort_keys=True
    )
    write_text(folder / FACTS, text + "\n")


def read_facts(folder: Path) -> Mapping[str, Any]:
    """What `write_facts` wrote; empty where it cannot be read, which `integrity_problems` tells."""
    try:
        found = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def released_files(folder: Path) -> list[str]:
    """Every file under a digest, by its path within the release."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in paths if path not in _UNDER_NO_DIGEST)


def is_from_the_future(folder: Path) -> Problem | None:
    """What is said of a release that a later curate wrote: nothing else of it can be judged."""
    found = read_facts(folder).get("format", FORMAT)
    if isinstance(found, int) and found <= FORMAT:
        return None
    what = f"has format {found!r}, and this curate reads formats up to {FORMAT}"
    return Problem(FACTS, what, "Update curate")


def integrity_problems(folder: Path) -> Iterator[Problem]:
    """Files that are missing, that nobody wrote down, or that are not as they were written."""
    told = read_facts(folder).get("files")
    if not isinstance(told, dict) or not told:
        yield Problem(FACTS, "is missing or cannot be read, so that no file can be held against it", _AGAIN)
        return
    found = released_files(folder)
    for name in sorted(told.keys() - set(found)):
        yield Problem(name, "is missing", _AGAIN)
    for name in sorted(set(found) - told.keys()):
        yield Problem(name, f"is not among the files in {FACTS}", "Remove it, or write the release again")
    both = [name for name in found if name in told]
    for name, digest in zip(both, in_threads(lambda one: sha256_of(folder / one), both), strict=True):
        if digest != told[name].get("sha256"):
            yield Problem(
                name, f"{_size(folder / name, told[name])}, expected the bytes that were written", _AGAIN
            )
            yield from _broken_columns(folder, name)


_AGAIN = "Fetch this file again, or write the release again"


def _size(path: Path, told: Mapping[str, Any]) -> str:
    size, expected = path.stat().st_size, told.get("bytes")
    return "was edited or damaged" if size == expected else f"has {size} bytes instead of {expected}"


def _broken_columns(folder: Path, name: str) -> Iterator[Problem]:
    """Columns of a Parquet file that can no longer be read, with the rows."""
    if not name.endswith(".parquet"):
        return
    try:
        with pq.ParquetFile(folder / name, page_checksum_verification=True) as opened:
            first = 0
            for group in range(opened.num_row_groups):
                last = first + opened.metadata.row_group(group).num_rows
                for column in opened.schema_arrow.names:
                    try:
                        opened.read_row_group(group, columns=[column])
                    except (OSError, arrow.ArrowException) as error:
                        found = f"cannot be read ({in_short(error, 120)})"
                        what = f"column {column}, rows {first} to {last - 1}: {found}"
                        yield Problem(name, what, _AGAIN)
                first = last
    except (OSError, arrow.ArrowException) as error:
        yield Problem(name, f"cannot be read as Parquet: {in_short(error, 120)}", _AGAIN)
