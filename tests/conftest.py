"""What all tests share."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from curate.demo.demonstrate import demonstrate
from curate.run_folder import Run

ROOT = Path(__file__).parents[1]
N_CLIPS = 24


def _chat_server() -> ModuleType:
    """Tests are no package: what several folders share is loaded by its path, and found by its name."""
    spec = importlib.util.spec_from_file_location("chat_server", Path(__file__).parent / "chat_server.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules["chat_server"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHAT = _chat_server()


@pytest.fixture
def server() -> Iterator[Any]:
    """A server that speaks the chat protocol (chat_server.ChatServer)."""
    running = CHAT.ChatServer()
    yield running
    running.close()


@pytest.fixture
def body() -> Callable[..., bytes]:
    """Makes the body of a chat completion."""
    made: Callable[..., bytes] = CHAT.chat_body
    return made


def _uv(*arguments: str | Path) -> None:
    """Run uv, which fills environments from its cache in seconds."""
    links = os.environ.get("PIP_FIND_LINKS")
    extra = ["--find-links", links] if links and arguments[0] == "pip" else []
    command = [sys.executable, "-m", "uv", *map(str, arguments), *extra]
    subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)


def _environment(folder: Path, *packages: str | Path) -> Path:
    """A new environment that holds just these packages; the path of its Python."""
    _uv("venv", "--python", sys.executable, folder)
    python = folder / "bin" / "python"
    _uv("pip", "install", "--python", python, "-c", ROOT / "constraints.txt", *packages)
    return python


@pytest.fixture(scope="session")
def clean_python() -> Callable[..., Path]:
    """Makes a Python with just these packages, in a folder: (folder, *packages) -> its program."""
    return _environment


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The whole road on a few drawn clips, answered by the model that ships."""
    folder = tmp_path_factory.mktemp("demo")
    return demonstrate(folder, lambda stage, done, total: None, n_clips=N_CLIPS, seed=7)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The test data folder: real clips, real votes, broken files; it is not part of the project."""
    folder = Path(os.environ.get("CURATE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the test data folder is absent ({folder}); set CURATE_TEST_DATA to run this test")
    return folder.resolve()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With CURATE_NO_SKIPS set, as in the gate, a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("CURATE_NO_SKIPS") and exitstatus == 0:
        reporter.write_line(
            f"{len(skipped)} skipped, and CURATE_NO_SKIPS is set: that is a failure", red=True
        )
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
