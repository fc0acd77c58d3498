"""What all tests share."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.utils import disable_progress_bars, enable_progress_bars
from playwright.sync_api import sync_playwright

from curate.demo.demonstrate import demonstrate
from curate.run_folder import Run

ROOT = Path(__file__).parents[1]
N_CLIPS = 24


def _shared(name: str) -> ModuleType:
    """Tests are no package: what several folders share is loaded by its path, and found by its name."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHAT, HUB = _shared("chat_server"), _shared("hub_server")


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


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """hub_server.Hub; whatever asks for the Hub in this test, or in a process that it starts, finds it."""
    running = HUB.Hub()
    for name, value in {
        "HF_ENDPOINT": running.url,
        "HF_TOKEN": "hf_of_the_test",
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_DISABLE_XET": "1",
    }.items():
        monkeypatch.setenv(name, value)
    # The client reads its environment when it is loaded.
    monkeypatch.setattr(constants, "ENDPOINT", running.url)
    template = running.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    disable_progress_bars()
    yield running
    enable_progress_bars()
    running.close()


@pytest.fixture
def api(hub: Any) -> HfApi:
    return HfApi(endpoint=hub.url, token="hf_of_the_test")


@pytest.fixture(scope="session")
def clean_python() -> Callable[..., Path]:
    """Makes a Python with just these packages, in a folder: (folder, *packages) -> its program."""
    return _environment


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The whole road on a few drawn clips, answered by the model that ships."""
    folder = tmp_path_factory.mktemp("demo")
    return demonstrate(folder, lambda stage, done, total: None, n_clips=N_CLIPS, seed=7)


@pytest.fixture(scope="module")
def browser(finished: Run) -> Iterator[Any]:
    """Chromium, driven by playwright; it reaches nothing but this machine.

    While it is open nothing else can run a loop of asyncio: so the finished run is made before.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium here: install it to run this test")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=quiet)
        yield running
        running.close()


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
