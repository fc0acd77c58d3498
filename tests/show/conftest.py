"""The synthetic run of the release's tests, which is what a report is made of."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    name = "curate_tests_synthetic"
    if name not in sys.modules:
        place = Path(__file__).parents[1] / "release" / "synthetic.py"
        spec = importlib.util.spec_from_file_location(name, place)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]
