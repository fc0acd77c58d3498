"""The dataset on disk: the same for the same seed, readable, and its truth in one file only."""

import csv
import sys
from pathlib import Path
from subprocess import run

import av
import numpy as np
import pytest

from curate.demo.cues import CLASSES, OPTIONS
from curate.demo.drawings import DemoTruth, draw_dataset, draw_truth

N_CLIPS = 6


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoTruth]:
    folder = tmp_path_factory.mktemp("drawn")
    return folder, draw_dataset(folder, n_clips=N_CLIPS, n_subjects=3, seed=11)


def test_a_seed_gives_the_same_bytes_and_another_seed_others(
    drawn: tuple[Path, DemoTruth], tmp_path: Path
) -> None:
    folder, _ = drawn
    draw_dataset(tmp_path / "again", n_clips=N_CLIPS, n_subjects=3, seed=11)
    draw_dataset(tmp_path / "other", n_clips=N_CLIPS, n_subjects=3, seed=12)
    assert _bytes_of(tmp_path / "again") == _bytes_of(folder)
    assert _bytes_of(tmp_path / "other") != _bytes_of(folder)


def test_clips_are_three_seconds_of_small_h264(drawn: tuple[Path, DemoTruth]) -> None:
    folder, truth = drawn
    for clip in truth.clips:
        with av.open(folder / clip.file, "r") as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
            assert (stream.width, stream.height, stream.average_rate) == (192, 192, 8)
            assert sum(1 for _ in container.decode(stream)) == 24


def test_the_tables_say_what_was_drawn(drawn: tuple[Path, DemoTruth]) -> None:
    folder, truth = drawn
    labels, votes, true = (_rows(folder / name) for name in ("labels.csv", "votes.csv", "truth.csv"))
    assert [tuple(row.values()) for row in labels] == [
        (c.file, c.given or "", c.subject) for c in truth.clips
    ]
    assert {(row["file"], row["annotator"], row["label"]) for row in votes} == {
        (clip.file, annotator, label) for clip in truth.clips for annotator, label in clip.votes.items()
    }
    assert true == [{"file": c.file, "label": c.label, **c.answers} for c in truth.clips]


def test_the_truth_is_in_no_other_file(drawn: tuple[Path, DemoTruth]) -> None:
    folder, _ = drawn
    there = ["clips", "keypoints.zip", "labels.csv", "truth.csv", "votes.csv"]
    assert sorted(path.name for path in folder.iterdir()) == there
    assert list(_rows(folder / "labels.csv")[0]) == ["file", "label", "subject"]
    assert list(_rows(folder / "votes.csv")[0]) == ["file", "annotator", "label"]
    assert list(_rows(folder / "truth.csv")[0]) == ["file", "label", *OPTIONS]
    words = {word.encode() for word in (*CLASSES, *sum(OPTIONS.values(), ())) if len(word) > 8}
    for path in (folder / "clips").iterdir():
        assert not any(word in path.read_bytes() for word in words)


def test_progress_is_told_after_each_clip(tmp_path: Path) -> None:
    told: list[int] = []
    draw_dataset(tmp_path, n_clips=2, n_subjects=1, seed=0, progress=lambda: told.append(1))
    assert len(told) == 2


def test_every_class_and_subject_appears_in_a_dataset_of_the_usual_size() -> None:
    truth = draw_truth(240, 16, np.random.default_rng(0))
    assert {clip.label for clip in truth.clips} == set(CLASSES)
    assert len({clip.subject for clip in truth.clips}) == 16


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="got 0 clips of 16 subjects"):
        draw_truth(0, 16, np.random.default_rng(0))


def test_drawing_needs_neither_torch_nor_transformers() -> None:
    code = "import sys, curate.demo.drawings; sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    assert run([sys.executable, "-c", code], check=False).returncode == 0


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
