"""The Hub on loopback, and the real client that talks to it."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.utils import disable_progress_bars, enable_progress_bars


def _server() -> ModuleType:
    path = Path(__file__).parents[2] / "hub_server.py"
    spec = importlib.util.spec_from_file_location("hub_server", path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules["hub_server"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SERVER = _server()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """hub_server.Hub; whatever asks for the Hub in this test, or in a process that it starts, finds it."""
    running = SERVER.Hub()
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
