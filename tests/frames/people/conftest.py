"""A detector for the tests of people, found by name though tests are no package."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an RT-DETRv2 of random weights."""
    spec = importlib.util.spec_from_file_location("tiny_detector", Path(__file__).parent / "tiny_detector.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder: Path = module.rtdetr_v2(tmp_path_factory.mktemp("models") / "rtdetr-tiny")
    return folder
