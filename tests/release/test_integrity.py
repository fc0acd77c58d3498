"""A release that was damaged or edited: the file, column and row are named, and nothing is mended."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import ReleaseError
from curate.release.check import check_release
from curate.release.integrity import FACTS, FORMAT

HIGH = "data/train-high-00000-of-00001.parquet"


@pytest.fixture
def copy(release: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(release, tmp_path / "copy"))


def told_of(folder: Path) -> str:
    with pytest.raises(ReleaseError) as told:
        check_release(folder)
    return str(told.value)


def edit(path: Path, column: str, row: int, value: object) -> None:
    table = pq.read_table(path)
    values = table[column].to_pylist()
    values[row] = value
    field = table.schema.field(column)
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, field, pa.array(values, field.type)), path)


def test_a_flipped_bit_in_a_page_names_column_and_rows(copy: Path) -> None:
    path = copy / HIGH
    column = pq.read_metadata(path).row_group(0).column(0)  # clip_id
    content = bytearray(path.read_bytes())
    begin = column.dictionary_page_offset or column.data_page_offset
    content[begin + column.total_compressed_size // 2] ^= 1
    path.write_bytes(content)
    told = told_of(copy)
    assert f"{HIGH}: was edited or damaged, expected the bytes that were written" in told
    assert "column clip_id, rows 0 to" in told


@pytest.mark.parametrize("name", ["metrics.json", "provenance/calls.parquet", "croissant.json"])
def test_a_flipped_bit_anywhere_is_found(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    assert f"{name}: was edited or damaged" in told_of(copy)


def test_a_missing_shard(copy: Path) -> None:
    (copy / HIGH).unlink()
    assert f"{HIGH}: is missing. Fetch this file again" in told_of(copy)


def test_a_file_that_nobody_wrote_down(copy: Path) -> None:
    (copy / "provenance" / "notes.txt").write_text("mine")
    assert f"provenance/notes.txt: is not among the files in {FACTS}" in told_of(copy)


@pytest.mark.parametrize(
    ("name", "column", "value", "told"),
    [
        (
            HIGH,
            "confidence",
            0.123,
            "row 1 (clip {}), column confidence: is 0.123, but provenance/labels.parquet",
        ),
        (HIGH, "q_gaze", "surely", "row 1 (clip {}), column q_gaze: is 'surely', but answers/ says"),
        (HIGH, "n_frames", -7, "row 1, column n_frames has '-7'"),
        (
            "votes/train-00000-of-00001.parquet",
            "label",
            "nonsense",
            "row 1 (clip {}), column label: is 'nonsense'",
        ),
    ],
)
def test_an_edited_value_is_named_with_its_row(
    copy: Path, name: str, column: str, value: object, told: str
) -> None:
    clip_id = pq.read_table(copy / name, columns=["clip_id"])["clip_id"][1].as_py()
    edit(copy / name, column, 1, value)
    found = told_of(copy)
    assert f"{name}: has " in found or f"{name}: was edited" in found
    assert told.format(clip_id) in found


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    change(facts)
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")


def test_a_release_from_the_future_is_not_judged(copy: Path) -> None:
    rewrite(copy, lambda facts: facts.update(format=FORMAT + 1))
    with pytest.raises(
        ReleaseError, match=rf"has format {FORMAT + 1}, and this curate reads .* Update curate"
    ):
        check_release(copy)


def test_a_release_without_its_list_of_files(copy: Path) -> None:
    (copy / FACTS).unlink()
    assert f"{FACTS}: is missing" in told_of(copy)


def test_a_column_that_the_schema_does_not_know(copy: Path) -> None:
    table = pq.read_table(copy / HIGH)
    pq.write_table(table.append_column("invented", pa.array([1] * table.num_rows)), copy / HIGH)
    assert "invented" in told_of(copy)
