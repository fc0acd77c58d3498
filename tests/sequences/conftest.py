"""Vision models for the tests of embeddings, found by name though tests are no package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _tiny_vision() -> ModuleType:
    name = "tiny_vision"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TINY_VISION = _tiny_vision()


@pytest.fixture(scope="session")
def tiny_dinov2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a DINOv2 of random weights."""
    folder: Path = TINY_VISION.dinov2(tmp_path_factory.mktemp("models") / "dinov2-tiny")
    return folder
