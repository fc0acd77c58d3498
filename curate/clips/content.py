"""The media of a source's clips: read, told apart by content, or set aside with the reason."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from curate.clips.finding import Finding, unreadable
from curate.clips.media import MediaStore
from curate.clips.notes import Notes
from curate.clips.pool import Progress, in_threads
from curate.clips.probe import Probe, probe, size_bytes
from curate.clips.raw import Given, RawClip
from curate.clips.source import Source
from curate.errors import MediaError
from curate.files import sha256_of

CLIP_ID_DIGITS = 16

MOST_BYTES = 2**31 - 1
"""What one value in a Parquet file can hold, and so the largest clip that can be released."""


@dataclass(frozen=True, slots=True)
class Content:
    """One file: digest and probe if it could be read, and what is to be said of it."""

    sha256: str = ""
    probe: Probe | None = None
    finding: Finding | None = None

    @property
    def clip_id(self) -> str:
        """The same bytes have the same id, whatever the file is called."""
        return self.sha256[:CLIP_ID_DIGITS]


def read_contents(source: Source, progress: Progress | None = None) -> list[Content]:
    """Digest and probe of every file, in the source's order."""
    return in_threads(partial(_read_one, source.store), source.raw, progress)


def kept_positions(source: Source, contents: Sequence[Content]) -> dict[int, int]:
    """Position of every clip that can be read to the position of the clip that it is kept as.

    Clips of the same content are kept as the first by name, which is the first
    of them in the mapping.
    """
    by_name = sorted(range(len(contents)), key=lambda i: (source.raw[i].name, source.raw[i].uri))
    first: dict[str, int] = {}
    return {i: first.setdefault(contents[i].sha256, i) for i in by_name if contents[i].probe}


def media_findings(source: Source, notes: Notes, contents: Sequence[Content]) -> list[Finding]:
    """Files that cannot be read, that can in spite of a fault, and that are copies of others."""
    copies = [
        _copy_finding(source, notes, position, kept)
        for position, kept in kept_positions(source, contents).items()
        if position != kept
    ]
    return [*(content.finding for content in contents if content.finding), *copies]


def _read_one(store: MediaStore, clip: RawClip) -> Content:
    try:
        place = store.open(clip.uri)
        _check_size(place)
        found = probe(place, clip.name)
        digest = _digest(place)
    except MediaError as error:
        return Content(finding=unreadable(clip.uri, clip.name, error))
    remark = Finding(clip.uri, clip.name, "media", found.remark, "read") if found.remark else None
    return Content(digest, found, remark)


def _digest(place: Path | bytes) -> str:
    if isinstance(place, bytes):
        return hashlib.sha256(place).hexdigest()
    try:
        return sha256_of(place)
    except OSError as error:
        raise MediaError(f"cannot be read to its end ({error.strerror})") from error


def _check_size(place: Path | bytes) -> None:
    # Told now, before anything is asked or answered about a clip that no release could hold.
    size = size_bytes(place)
    if size > MOST_BYTES:
        raise MediaError(f"is {size} bytes, but a release holds at most {MOST_BYTES} a clip: cut it")


def _copy_finding(source: Source, notes: Notes, position: int, kept: int) -> Finding:
    copy, original = source.raw[position], source.raw[kept]
    differences = [
        f"its {name} {theirs!r} gives way to {ours!r}"
        for name, theirs, ours in _values_beside(notes, position, kept)
        if theirs is not None and ours is not None and theirs != ours
    ]
    what = "; ".join([f"has the same content as {original.name}, which stands for both", *differences])
    return Finding(copy.uri, copy.name, "media", what)


def _values_beside(notes: Notes, position: int, kept: int) -> Iterator[tuple[str, object, object]]:
    theirs, ours = notes.given.get(position, Given()), notes.given.get(kept, Given())
    for column in fields(Given):
        yield column.name, getattr(theirs, column.name), getattr(ours, column.name)
    for name, gold in (("gold label", notes.gold), ("true label", notes.truth)):
        if position in gold and kept in gold:
            yield name, gold[position].label, gold[kept].label
    for name, said in notes.classifiers.items():
        yield f"probabilities of {name}", said.get(position), said.get(kept)
