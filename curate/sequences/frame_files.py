"""Which files, a frame each, belong to which clip, by their names alone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import gcd
from pathlib import PurePosixPath

from curate.clips.names import ClipNames
from curate.errors import MediaError

_NUMBER = re.compile(r"(?P<clip>.*?)[_.-]?(?P<number>\d{1,18})")
_ENDING = re.compile(r"(_keypoints)?\.json", re.IGNORECASE)
_MOST_GAP = 20
"""Frames a file, at most, beyond `_FEW`: a number that is wrong must not make a clip of millions."""
_FEW = 1000


@dataclass(frozen=True, slots=True, order=True)
class FrameFile:
    """A file with one frame."""

    number: int
    name: str


@dataclass(slots=True)
class FrameFiles:
    """Files by clip."""

    found: dict[int, list[FrameFile]] = field(default_factory=dict)
    """Position of a clip to its files, by rising number."""
    lost: list[str] = field(default_factory=list)
    """Names of files that no clip answers to."""
    unclear: list[str] = field(default_factory=list)
    """Names of files that several clips answer to."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """What the numbers of a clip's files say of their frames."""

    first: int
    step: int
    """Frames of the video from one file to the next."""
    n_frames: int
    """Those that have no file included."""

    def place(self, number: int) -> int:
        """Which of the frames a file holds."""
        return (number - self.first) // self.step


def frame_files(file_names: Sequence[str], names: ClipNames) -> FrameFiles:
    """Sort files by clip and frame.

    A file is called as the clip with a number, CLIP_000000000012_keypoints.json,
    or as the clip alone, as OpenPose does for images; or lies in a folder that is
    called as the clip, and ends with a number. A path that names a clip within
    its folder goes before a name alone.

    Args:
        file_names: Paths with / between their parts, ending in .json.
        names: Of the clips.
    """
    files = FrameFiles()
    for name in file_names:
        places, number = _clip_of(name, names)
        if len(places) == 1:
            files.found.setdefault(places[0], []).append(FrameFile(number, name))
        else:
            (files.unclear if places else files.lost).append(name)
    for found in files.found.values():
        found.sort()
    return files


def numbering(files: Sequence[FrameFile]) -> Numbering:
    """How the frames of one clip are numbered.

    Numbers count from 0, or from 1 if that is the first. If all are a step of
    more than one apart, as OpenPose's --frame_step makes them, there are no
    frames between. Other numbers that are missing are frames without anybody. A
    file alone is one frame.

    Args:
        files: Of one clip, by rising number, at least one.

    Raises:
        MediaError: A number is there twice, or the numbers cannot be those of frames.
    """
    numbers = [file.number for file in files]
    for file, later in pairwise(files):
        if file.number == later.number:
            raise MediaError(f"has two files of frame {file.number}: {file.name} and {later.name}")
    # Of a single file, the difference is 0: it is one frame, whatever its number.
    step = gcd(*(number - numbers[0] for number in numbers)) or max(1, numbers[0])
    first = numbers[0] if numbers[0] <= step else numbers[0] % step
    n_frames = (numbers[-1] - first) // step + 1
    if n_frames > _MOST_GAP * len(files) + _FEW:
        raise MediaError(f"has {len(files)} files, but numbers up to {numbers[-1]} ({files[-1].name})")
    return Numbering(first, step, n_frames)


def _clip_of(name: str, names: ClipNames) -> tuple[tuple[int, ...], int]:
    """Positions of the clips that a file can belong to, and the number of its frame."""
    ways = _ways(_ENDING.sub("", name))
    return next(((found, number) for text, number in ways if (found := names.find(text))), ((), 0))


def _ways(path: str) -> Iterator[tuple[str, int]]:
    """What can be the clip's name in a file's path, with the frame's number then; the most exact first."""
    folder, _, base = path.rpartition("/")
    numbered = _NUMBER.fullmatch(base)
    number = int(numbered["number"]) if numbered else 0
    above = [parent.as_posix() for parent in PurePosixPath(path).parents][:-1]
    yield path, 0
    if numbered and numbered["clip"]:
        yield path[: len(path) - len(base)] + numbered["clip"], number
    yield from ((parent, number) for parent in above)
    # In a folder, a number alone is that of a frame.
    if not (folder and base.isdecimal()):
        yield base, 0
    if numbered and numbered["clip"]:
        yield numbered["clip"], number
    yield from ((PurePosixPath(parent).name, number) for parent in above)
