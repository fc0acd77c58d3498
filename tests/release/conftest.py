"""A synthetic run and its release, made once."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from curate.release.dataset import write_release

MODULES = ("synthetic_tables", "synthetic_media", "synthetic_asking", "synthetic")


def _synthetic() -> ModuleType:
    """The last of the modules; tests are no package, so each is loaded by its path, and found by name."""
    for name in MODULES:
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
            assert spec is not None
            assert spec.loader is not None
            sys.modules[name] = module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
    return sys.modules[MODULES[-1]]


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    return _synthetic()


@pytest.fixture(scope="session")
def release(synthetic: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of 24 clips; tests that damage it copy it first."""
    folder: Path = tmp_path_factory.mktemp("release") / "drawn-faces"
    write_release(folder, synthetic.make().content)
    return folder
