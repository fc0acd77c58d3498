"""Key points, features and embeddings in a release."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import ReleaseError
from curate.release.check import check_release
from curate.release.dataset import write_release
from curate.release.sequences import write_sequences
from curate.sequences.columns import Row
from curate.sequences.parts import write_parts
from curate.sequences.shapes import SequenceName

N_FRAMES = 4
READER = """
import json, sys
sys.modules["curate"] = None  # a reader has no curate: importing it would fail
import numpy as np
from datasets import get_dataset_config_names, load_dataset
folder, cache = sys.argv[1:]
told = {"configs": get_dataset_config_names(folder)}
for name, column in (("keypoints", "points"), ("features", "values"), ("embeddings", "vectors")):
    table = load_dataset(folder, name, split="train", cache_dir=cache)
    streamed = next(iter(load_dataset(folder, name, split="train", streaming=True)))
    array = table.with_format("numpy")[0][column]
    told[name] = {
        "rows": table.num_rows,
        "shape": np.array(table[0][column]).shape,
        "streamed": np.array(streamed[column]).shape,
        "numpy": [list(array.shape), str(array.dtype)],
        "type": str(table.features[column]),
    }
print(json.dumps(told))
"""


def keypoints(clip_id: str) -> Row:
    points = np.random.default_rng(0).normal(size=(N_FRAMES, 137, 3)).astype(np.float16)
    size = {"width": 32, "height": 32, "origin_x": 16, "origin_y": 16}
    return {"clip_id": clip_id, "source": "given", **size, "t_s": np.arange(N_FRAMES) / 10, "points": points}


def features(clip_id: str) -> Row:
    names, values = ["confidence", "success", "AU12_r"], np.ones((N_FRAMES, 3), np.float32)
    return {
        "clip_id": clip_id,
        "source": "given",
        "names": names,
        "t_s": np.arange(N_FRAMES) / 10,
        "values": values,
    }


def embeddings(clip_id: str) -> Row:
    at = {"index": [0, 2], "t_s": [0.0, 0.2]}
    return {"clip_id": clip_id, "model": "tiny@1", **at, "vectors": np.ones((2, 8), np.float16)}


MADE: dict[SequenceName, Callable[[str], Row]] = {
    "keypoints": keypoints,
    "features": features,
    "embeddings": embeddings,
}


@pytest.fixture(scope="module")
def parts(synthetic: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[SequenceName, Path]:
    """All three tables of the synthetic run; key points in three parts, of 20 clips of 24."""
    folder = tmp_path_factory.mktemp("run")
    clip_ids = sorted(synthetic.make().content.tables.clips["clip_id"])
    for name, made in MADE.items():
        n_clips = 20 if name == "keypoints" else 24
        write_parts(folder / name, name, map(made, clip_ids[:n_clips]), part_bytes=23_000)
    return {name: folder / name for name in MADE}


@pytest.fixture(scope="module")
def sequenced(
    synthetic: ModuleType, parts: dict[SequenceName, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("release") / "sequenced"
    write_release(folder, replace(synthetic.make().content, sequences=parts))
    return folder


@pytest.fixture(scope="module")
def told(sequenced: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a stranger's Python, offline and without curate, reads."""
    home = tmp_path_factory.mktemp("reader")
    environ = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", READER, str(sequenced), str(home / "cache")]
    done = subprocess.run(command, cwd=home, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.fixture
def copy(sequenced: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sequenced, tmp_path / "copy"))


def test_a_stranger_reads_arrays(told: dict[str, Any]) -> None:
    assert told["configs"][-3:] == ["keypoints", "features", "embeddings"]
    assert told["keypoints"]["rows"] == 20
    for way in ("shape", "streamed"):
        assert told["keypoints"][way] == [N_FRAMES, 137, 3]
        assert told["features"][way] == [N_FRAMES, 3]
        assert told["embeddings"][way] == [2, 8]
    assert told["keypoints"]["numpy"] == [[N_FRAMES, 137, 3], "float32"]
    assert told["keypoints"]["type"] == "List(List(List(Value('float16'), length=3), length=137))"


def test_parts_are_copied_as_they_are_and_named_as_the_hub_does(
    sequenced: Path, parts: dict[SequenceName, Path]
) -> None:
    # 4 * 137 * 3 * 2 + 4 * 8 = 3320 bytes a clip: seven reach 23,000, so 20 clips are three parts.
    files = sorted((sequenced / "keypoints").iterdir())
    assert [path.name for path in files] == [f"train-0000{i}-of-00003.parquet" for i in range(3)]
    for file, part in zip(files, sorted(parts["keypoints"].iterdir()), strict=True):
        assert file.read_bytes() == part.read_bytes()
    assert [len(list((sequenced / name).iterdir())) for name in ("features", "embeddings")] == [1, 1]


def test_the_card_names_the_configs(sequenced: Path, release: Path) -> None:
    card = (sequenced / "README.md").read_text(encoding="utf-8")
    assert "| `keypoints` | a row a clip: 137 key points of one person" in card
    assert "keypoints" not in (release / "README.md").read_text(encoding="utf-8")


def test_an_empty_table_is_left_out(synthetic: ModuleType, tmp_path: Path) -> None:
    write_parts(tmp_path / "features", "features", [])
    content = replace(synthetic.make().content, sequences={"features": tmp_path / "features"})
    write_release(tmp_path / "release", content)
    assert not (tmp_path / "release" / "features").exists()


def test_parts_that_are_gone_stop_the_release(synthetic: ModuleType, tmp_path: Path) -> None:
    content = replace(synthetic.make().content, sequences={"keypoints": tmp_path / "keypoints"})
    with pytest.raises(ReleaseError, match=r"keypoints: is gone\. Run again"):
        write_release(tmp_path / "r", content)


def test_rows_of_clips_that_are_not_released_are_left_out(
    sequenced: Path, parts: dict[SequenceName, Path], tmp_path: Path
) -> None:
    files = sorted((sequenced / "keypoints").iterdir())
    first, _, third = (pq.read_table(file)["clip_id"].to_pylist() for file in files)
    # All of the first part, none of the second, but for one of the third: two files are left.
    write_sequences(tmp_path, {"keypoints": parts["keypoints"]}, {*first, *third[1:]})
    whole, rest = sorted((tmp_path / "keypoints").iterdir())
    assert [whole.name, rest.name] == [f"train-0000{i}-of-00002.parquet" for i in range(2)]
    assert whole.read_bytes() == files[0].read_bytes()
    assert pq.read_table(rest).equals(pq.read_table(files[2]).slice(1))


def change(path: Path, column: str, edit: Callable[[list[Any]], list[Any]]) -> None:
    table = pq.read_table(path)
    values = pa.array(edit(table[column].to_pylist()), table.schema.field(column).type)
    pq.write_table(table.set_column(table.schema.get_field_index(column), column, values), path)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("clip_id", "no hex", "column clip_id has 'no hex'"),
        ("clip_id", "0" * 16, "is about clip 0{16}, which is not in data/ or pseudo/"),
        ("t_s", [0.0, 0.1], "column points: clip .* has not as many entries as t_s"),
        ("width", 0, "column width has '?0"),
    ],
)
def test_a_row_that_is_wrong(copy: Path, column: str, value: object, told: str) -> None:
    change(copy / "keypoints/train-00000-of-00003.parquet", column, lambda values: [value, *values[1:]])
    with pytest.raises(ReleaseError, match=told):
        check_release(copy)


def test_a_clip_that_is_there_twice_and_a_part_that_is_missing(copy: Path) -> None:
    first, second, third = sorted((copy / "keypoints").iterdir())
    shutil.copyfile(first, second)
    with pytest.raises(ReleaseError, match="expected rising ids, each once"):
        check_release(copy)
    third.unlink()
    with pytest.raises(ReleaseError, match=r"expected keypoints/train-00000-of-00002\.parquet"):
        check_release(copy)


def test_a_file_that_is_no_parquet(copy: Path) -> None:
    (copy / "features/train-00000-of-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(ReleaseError, match=r"features/train-.*: cannot be read as Parquet"):
        check_release(copy)


def test_a_table_without_a_schema(copy: Path) -> None:
    (copy / "provenance/schema/embeddings.yaml").unlink()
    with pytest.raises(ReleaseError, match=r"has no schema, expected provenance/schema/embeddings.yaml"):
        check_release(copy)
