"""The wheel in an environment of its own, and a release in one that has never heard of curate."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from curate.run_folder import Run

ROOT = Path(__file__).parents[1]
ASKED_FOR = """
from curate import tables
from curate.resources import resource
from typing import get_args
for name in get_args(tables.TableName):
    assert not tables.empty(name).height
for name in ("cards/dataset_card.md.j2", "cards/report.html.j2", "demo/questionnaire.yaml"):
    assert resource(name).is_file(), name
assert (resource("demo/model") / "model.safetensors").stat().st_size > 100_000
print(resource("schemas/clips.yaml"))
"""


LOADED = """
import sys
from importlib.util import find_spec
from datasets import load_dataset
assert find_spec("curate") is None and find_spec("pandera") is None
folder = sys.argv[1]
for config in ("default", "high_reliability", "low_reliability", "pseudo_labeled", "answers", "votes"):
    for split, rows in load_dataset(folder, config).items():
        print(config, split, rows.num_rows, len(rows[0]))
clip = load_dataset(folder, split="train")[0]
assert len(clip["video"]["bytes"]) > 1000
assert abs(sum(clip["soft_label"]) - 1) < 1e-6
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_brings_its_schemas_cards_and_model(
    wheel: Path, clean_python: Callable[..., Path], tmp_path: Path
) -> None:
    python = clean_python(tmp_path / "venv", wheel)
    found = subprocess.run(
        [python, "-c", ASKED_FOR], check=True, capture_output=True, text=True, cwd=tmp_path
    ).stdout
    assert "site-packages" in found, "the files come from the installed wheel, not from the checkout"
    curate = python.with_name("curate")
    subprocess.run([curate, "init", tmp_path / "new", "--domain", "emotion"], check=True, capture_output=True)
    checked = subprocess.run(
        [curate, "check", tmp_path / "new" / "recipe.yaml"], check=False, capture_output=True, text=True
    )
    assert checked.returncode == 1
    assert "labels.csv" in checked.stderr


def test_a_release_opens_where_curate_is_not_installed(
    finished: Run, clean_python: Callable[..., Path], tmp_path: Path
) -> None:
    python = clean_python(tmp_path / "venv", "datasets", "pillow")
    settings = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "cache")}
    command = [python, "-c", LOADED, finished.release]
    loaded = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=settings)
    assert loaded.returncode == 0, loaded.stderr
    counts = [int(line.split()[2]) for line in loaded.stdout.splitlines() if line.startswith("default ")]
    assert sum(counts) == finished.read("clips")["label_given"].count()
