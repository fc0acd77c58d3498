"""Whole trainings on a small release: what a model learns, and that nothing but the settings matters."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from train_reference import load
from train_reference.errors import TrainError
from train_reference.settings import Settings, read_settings
from train_reference.training.material import prepare
from train_reference.training.run import Result, open_accelerator, train

SMALL = ("model.width=16", "model.depth=1", "model.n_heads=2", "schedule.batch_size=8", "threads=1")
ROOT = Path(__file__).parents[3]


def trained(release: Path, out: Path, *pairs: str, told: Any = lambda row: None) -> Result:
    settings = read_settings([*SMALL, *pairs])
    accelerator = open_accelerator(settings)
    material = prepare(str(release), settings, out / "sequences", None, accelerator.device)
    return train(material, settings, out / "run", accelerator, told)


def losses(result: Result) -> list[float]:
    return [row["loss"] for row in result.curves]


def test_it_learns_what_the_key_points_tell(release: Path, tmp_path: Path) -> None:
    trained(release, tmp_path, "schedule.epochs=12", "optimiser.learning_rate=3e-3")
    measured = json.loads((tmp_path / "run" / "metrics.json").read_text())
    # Classes lie four standard deviations of a point apart: unseen subjects are told almost surely.
    assert measured["measured"]["accuracy"]["value"] >= 0.9
    written = {path.name for path in (tmp_path / "run").iterdir()}
    assert written >= {
        "model.safetensors",
        "config.json",
        "README.md",
        "confusion.png",
        "calibration.png",
        "curves.png",
        "predictions.parquet",
        "logs",
    }


def test_three_lines_reload_it(release: Path, tmp_path: Path) -> None:
    result = trained(release, tmp_path, "schedule.epochs=2")
    model = load(tmp_path / "run")
    clip_ids, said = model.predict(str(release), cache=tmp_path / "cache")
    # Test clips are those of subjects 4 and 9: clips 24 to 29 and 54 to 59.
    rows = [*range(24, 30), *range(54, 60)]
    np.testing.assert_allclose(said[rows], result.said, atol=1e-6)
    assert clip_ids[24] == f"{24:016x}"
    assert model.classes == ("low", "middle", "high")


def test_the_same_seed_gives_the_same_losses(release: Path, tmp_path: Path) -> None:
    first = trained(release, tmp_path / "a", "schedule.epochs=2")
    again = trained(release, tmp_path / "b", "schedule.epochs=2")
    other = trained(release, tmp_path / "c", "schedule.epochs=2", "seed=1")
    assert losses(first) == losses(again)
    assert losses(first) != losses(other)
    np.testing.assert_array_equal(first.said, again.said)


@pytest.mark.parametrize("arm", ["curriculum", "elr"])
def test_who_is_stopped_goes_on_to_the_same_next_loss(arm: str, release: Path, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    looks = 0

    def stop(row: Mapping[str, Any]) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise Stopped

    pairs = (f"arm={arm}", "schedule.epochs=6")
    whole = trained(release, tmp_path / "whole", *pairs)
    with pytest.raises(Stopped):
        trained(release, tmp_path / "stopped", *pairs, told=stop)
    after: list[float] = []
    result = trained(release, tmp_path / "stopped", *pairs, told=lambda row: after.append(row["loss"]))
    assert losses(result) == losses(whole)
    assert after == losses(whole)[3:]
    np.testing.assert_array_equal(result.said, whole.said)


def test_a_batch_in_parts_is_the_same_batch(release: Path, tmp_path: Path) -> None:
    pairs = ("schedule.epochs=2", "model.dropout=0")
    whole = trained(release, tmp_path / "a", *pairs)
    parts = trained(release, tmp_path / "b", *pairs, "optimiser.accumulate=3")
    assert losses(parts) == pytest.approx(losses(whole), rel=1e-4)


def test_two_processes_are_the_same_as_one(release: Path, tmp_path: Path) -> None:
    pairs = [*SMALL, "schedule.epochs=3", "model.dropout=0", "schedule.batch_size=7"]
    for n, name in ((1, "one"), (2, "two")):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1"]
        command += [
            f"--nproc-per-node={n}",
            "-m",
            "train_reference",
            str(release),
            "--out",
            str(tmp_path / name),
            *pairs,
        ]
        environ = {
            **os.environ,
            "ACCELERATE_USE_CPU": "true",
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
        }
        ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environ, timeout=120)
        assert ran.returncode == 0, ran.stderr
    one, two = (json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("one", "two"))
    assert [row["loss"] for row in two["curves"]] == pytest.approx(
        [row["loss"] for row in one["curves"]], rel=1e-4
    )
    assert two["measured"]["nll"]["value"] == pytest.approx(one["measured"]["nll"]["value"], rel=1e-3)


def test_training_ends_when_validation_gets_no_better(release: Path, tmp_path: Path) -> None:
    pairs = ("schedule.epochs=30", "schedule.patience=2", "optimiser.learning_rate=1e-12")
    assert len(trained(release, tmp_path, *pairs).curves) < 10


@pytest.mark.parametrize("loss", ["corn", "squared_emd"])
@pytest.mark.parametrize("sampler", ["class_balanced", "square_root"])
def test_other_losses_and_samplers_train_as_well(
    loss: str, sampler: str, release: Path, tmp_path: Path
) -> None:
    pairs = (
        f"loss={loss}",
        f"schedule.sampler={sampler}",
        "schedule.epochs=4",
        "optimiser.learning_rate=3e-3",
    )
    found = losses(trained(release, tmp_path, *pairs))
    assert found[-1] < found[0]


def test_other_settings_do_not_go_on_with_a_folder(release: Path, tmp_path: Path) -> None:
    trained(release, tmp_path, "schedule.epochs=1")
    with pytest.raises(
        TrainError, match=r"seed: was 0 when .* was begun, and is 1. Name another folder with --out"
    ):
        trained(release, tmp_path, "schedule.epochs=1", "seed=1")


def test_another_order_of_classes(written: Any, tmp_path: Path) -> None:
    trained(written.write(), tmp_path, "schedule.epochs=1")
    written.classes = ("high", "middle", "low")
    with pytest.raises(
        TrainError, match="column label: has the classes high, middle, low, and the model low, middle"
    ):
        load(tmp_path / "run").predict(str(written.write()), cache=tmp_path / "cache")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_damaged_model_is_named(name: str, release: Path, tmp_path: Path) -> None:
    trained(release, tmp_path, "schedule.epochs=1")
    (tmp_path / "run" / name).write_bytes(b"{}")
    with pytest.raises(
        TrainError, match=r"run: cannot be loaded .* Train it again, or copy the whole folder"
    ):
        load(tmp_path / "run")


def test_logit_adjustment_needs_a_logit_a_class(release: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="adjust: adjust=logit_adjusted needs a logit a class"):
        trained(release, tmp_path, "loss=corn", "adjust=logit_adjusted")


def test_precision_and_device_are_those_of_this_machine() -> None:
    accelerator = open_accelerator(Settings())
    assert accelerator.mixed_precision == ("bf16" if torch.cuda.is_available() else "no")
