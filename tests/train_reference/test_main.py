"""The command line, and comparisons by it."""

import json
from pathlib import Path
from typing import Any

import pytest

from train_reference.__main__ import main

SMALL = ["model.width=8", "model.depth=0", "model.n_heads=2", "schedule.batch_size=16", "threads=1"]


def test_training_says_what_came_of_it(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(release), "--out", str(out), *SMALL, "schedule.epochs=1", "arm=soft"]) == 0
    told = capsys.readouterr()
    assert "12 test clips of 2 groups, against the release's refined labels" in told.out
    assert "macro_f1" in told.out
    assert f"model: {out}" in told.out
    assert "arm soft, keypoints, on cpu" in told.err
    card = (out / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: pytorch")
    assert "model = load(" in card


def test_comparing(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    command = [
        "compare",
        str(release),
        "--out",
        str(out),
        "--arms",
        "given,random-split,curriculum",
        "--seeds",
        "2",
    ]
    assert main([*command, *SMALL, "schedule.epochs=2"]) == 0
    told = capsys.readouterr().out
    assert "12 test clips of 2 groups, 2 seeds" in told
    assert "curriculum against given: " in told
    assert "curriculum against random-split: " in told
    found = json.loads((out / "comparison.json").read_text())
    assert set(found["measured"]) == {"given", "random-split", "curriculum"}
    assert (out / "comparison.png").stat().st_size > 1000
    # Run again, nothing is trained a second time.
    before = {path: path.stat().st_mtime_ns for path in out.rglob("model.safetensors")}
    assert len(before) == 6
    assert main([*command, *SMALL, "schedule.epochs=2"]) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing/here"], "nothing/here: is no folder"),
        (["RELEASE", "arm=best"], "arm: best is no arm; there are given"),
        (["RELEASE", "loss=l2"], "loss: input should be 'soft_cross_entropy', 'corn' or 'squared_emd'"),
        (["RELEASE", "model.width=100", "model.n_heads=3"], "width 100 must be a multiple of twice n_heads"),
        (
            ["compare", "RELEASE", "--arms", "soft,best", "--jobs", "2", "--seeds", "1", *SMALL],
            "best is no arm",
        ),
        (["compare", "RELEASE", "--arms", "soft,soft"], "--arms, --seeds: got arms soft, soft and 5 seeds"),
    ],
)
def test_what_cannot_be_done_is_one_message(
    arguments: list[str], said: str, release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(release) if one == "RELEASE" else one for one in arguments]
    assert main([*given, "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert "error: " in told
    assert said in told
    assert "Traceback" not in told


def test_two_trainings_at_a_time(release: Path, tmp_path: Path, capsys: Any) -> None:
    command = [
        "compare",
        str(release),
        "--out",
        str(tmp_path / "out"),
        "--arms",
        "given,soft",
        "--seeds",
        "1",
    ]
    assert main([*command, "--jobs", "2", *SMALL, "schedule.epochs=1"]) == 0
    assert "soft" in capsys.readouterr().out
