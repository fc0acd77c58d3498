"""FiftyOne with a home and a database of its own, and a browser."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from curate.show.view.part import load_fiftyone

START_S = 120.0
"""What FiftyOne may take to start, on a slow machine."""


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a MongoDB of the tests' own.

    FiftyOne by itself would join whichever of its databases runs on this machine already.
    """
    program = find_mongod()
    if program is None:
        pytest.skip("no MongoDB here: install FiftyOne with a connection to the internet to run this test")
    folder, port = tmp_path_factory.mktemp("mongod"), free_port()
    command = [
        program,
        "--dbpath",
        str(folder),
        "--port",
        str(port),
        "--bind_ip",
        "127.0.0.1",
        "--nounixsocket",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield f"mongodb://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What makes FiftyOne keep everything in a folder of the tests, its database too."""
    home = tmp_path_factory.mktemp("fiftyone")
    return {"HOME": str(home), "FIFTYONE_DATABASE_DIR": str(home / "database"), "FIFTYONE_DO_NOT_TRACK": "1"}


@pytest.fixture(scope="session")
def fiftyone_environ(own_home: dict[str, str], mongod: str) -> dict[str, str]:
    """The same, with the database that runs already."""
    return own_home | {"FIFTYONE_DATABASE_URI": mongod}


@pytest.fixture(scope="session")
def fo(fiftyone_environ: dict[str, str]) -> Any:
    """FiftyOne, loaded as curate loads it."""
    kept = {name: os.environ.get(name) for name in fiftyone_environ}
    os.environ.update(fiftyone_environ)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return load_fiftyone()
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


@pytest.fixture
def port() -> int:
    """One that is free."""
    return free_port()


def find_mongod() -> str | None:
    """The program that FiftyOne brought, or one that is installed."""
    found = importlib.util.find_spec("fiftyone")
    places = (
        [Path(place) / "db" / "bin" / "mongod" for place in found.submodule_search_locations or ()]
        if found
        else []
    )
    return next((str(place) for place in places if place.is_file()), shutil.which("mongod"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nothing answers at port {port}")


@pytest.fixture
def served(fiftyone_environ: dict[str, str]) -> Callable[..., Any]:
    """Serves the App as `curate view` does, in a process of its own: a context of its address."""

    @contextmanager
    def serve(folder: Path, *options: str, environ: dict[str, str] | None = None) -> Iterator[str]:
        program = Path(sys.executable).with_name("curate")
        command = [program, "view", str(folder), "--port", str(free_port()), "--no-browser", *options]
        environ = os.environ | (environ or fiftyone_environ) | {"PYTHONUNBUFFERED": "1"}
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
