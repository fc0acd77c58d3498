"""A small release, written as curate writes one, of clips whose class their key points tell."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml

from train_reference.data.clips import NO_LABEL, Clips

CLASSES = ("low", "middle", "high")
SPLITS = ("train", "train", "train", "validation", "test")
"""Of the clips of each subject in turn."""


@dataclass
class Written:
    """A release on disk, and its rows, to be changed and written again."""

    folder: Path
    rows: list[dict[str, Any]]
    pseudo: list[dict[str, Any]] = field(default_factory=list)
    sequences: dict[str, pl.DataFrame] = field(default_factory=dict)
    classes: Sequence[str] = CLASSES

    def write(self) -> Path:
        """Write everything anew."""
        configs = []
        for config, rows in (("default", self.rows), ("pseudo_labeled", self.pseudo)):
            folder = {"default": "data", "pseudo_labeled": "pseudo"}[config]
            if rows:
                path = self.folder / folder / "all-00000-of-00001.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_clips(path, rows, self.classes)
                files = [{"split": "train", "path": f"{folder}/all-*.parquet"}]
                configs.append({"config_name": config, "data_files": files})
        for name, table in self.sequences.items():
            (self.folder / name).mkdir(exist_ok=True)
            table.write_parquet(self.folder / name / "train-00000-of-00001.parquet")
            files = [{"split": "train", "path": f"{name}/*.parquet"}]
            configs.append({"config_name": name, "data_files": files})
        head = yaml.safe_dump({"pretty_name": "Small", "configs": configs})
        (self.folder / "README.md").write_text(f"---\n{head}---\n\n# Small\n", encoding="utf-8")
        (self.folder / "provenance").mkdir(exist_ok=True)
        (self.folder / "provenance" / "recipe.yaml").write_text("task: {ordinal: true}\n", encoding="utf-8")
        return self.folder


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """60 clips of 10 subjects with key points and one transcript each, not written yet."""
    rng = np.random.default_rng(0)
    rows = [_row(number, rng) for number in range(60)]
    folder = tmp_path / "release"
    folder.mkdir()
    return Written(folder, rows, sequences={"keypoints": _keypoints(rows, rng)})


@pytest.fixture
def release(written: Written) -> Path:
    """The same on disk."""
    return written.write()


@pytest.fixture
def make_clips() -> Callable[..., Clips]:
    """Clips in memory: all of train, labelled with `given`, refined to `label`."""
    return clips_of


def clips_of(
    given: Sequence[int], label: Sequence[int], reliability: Sequence[float], n_classes: int = 3
) -> Clips:
    """See `make_clips`; a reliability of .8 and more is high; a label of -1 is none."""
    n, labels = len(given), np.array(label, dtype=np.int64)
    soft = np.full((n, n_classes), 0.1 / (n_classes - 1), dtype=np.float32)
    soft[np.arange(n), np.maximum(labels, 0)] = 0.9
    soft[labels == NO_LABEL] = np.nan
    return Clips(
        tuple(f"class {k}" for k in range(n_classes)),
        False,
        tuple(f"{k:016x}" for k in range(n)),
        np.array(["train"] * n),
        np.array([f"subject {k}" for k in range(n)]),
        np.array(given, dtype=np.int64),
        labels,
        soft,
        np.array(reliability, dtype=np.float32),
        np.array(reliability) >= 0.8,
        np.full(n, NO_LABEL, dtype=np.int64),
        np.full(n, np.nan, dtype=np.float32),
        np.zeros(n, dtype=np.bool_),
        (None,) * n,
    )


@pytest.fixture
def video() -> Callable[[Sequence[int]], bytes]:
    """Makes an mp4 of 4 frames a second, one grey level a frame."""
    return video_of


def video_of(levels: Sequence[int]) -> bytes:
    """See `video`."""
    whole = BytesIO()
    with av.open(whole, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=4)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for level in levels:
            pixels = np.full((32, 32, 3), level, dtype=np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        output.mux(stream.encode(None))
    return whole.getvalue()


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Models this small are fastest with one, and give the same numbers on every machine."""
    torch.set_num_threads(1)


def _row(number: int, rng: np.random.Generator) -> dict[str, Any]:
    """Clip `number` of class number % 3; of every fourth the given label is the next class."""
    label, subject = number % 3, number // 6
    is_wrong = number % 4 == 3
    soft = np.full(3, 0.1)
    soft[label] = 0.8
    return {
        "clip_id": f"{number:016x}",
        "name": f"clip_{number}.mp4",
        "label_given": (label + is_wrong) % 3,
        "label": label,
        "soft_label": soft.tolist(),
        "reliability": 0.1 if is_wrong else float(rng.uniform(0.6, 1.0)),
        "reliability_split": "low" if is_wrong else "high",
        "pseudo_label": None,
        "pseudo_confidence": None,
        "pseudo_accepted": None,
        "split": SPLITS[subject % len(SPLITS)],
        "group": f"subject {subject}",
        "transcript": None,
    }


def _keypoints(rows: Sequence[dict[str, Any]], rng: np.random.Generator) -> pl.DataFrame:
    """Three to nine frames of a clip, whose face's first points lie higher with the class."""
    points = []
    for row in rows:
        frames = rng.normal(0, 0.05, (int(rng.integers(3, 10)), 137, 3))
        frames[:, 25:60, 1] += 0.2 * row["label"]
        frames[..., 2] = 0.9
        points.append(frames.astype(np.float16).tolist())
    ids = [row["clip_id"] for row in rows]
    nested = pl.List(pl.Array(pl.Array(pl.Float32, 3), 137))
    return pl.DataFrame({"clip_id": ids, "points": points}, schema={"clip_id": pl.String, "points": nested})


def _write_clips(path: Path, rows: Sequence[dict[str, Any]], classes: Sequence[str]) -> None:
    kinds = {
        "label_given": pa.int64(),
        "label": pa.int64(),
        "pseudo_label": pa.int64(),
        "soft_label": pa.list_(pa.float32()),
        "reliability": pa.float64(),
        "pseudo_confidence": pa.float64(),
        "pseudo_accepted": pa.bool_(),
        "video": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
    }
    names = list(rows[0])
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in names])
    told = {"info": {"features": {"label": {"names": list(classes), "_type": "ClassLabel"}}}}
    table = pa.Table.from_pylist(list(rows), schema.with_metadata({"huggingface": json.dumps(told)}))
    pq.write_table(table, path)
