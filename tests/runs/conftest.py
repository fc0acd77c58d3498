"""Whole runs over HTTP, against servers that see and servers that are not well."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from curate import cli

for name in ("eyes", "inputs", "left"):
    # Tests are no package: what the files of this folder share is loaded by its path, and found by name.
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


@dataclass(frozen=True)
class Typed:
    """What came of a command line."""

    code: int
    out: str
    err: str


@pytest.fixture
def curate(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Typed]:
    """The program `curate` with these arguments, in this process: it starts many times faster so."""

    def typed(*arguments: str | Path) -> Typed:
        monkeypatch.setattr(sys, "argv", ["curate", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        return Typed(int(ended.value.code or 0), out, err)

    return typed
