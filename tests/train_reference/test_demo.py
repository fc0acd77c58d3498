"""The demo's release, end to end, as people start the trainer; and the script for GPUs, without one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from curate.release.hub.publish import Target, publish
from curate.run_folder import Run
from train_reference.__main__ import main

ROOT = Path(__file__).parents[2]


def test_the_demo_trains(finished: Run, tmp_path: Path) -> None:
    settings = ["modalities=keypoints", "model.width=16", "schedule.epochs=1", "threads=1", "arm=soft"]
    release = finished.folder / "release"
    truth = finished.folder.parent / "truth.csv"
    assert main([str(release), "--out", str(tmp_path / "out"), "--truth", str(truth), *settings]) == 0
    measured = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert measured["truth"] == "truth.csv"
    assert set(measured["measured"]) == {"macro_f1", "accuracy", "uar", "nll", "ece"}


def test_a_version_on_the_hub_trains(hub: Any, finished: Run, tmp_path: Path) -> None:
    publish(finished.release, Target("user/drawn-engagement"))
    hub.requests.clear()
    settings = ["modalities=keypoints", "model.width=16", "schedule.epochs=1", "threads=1", "arm=soft"]
    asked = ["user/drawn-engagement", "revision=v1.0.0", "--out", str(tmp_path / "out"), *settings]
    ran = subprocess.run(
        [sys.executable, "-m", "train_reference", *asked],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "datasets:\n- user/drawn-engagement\n" in card
    assert "v1.0.0" in card
    fetched = {path for method, path in hub.requests if method == "GET" and "/resolve/" in path}
    assert not any("/answers/" in path or "/votes/" in path for path in fetched)


def test_it_imports_nothing_of_curate() -> None:
    program = (
        "import sys, train_reference.__main__\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'curate'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_the_script_for_gpus_runs() -> None:
    script = [sys.executable, ROOT / "benchmarks" / "trainer_gpu.py", "--tiny"]
    ran = subprocess.run(script, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "TFLOP/s; a matrix product reaches" in ran.stdout
    assert "waiting for data" in ran.stdout
