"""The synthetic run of the release's tests, which is what a report is made of."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

MODULES = ("synthetic_tables", "synthetic_media", "synthetic_asking", "synthetic")


def _synthetic() -> ModuleType:
    """The last of the modules; tests are no package, so each is loaded by its path, and found by name."""
    for name in MODULES:
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(
                name, Path(__file__).parents[1] / "release" / f"{name}.py"
            )
            assert spec is not None
            assert spec.loader is not None
            sys.modules[name] = module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
    return sys.modules[MODULES[-1]]


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    return _synthetic()
