from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import tables
from curate.clips.finding import Finding
from curate.errors import InputError, TableError
from curate.sequences.columns import Row, arrow_table
from curate.sequences.parts import parts_of, read_parts, write_parts
from curate.sequences.shapes import SEQUENCES, SequenceName, shape_problems


def keypoints(number: int, n_frames: int = 3) -> Row:
    points = np.random.default_rng(number).normal(size=(n_frames, 137, 3)).astype(np.float16)
    size = {"width": 640, "height": 480, "origin_x": 320, "origin_y": 240}
    return {
        "clip_id": f"{number:016x}",
        "source": "given",
        **size,
        "t_s": np.arange(n_frames) / 25,
        "points": points,
    }


def features(number: int, n_frames: int = 3) -> Row:
    values = np.arange(2 * n_frames, dtype=np.float32).reshape(n_frames, 2)
    values[-1, 1] = np.nan
    names = ["success", "AU01_r"]
    return {
        "clip_id": f"{number:016x}",
        "source": "given",
        "names": names,
        "t_s": np.arange(n_frames) / 25,
        "values": values,
    }


def embeddings(number: int, n_frames: int = 3) -> Row:
    vectors = np.random.default_rng(number).normal(size=(n_frames, 5)).astype(np.float16)
    at = {"index": list(range(n_frames)), "t_s": [i / 2 for i in range(n_frames)]}
    return {"clip_id": f"{number:016x}", "model": "m@1", **at, "vectors": vectors}


ROWS = {"keypoints": keypoints, "features": features, "embeddings": embeddings}
ARRAYS = {"keypoints": "points", "features": "values", "embeddings": "vectors"}


@pytest.mark.parametrize("name", SEQUENCES)
def test_arrays_come_back_as_they_were(tmp_path: Path, name: SequenceName) -> None:
    rows = [ROWS[name](number, number) for number in range(1, 6)]
    write_parts(tmp_path / name, name, rows)
    table = pl.concat(read_parts(tmp_path / name, name))
    assert table.schema == pl.Schema(tables.dtypes(name))
    for row, found in zip(rows, table.iter_rows(named=True), strict=True):
        array = row[ARRAYS[name]]
        assert isinstance(array, np.ndarray)
        assert np.array_equal(np.array(found[ARRAYS[name]]).astype(array.dtype), array, equal_nan=True)
        assert found["t_s"] == list(row["t_s"])  # type: ignore[call-overload]


def test_a_part_is_bounded_and_the_last_holds_the_rest(tmp_path: Path) -> None:
    # A row of 3 frames holds 3 * 137 * 3 * 2 + 3 * 8 = 2490 bytes: two reach 4980 of the 5000 that a part may
    # hold, so that the third closes it.
    write_parts(tmp_path / "k", "keypoints", map(keypoints, range(1, 8)), part_bytes=5000)
    assert [path.name for path in parts_of(tmp_path / "k")] == [f"part-0000{i}.parquet" for i in range(3)]
    assert [pq.read_metadata(path).num_rows for path in parts_of(tmp_path / "k")] == [3, 3, 1]


def test_the_same_rows_give_the_same_bytes_and_findings_go_by(tmp_path: Path) -> None:
    finding = Finding("x", "x", "keypoints", "is gone")
    for name in ("one", "two"):
        written = write_parts(tmp_path / name, "keypoints", [finding, keypoints(1), finding, keypoints(2)])
        assert (written.rows, written.findings) == (2, (finding, finding))
    one, two = (parts_of(tmp_path / name)[0].read_bytes() for name in ("one", "two"))
    assert one == two


def test_nothing_is_held_of_a_part_that_is_written(tmp_path: Path) -> None:
    def rows() -> Iterator[Row]:
        for number in range(1, 10):
            # Parts of one row each: all rows before this one are written by now.
            assert len(list(tmp_path.glob(".k.partial/part-*"))) == number - 1
            yield keypoints(number)

    write_parts(tmp_path / "k", "keypoints", rows(), part_bytes=1)


def test_a_table_takes_the_place_of_the_one_before_only_when_it_is_whole(tmp_path: Path) -> None:
    write_parts(tmp_path / "k", "keypoints", [keypoints(1)])
    before = parts_of(tmp_path / "k")[0].read_bytes()

    def broken() -> Iterator[Row]:
        yield keypoints(2)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        write_parts(tmp_path / "k", "keypoints", broken(), part_bytes=1)
    assert parts_of(tmp_path / "k")[0].read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["k"]
    assert write_parts(tmp_path / "k", "keypoints", []).rows == 0
    assert list(read_parts(tmp_path / "k", "keypoints")) == []


def test_a_run_that_did_not_come_so_far(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="k: is missing: the run is not finished"):
        list(read_parts(tmp_path / "k", "keypoints"))


@pytest.mark.parametrize("numbers", [(2, 1), (1, 1)])
def test_clips_must_rise(tmp_path: Path, numbers: tuple[int, int]) -> None:
    with pytest.raises(TableError, match="expected rising ids, each once"):
        write_parts(tmp_path / "k", "keypoints", map(keypoints, numbers))


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("keypoints", {"t_s": [0.0, 1.0]}, "points: clip 0{15}1 has not as many entries as t_s"),
        ("keypoints", {"t_s": [0.0, 1.0, 1.0]}, "t_s: clip 0{15}1 has entries that do not rise"),
        (
            "keypoints",
            {"t_s": [], "points": np.zeros((0, 137, 3), "f2")},
            "has no frame, expected at least one",
        ),
        (
            "keypoints",
            {"points": np.full((3, 137, 3), np.nan, "f2")},
            "points: found numbers that are not finite",
        ),
        ("keypoints", {"source": ""}, "source: found ''"),
        ("keypoints", {"clip_id": "xyz"}, "clip_id: found 'xyz'"),
        ("features", {"names": ["success"]}, "values: clip 0{15}1 has lists of other lengths than one a row"),
        ("embeddings", {"index": [0, 2, 2]}, "index: clip 0{15}1 has entries that do not rise"),
        (
            "embeddings",
            {"vectors": [[1.0], [1.0, 2.0], [3.0]]},
            "vectors: clip 0{15}1 has lists of other lengths",
        ),
    ],
)
def test_a_row_that_breaks_the_contract_is_not_written(
    tmp_path: Path, name: SequenceName, change: Row, told: str
) -> None:
    with pytest.raises(TableError, match=told):
        write_parts(tmp_path / name, name, [ROWS[name](1) | change])
    assert not (tmp_path / name).exists()


def test_points_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match=r"entries of shape \(25, 3\), expected \(137, 3\)"):
        arrow_table("keypoints", [keypoints(1) | {"points": np.zeros((3, 25, 3), "f2")}])


@given(st.lists(st.integers(1, 4), max_size=4), st.sampled_from(SEQUENCES))
def test_sound_rows_have_no_problem(lengths: list[int], name: SequenceName) -> None:
    rows = [ROWS[name](number, length) for number, length in enumerate(lengths, start=1)]
    frame = pl.DataFrame(pl.from_arrow(arrow_table(name, rows)))
    assert list(shape_problems(name, tables.validate(name, frame))) == []
