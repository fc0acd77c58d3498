"""Processes that decode on command, each in the environment that has its library."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
SCRIPT = Path(__file__).with_name("peers.py")


class Reader:
    """A process of `peers.py`, warm, that waits for the next command."""

    def __init__(self, reader: str, video: Path, count: int) -> None:
        """Start it, and wait until it has decoded once.

        Raises:
            RuntimeError: It cannot, such as where its library does not load.
        """
        is_ours = reader.startswith("curate")
        python = sys.executable if is_ours else str(PEERS_PYTHON)
        self._process = subprocess.Popen(
            [python, str(SCRIPT), reader, str(video), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ) if is_ours else _environment(),
        )
        if self._next().get("taken") != count:
            _, said = self._process.communicate()
            raise RuntimeError(f"{reader} did not decode: {said.strip().splitlines()[-1:]}")

    def cpu_s(self) -> float:
        """Decode once more."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._next()["cpu_s"]

    def _next(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line else {}

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._process.communicate()


def rounds(names: Sequence[str], video: Path, count: int, n_rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each reader in every round; readers take turns, so that all meet the same machine.

    A peer whose library does not load is named and left out.
    """
    took: dict[str, list[float]] = {}
    with ExitStack() as stack:
        readers = {}
        for name in names:
            try:
                readers[name] = stack.enter_context(Reader(name, video, count))
            except RuntimeError as error:
                if name.startswith("curate"):
                    raise
                print(f"left out: {error}")
        for _ in range(n_rounds):
            for name, reader in readers.items():
                took.setdefault(name, []).append(reader.cpu_s())
    return took


def ratio(took: Mapping[str, Sequence[float]], name: str, beside: str) -> float:
    """Median over rounds of one reader's time by another's in the same round."""
    return median(one / other for one, other in zip(took[name], took[beside], strict=True))


def has_peers() -> bool:
    """Whether `make peers` made their environment."""
    return PEERS_PYTHON.is_file()


def _environment() -> dict[str, str]:
    """Torchcodec brings no FFmpeg: it finds PyAV's under the names that `make peers` gives it."""
    libraries = next(PEERS_PYTHON.parents[1].glob("lib/python*/site-packages/av.libs"), Path())
    return {**os.environ, "LD_LIBRARY_PATH": str(libraries)}
