"""FiftyOne with a home and a database of its own, and a browser."""

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from curate.errors import MissingPartError
from curate.show.view.part import load_fiftyone

START_S = 120.0
"""What FiftyOne may take to start, on a slow machine."""


@pytest.fixture(scope="session")
def fiftyone_environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What makes FiftyOne keep everything in a folder of the tests."""
    home = tmp_path_factory.mktemp("fiftyone")
    return {"HOME": str(home), "FIFTYONE_DATABASE_DIR": str(home / "database"), "FIFTYONE_DO_NOT_TRACK": "1"}


@pytest.fixture(scope="session")
def fo(fiftyone_environ: dict[str, str]) -> Any:
    """FiftyOne, loaded as curate loads it."""
    kept = {name: os.environ.get(name) for name in fiftyone_environ}
    os.environ.update(fiftyone_environ)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return load_fiftyone()
    except MissingPartError as error:
        pytest.skip(f"FiftyOne cannot be used here: {error}")
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


@pytest.fixture
def served(fo: Any, fiftyone_environ: dict[str, str]) -> Callable[..., Any]:
    """Serves the App as `curate view` does, in a process of its own: a context of its address."""

    @contextmanager
    def serve(folder: Path, port: int, *options: str) -> Iterator[str]:
        program = Path(sys.executable).with_name("curate")
        command = [program, "view", str(folder), "--port", str(port), "--no-browser", *options]
        environ = os.environ | fiftyone_environ | {"PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield _address(process)
            finally:
                process.terminate()
                process.wait(START_S)

    return serve


def _address(process: subprocess.Popen[str]) -> str:
    told = []
    until_s = time.monotonic() + START_S
    assert process.stdout is not None
    for line in process.stdout:
        told.append(line)
        if line.startswith("open: "):
            return line.removeprefix("open: ").strip()
        if time.monotonic() > until_s:
            break
    raise AssertionError("".join(told))
