"""Which clip a label file means by a name."""

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath


def _whole(name: str) -> str:
    return name


def _without_suffix(name: str) -> str:
    return posixpath.splitext(name)[0]


def _file_name(name: str) -> str:
    return PurePosixPath(name).name


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


_LEVELS: tuple[Callable[[str], str], ...] = (_whole, _without_suffix, _file_name, _stem)
"""Ways to call a clip, from the exact to the loose; the first that any clip answers to counts."""


@dataclass(frozen=True, slots=True)
class ClipNames:
    """Finds clips by path within the folder, file name or stem."""

    names: tuple[str, ...]
    levels: tuple[Mapping[str, tuple[int, ...]], ...]
    folder: str = ""
    """Name of the clips' own folder, which label files beside it put before a path."""

    def find(self, text: str) -> tuple[int, ...]:
        """Positions of the clips that `text` can mean: none, one, or several when it is ambiguous."""
        path = text.replace("\\", "/").removeprefix("./")
        ways = (text, path, path.removeprefix(f"{self.folder}/"))
        return next((level[asked] for level in self.levels for asked in ways if asked in level), ())

    def near(self, text: str) -> str:
        """Advice on a name that no clip answers to."""
        same_stem = self.levels[-1].get(_stem(text.replace("\\", "/")), ())
        return f"Did you mean {self.names[same_stem[0]]}?" if same_stem else ""


def clip_names(names: Iterable[str], folder: str = "") -> ClipNames:
    """Index clips by every way to call them."""
    listed = tuple(names)
    return ClipNames(listed, tuple(_index(listed, level) for level in _LEVELS), folder)


def _index(names: Sequence[str], level: Callable[[str], str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        found.setdefault(level(name), []).append(position)
    return {key: tuple(positions) for key, positions in found.items()}
