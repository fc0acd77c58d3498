from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, integer_dtypes

from curate.sequences.store import ArrayStore, key_of

KEY, OTHER = key_of("a"), key_of("b")


@given(arrays(integer_dtypes() | st.just(np.dtype("<f2")), array_shapes(min_dims=0, min_side=0)))
def test_what_was_put_is_got(array: np.ndarray) -> None:
    with TemporaryDirectory() as folder:
        store = ArrayStore(Path(folder))
        store.put(KEY, array)
        got = store.get(KEY)
    assert got is not None
    assert (got.dtype, got.shape, got.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_nothing_was_put(tmp_path: Path) -> None:
    assert ArrayStore(tmp_path / "not there").get(KEY) is None


def test_records_of_numbers(tmp_path: Path) -> None:
    kind = np.dtype([("index", "<i8"), ("vector", "<f2", (3,))])
    rows = np.array([(7, (1, 2, 3)), (8, (4, 5, 6))], dtype=kind)
    ArrayStore(tmp_path).put(KEY, rows)
    got = ArrayStore(tmp_path).get(KEY)
    assert got is not None
    assert (got["index"].tolist(), got["vector"].tolist()) == ([7, 8], [[1, 2, 3], [4, 5, 6]])


def test_a_later_array_takes_the_place(tmp_path: Path) -> None:
    store = ArrayStore(tmp_path)
    for last in (1, 2):
        store.put(KEY, np.full(4, last))
    got = store.get(KEY)
    assert got is not None
    assert got.tolist() == [2, 2, 2, 2]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{KEY}.npy"]


@given(st.data())
def test_any_flipped_bit_or_cut_is_noticed(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        store = ArrayStore(Path(folder))
        store.put(KEY, np.arange(6.0))
        content = bytearray(store.path(KEY).read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] ^= 1 << data.draw(st.integers(0, 7))
        else:
            del content[place:]
        store.path(KEY).write_bytes(content)
        assert store.get(KEY) is None
        store.put(KEY, np.arange(6.0))  # made anew
        assert store.get(KEY) is not None


def test_a_file_under_anothers_name_is_noticed(tmp_path: Path) -> None:
    store = ArrayStore(tmp_path)
    store.put(KEY, np.arange(3))
    store.path(OTHER).parent.mkdir(exist_ok=True)
    store.path(KEY).rename(store.path(OTHER))
    assert (store.get(KEY), store.get(OTHER)) == (None, None)


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    store = ArrayStore(tmp_path)
    store.path(KEY).mkdir(parents=True)
    assert store.get(KEY) is None


def test_numpy_reads_the_files(tmp_path: Path) -> None:
    store = ArrayStore(tmp_path)
    store.put(KEY, np.arange(5))
    assert np.load(store.path(KEY), allow_pickle=False).tolist() == [0, 1, 2, 3, 4]


def test_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        ArrayStore(tmp_path).put(KEY, np.array([{}], dtype=object))
    assert not list(tmp_path.rglob("*.npy"))


@pytest.mark.parametrize("key", ["", "../" + "a" * 61, "A" * 64, "a" * 63])
def test_a_key_that_is_no_digest(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="64 hex digits"):
        ArrayStore(tmp_path).get(key)


def test_many_threads_at_one_key(tmp_path: Path) -> None:
    store = ArrayStore(tmp_path)

    def work(number: int) -> bool:
        store.put(KEY, np.full(1000, number % 3))
        got = store.get(KEY)
        return got is not None and len(set(got.tolist())) == 1

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(64)))


def test_keys_tell_their_parts_apart() -> None:
    assert len({key_of("a", "b"), key_of("ab"), key_of(["a", "b"]), key_of("1"), key_of(1)}) == 5
    assert key_of({"x": 1, "y": (2,)}) == key_of({"y": [2], "x": 1})
